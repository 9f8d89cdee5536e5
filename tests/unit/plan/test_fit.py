"""What fits a board: flash and RAM to the last byte, and how a model that does not is refused."""

import re
from dataclasses import replace

import pytest

from edgesq.errors import FitError, TargetError
from edgesq.formats.tflite import read_graph
from edgesq.plan import Goal, PlanRequest, make_plan, needs, plan_for
from edgesq.targets import Region, Target, load_target
from support.cases import NETWORKS
from support.ladder import shared_model


def with_memory(target: Target, name: str, size: int) -> Target:
    regions = tuple(
        Region(region.name, region.origin, size if region.name == name else region.bytes)
        for region in target.memory
    )
    return replace(target, memory=regions)


@pytest.mark.slow
def test_too_much_flash() -> None:
    graph = read_graph(shared_model("squeezenet_v1.1_1000c_224"))
    target = load_target("stm32f405")
    with pytest.raises(FitError) as caught:
        plan_for(graph, target)
    line = str(caught.value)
    needed = re.match(r"stm32f405: the model needs (\d+) B of flash ", line)
    assert needed
    assert 1_048_576 < graph.weights_bytes < int(needed[1]) < graph.weights_bytes + 150_000
    assert f"{graph.weights_bytes} of them are weights" in line
    assert "the board has 1048576 B" in line
    assert "(try " in line
    assert "\n" not in line


def test_too_much_ram() -> None:
    graph = read_graph(NETWORKS["residual_over_several_operators"]())
    target = load_target("stm32f405")
    chosen = plan_for(graph, target, Goal.RAM)
    needed = needs(graph, chosen.plan, target)["ram"]
    with pytest.raises(FitError) as caught:
        plan_for(graph, with_memory(target, "ram", needed - 1), Goal.RAM)
    line = str(caught.value)
    assert f"needs {needed} B of ram" in line
    assert f"{chosen.plan.arena_bytes} of them are the arena" in line
    _, items = chosen.plan.peak()
    assert max(items, key=lambda item: item.bytes).name in line
    assert f"has {needed - 1} B" in line


@pytest.mark.parametrize("memory", ["flash", "ram"])
def test_the_last_byte_fits(memory: str) -> None:
    graph = read_graph(NETWORKS["fire"]())
    target = replace(load_target("stm32f405"), reserve_bytes=0)
    needed = needs(graph, make_plan(graph, PlanRequest(target.kernels)), target)[memory]
    plan_for(graph, with_memory(target, memory, needed), Goal.RAM)
    with pytest.raises(FitError):
        plan_for(graph, with_memory(target, memory, needed - 1), Goal.RAM)


@pytest.mark.slow
def test_host_has_no_limit() -> None:
    graph = read_graph(shared_model("squeezenet_v1.1_1000c_224"))
    assert plan_for(graph, load_target("host")).plan.arena_bytes > 0


def test_an_unknown_kernel_family_is_named() -> None:
    target = replace(load_target("mps2-an500"), kernels="nope")
    with pytest.raises(
        TargetError, match=r"key 'kernels' must be one of portable, scalar, dsp, mve"
    ):
        plan_for(read_graph(NETWORKS["fire"]()), target)
