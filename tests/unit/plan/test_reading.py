"""What an image reads from a serial flash: what its cache does not hold, each time anew."""

from collections import Counter
from dataclasses import replace

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.operators import Convolution
from edgesq.plan import Goal, PlanRequest, make_plan, needs, plan_for
from edgesq.plan.costs import ENTRY_BYTES, operator_costs
from edgesq.plan.reading import SLOW_CLOCKS, flash_reads, in_ram_bytes, worth_ram
from edgesq.targets import Target, load_target
from support.cases import NETWORKS

FLASH = load_target("pico").region("flash")
NOTHING_FITS, ALL_FITS = 0, 1 << 30


@pytest.mark.parametrize(("kernels", "pixels"), [("portable", 1), ("scalar", 4)])
def test_a_larger_cache_reads_less(kernels: str, pixels: int) -> None:
    assert FLASH is not None
    graph = read_graph(NETWORKS["every_operator"]())
    plan = make_plan(graph, PlanRequest(kernels))
    costs = operator_costs(graph, plan, kernels)
    sizes = [cost.weights_bytes + cost.tables_bytes for cost in costs]
    steps = Counter(plan.steps)
    once_a_step = sum(size * steps[index] for index, size in enumerate(sizes))
    assert flash_reads(graph, plan, kernels, replace(FLASH, cache_bytes=ALL_FITS)) == once_a_step
    expected = 0
    for index, (item, size) in enumerate(zip(plan.ops, sizes, strict=True)):
        height, width, _ = graph.tensors[item.op.output].hwc
        is_blocked = isinstance(item.op, Convolution)
        assert item.kernel.pixels <= pixels
        together = max(item.kernel.pixels, 1)
        expected += size * (height * -(-width // together) if is_blocked else steps[index])
    found = flash_reads(graph, plan, kernels, replace(FLASH, cache_bytes=NOTHING_FITS))
    assert found == expected > once_a_step


def with_ram(target: Target, size: int) -> Target:
    """Return the target with so much RAM, nothing of it reserved."""
    memory = tuple(
        replace(region, bytes=size) if region.name == "ram" else region for region in target.memory
    )
    return replace(target, memory=memory, reserve_bytes=0)


@pytest.mark.parametrize("name", ["pico", "pico2"])
def test_weights_go_to_ram_where_they_fit(name: str) -> None:
    graph, target = read_graph(NETWORKS["every_operator"]()), load_target(name)
    flash = target.region("flash")
    assert flash is not None
    chosen = plan_for(graph, target)
    plan = chosen.plan
    assert plan.in_ram == frozenset(range(len(plan.ops)))
    bare = chosen.with_in_ram(frozenset()).plan
    promised, without = needs(graph, plan, target), needs(graph, bare, target)
    assert promised["flash"] == without["flash"]
    copied = in_ram_bytes(graph, plan, target.kernels)
    assert promised["ram"] == without["ram"] + copied > graph.weights_bytes
    left, all_read = (flash_reads(graph, one, target.kernels, flash) for one in (plan, bare))
    assert left == ENTRY_BYTES * sum(step in plan.in_ram for step in plan.steps)
    assert 0 < left < all_read / 3
    assert plan_for(graph, target, chosen=chosen) is chosen


@pytest.mark.parametrize("name", ["pico", "pico2"])
def test_the_last_byte_of_ram_holds_weights(name: str) -> None:
    graph, target = read_graph(NETWORKS["every_operator"]()), load_target(name)
    needed = needs(graph, plan_for(graph, target).plan, target)["ram"]
    every = plan_for(graph, with_ram(target, needed)).plan
    fewer = plan_for(graph, with_ram(target, needed - 1)).plan
    assert len(fewer.in_ram) < len(every.in_ram) == len(every.ops)
    assert needs(graph, fewer, target)["ram"] < needed
    limited = plan_for(graph, target, ram_limit=needed - 1).plan
    assert limited.in_ram == fewer.in_ram


def test_what_is_read_most_often_goes_first() -> None:
    assert FLASH is not None
    graph = read_graph(NETWORKS["every_operator"]())
    plan = make_plan(graph, PlanRequest("scalar"))
    steps = Counter(plan.steps)
    cached = replace(FLASH, cache_bytes=ALL_FITS)
    for room in (200, 2_000, 6_000):
        chosen = worth_ram(graph, plan, "scalar", Goal.BALANCED, cached, room)
        taken = in_ram_bytes(graph, replace(plan, in_ram=chosen), "scalar")
        assert chosen
        assert taken <= room
        for index in set(range(len(plan.ops))) - chosen:
            own = in_ram_bytes(graph, replace(plan, in_ram=frozenset({index})), "scalar")
            before = {one for one in chosen if steps[one] >= steps[index]}
            held = in_ram_bytes(graph, replace(plan, in_ram=frozenset(before)), "scalar")
            assert held + own > room


def test_ram_is_left_alone_where_it_gains_nothing() -> None:
    graph = read_graph(NETWORKS["fire"]())
    assert FLASH is not None
    plan = make_plan(graph, PlanRequest("scalar"))
    fast = replace(FLASH, read_clocks_per_word=SLOW_CLOCKS - 1)
    for goal, flash in ((Goal.RAM, FLASH), (Goal.SPEED, fast), (Goal.SPEED, None)):
        assert worth_ram(graph, plan, "scalar", goal, flash, None) == frozenset()
    assert worth_ram(graph, plan, "scalar", Goal.SPEED, FLASH, None)
    assert worth_ram(graph, plan, "scalar", Goal.SPEED, FLASH, 0) == frozenset()
    assert plan_for(graph, load_target("stm32f405")).plan.in_ram == frozenset()
    assert plan_for(graph, load_target("pico"), Goal.RAM).plan.in_ram == frozenset()
