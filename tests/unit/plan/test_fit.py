"""What fits a board: flash and RAM to the last byte, and how a model that does not is refused."""

import importlib
import re
from dataclasses import replace
from unittest.mock import Mock

import pytest

from edgesq.errors import FitError, TargetError
from edgesq.formats.tflite import read_graph
from edgesq.plan import Fit, Goal, PlanRequest, fits, flash_parts, make_plan, needs, plan_for
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


@pytest.mark.parametrize(
    ("memory", "is_library"), [("flash", False), ("flash", True), ("ram", False)]
)
def test_the_last_byte_fits(memory: str, is_library: bool) -> None:
    """Of flash the one of the weights, where the linker tells of the rest."""
    graph = read_graph(NETWORKS["fire"]())
    target = replace(load_target("stm32f405"), reserve_bytes=0)
    target = replace(target, port=None) if is_library else target
    plan = make_plan(graph, PlanRequest(target.kernels))
    needed = needs(graph, plan, target)[memory]
    if memory == "flash" and not is_library:
        needed = flash_parts(graph, plan, target).least_bytes
    plan_for(graph, with_memory(target, memory, needed), Goal.RAM)
    with pytest.raises(FitError):
        plan_for(graph, with_memory(target, memory, needed - 1), Goal.RAM)


@pytest.mark.parametrize(
    ("weights_fit", "bound_fits", "ram_fits", "expected"),
    [
        (True, True, True, (True, True)),
        (True, False, True, (False, True)),
        (False, False, True, (False, False)),
        (True, True, False, (False, False)),
        (True, False, False, (False, False)),
    ],
)
def test_between_the_weights_and_the_bound_a_model_may_fit(
    weights_fit: bool, bound_fits: bool, ram_fits: bool, expected: tuple[bool, bool]
) -> None:
    graph = read_graph(NETWORKS["fire"]())
    target = load_target("stm32f405")
    plan = make_plan(graph, PlanRequest(target.kernels))
    parts = flash_parts(graph, plan, target)
    flash = parts.bytes if bound_fits else parts.bytes - 1 if weights_fit else parts.least_bytes - 1
    board = with_memory(with_memory(target, "flash", flash), "ram", (1 << 17) if ram_fits else 4096)
    fit = Fit.of(graph, plan, board)
    assert (fit.fits, fit.may_fit) == expected
    assert fit.flash_to_spare_bytes == flash - parts.bytes
    of_library = Fit.of(graph, plan, replace(board, port=None))
    assert of_library.may_fit == of_library.fits == expected[0]


@pytest.mark.parametrize(
    ("memory", "more", "searches"),
    [("ram", 0, 0), ("ram", -1, 1), ("ram", -(1 << 12), 0), ("flash", -(1 << 20), 0)],
)
def test_the_smallest_plan_is_searched_where_it_may_decide(
    memory: str, more: int, searches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where bands of one row fit, where far more RAM lacks, or where the flash does not do."""
    graph, target = read_graph(NETWORKS["fire"]()), load_target("stm32f405")
    plan = make_plan(graph, PlanRequest(target.kernels, Goal.RAM))
    board = with_memory(target, "ram", needs(graph, plan, target)["ram"] - (memory == "flash"))
    region = board.region(memory)
    assert region is not None
    board = with_memory(board, memory, max(0, region.bytes + more))
    module = importlib.import_module("edgesq.plan.fits")  # the package has a function of this name
    searched = Mock(side_effect=module.choose)
    monkeypatch.setattr(module, "choose", searched)
    monkeypatch.setattr(module, "list_targets", lambda: [board])
    (found,) = fits(graph)
    assert searched.call_count == searches
    assert found.fits == (more == 0)


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
