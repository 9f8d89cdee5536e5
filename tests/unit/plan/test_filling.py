"""Plans with coded weights: places by replay, bounds, and what the search finds."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.integers import round_up
from edgesq.kernels.coded import more_bytes
from edgesq.kernels.flash import MAX_PER_BYTE
from edgesq.operators import Conv2D
from edgesq.plan import (
    Bands,
    Candidate,
    Goal,
    Plan,
    PlanRequest,
    choose,
    covered_bytes,
    judge,
    make_plan,
)
from edgesq.plan.allocation import Item
from edgesq.plan.filling import NEVER, Filling
from edgesq.plan.overlap import find_leads
from edgesq.plan.planner import Planner
from edgesq.reference import run_observed
from support.crun import Runtime
from support.emulated_cases import all_streamed
from support.networks import RECTIFIED, Network
from support.random_graphs import draw_graphs
from support.replay import Replay
from support.tflite_builder import RELU

RANDOM_GRAPHS = 120

SPARE_BYTES = (0, 500, 3000, 20_000)
"""What limits leave above the smallest arena."""


def fires(seed: int = 0, modules: int = 3) -> Graph:
    """Fire modules over one map of 12 rows, as at the end of SqueezeNet."""
    net = Network((24, 24, 4), RECTIFIED, seed)
    step = net.conv(net.input, 16, (3, 3), (2, 2), activation=RELU, quant=RECTIFIED)
    for module in range(modules):
        narrow = net.conv(step, 12 + 4 * (module % 2), activation=RELU, quant=RECTIFIED)
        ones = net.conv(narrow, 32, activation=RELU, quant=RECTIFIED)
        threes = net.conv(narrow, 32, (3, 3), activation=RELU, quant=RECTIFIED)
        step = net.concat([ones, threes])
    return read_graph(net.build(net.mean(net.conv(step, 20, quant=RECTIFIED), RECTIFIED)))


GRAPH = fires()
CODED = all_streamed(GRAPH, "dsp")


def asked(
    limit: int | None = None, kernels: str = "dsp", coded: frozenset[int] = CODED
) -> PlanRequest:
    """Return what a fast plan within a limit is asked for."""
    return PlanRequest(kernels, Goal.SPEED, limit, 0, coded)


def filling(bands: Bands, limit: int) -> Filling:
    return Planner(GRAPH, asked(limit)).filling(bands, limit)


def limits() -> list[int]:
    least = make_plan(GRAPH, asked()).arena_bytes
    return [least + spare for spare in SPARE_BYTES]


def check(graph: Graph, plan: Plan) -> None:
    """Nothing is written over that is still read; only whole maps share memory in use."""
    Replay(graph, plan).run()
    whole = {
        item.name
        for storage, item in plan.rings.items()
        if (slot := plan.slots[storage]) and item.ring_rows == slot.height
    }
    for one, two in combinations(plan.items, 2):
        apart = one.offset + one.bytes <= two.offset or two.offset + two.bytes <= one.offset
        assert apart or not one.live & two.live or {one.name, two.name} & whole
    _, items = plan.peak()
    assert covered_bytes(items) <= plan.arena_bytes
    assert all(item.offset % 16 == 0 for item in plan.items)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("kernels", ["portable", "dsp", "mve"])
def test_places(rows: int, kernels: str) -> None:
    for spare in (None, *SPARE_BYTES):
        coded = all_streamed(GRAPH, kernels)
        least = make_plan(GRAPH, asked(None, kernels, coded), Bands(rows)).arena_bytes
        limit = None if spare is None else least + spare
        plan = make_plan(GRAPH, asked(limit, kernels, coded), Bands(rows))
        check(GRAPH, plan)
        assert limit is None or plan.arena_bytes <= limit


def overlapping(plan: Plan) -> list[tuple[str, str]]:
    return [
        (one.name, two.name)
        for one, two in combinations(plan.items, 2)
        if one.live & two.live
        and max(one.offset, two.offset) < min(one.offset + one.bytes, two.offset + two.bytes)
    ]


def test_maps_overlap() -> None:
    """Maps held whole overlap where memory is scarce, and nothing else does."""
    plans = [
        make_plan(GRAPH, asked(limit), Bands(rows)) for rows in (3, 4, 6) for limit in limits()
    ]
    assert any(overlapping(plan) for plan in plans)
    for plan in plans:
        check(GRAPH, plan)


@pytest.mark.parametrize("kernels", ["portable", "dsp", "mve"])
def test_places_in_random_networks(kernels: str) -> None:
    """Of every operator that can be read; maps overlap in some of them."""
    overlaps = 0
    for drawn in draw_graphs(RANDOM_GRAPHS, 7000):
        graph = read_graph(drawn.content)
        coded = all_streamed(graph, kernels)
        for rows in (2, 99) if coded else ():
            least = make_plan(graph, asked(None, kernels, coded), Bands(rows))
            for plan in (
                least,
                make_plan(graph, asked(least.arena_bytes, kernels, coded), Bands(rows)),
            ):
                check(graph, plan)
                overlaps += len(overlapping(plan))
    assert overlaps


def spread(plan: Plan, low: int, high: int, lead: int) -> Plan:
    """Place all blocks one after another, but ring `high` so many bytes behind ring `low`."""
    end = 0

    def apart(items: dict[int, Item]) -> dict[int, Item]:
        nonlocal end
        placed = {}
        for key, item in items.items():
            placed[key] = replace(item, offset=end)
            end += round_up(item.bytes, 16) + (1 << 14)
        return placed

    rings, sums, work = apart(plan.rings), apart(plan.sums), apart(plan.work)
    rings[high] = replace(rings[high], offset=rings[low].offset + lead)
    progress = replace(plan.progress, offset=end)
    return replace(
        plan, rings=rings, sums=sums, work=work, progress=progress, arena_bytes=end + progress.bytes
    )


@pytest.mark.parametrize("rows", [4, 5, 6])
def test_leads_are_as_long_as_they_must_be(rows: int) -> None:
    """A map follows another one at its lead, and is written over a row before that."""
    plan = make_plan(GRAPH, asked(), Bands(rows))
    one = filling(Bands(rows), plan.arena_bytes)
    leads = find_leads(one.residents(), len(plan.steps))
    keys = [block.key for block in one.draft.residents]
    rings = [key if kind == "ring" else -1 for kind, key in keys]
    pairs = {
        (rings[low], rings[high]): lead
        for (low, high), lead in leads.items()
        if min(rings[low], rings[high]) >= 0
    }
    assert max(pairs.values()) > 0
    for (first, second), lead in pairs.items():
        Replay(GRAPH, spread(plan, first, second, lead)).run()
        slot = plan.slots[second]
        assert slot is not None
        if lead >= slot.row_bytes:
            with pytest.raises(AssertionError, match="is not there"):
                Replay(GRAPH, spread(plan, first, second, lead - slot.row_bytes)).run()


def test_nothing_costs_less_than_its_bound() -> None:
    for limit in limits():
        for rows in (1, 2, 3, 4, 6, 12):
            one = filling(Bands(rows), limit)
            placement = one.placement()
            assert placement is None or NEVER > placement.cost >= one.bound


def cost(bands: Bands, limit: int) -> float:
    """What the search compares: instructions, and bytes of flash as some of them."""
    placement = filling(bands, limit).placement()
    return NEVER if placement is None else placement.cost


def test_a_draft_costs_what_its_plan_takes() -> None:
    """Apart from bytes of flash, what the search compares is what `judge` says of the plan."""
    for limit in limits()[2:]:
        judged = judge(GRAPH, asked(limit), Bands(by_height={12: 3}))
        convs = [(item.first, item.kernel) for item in judged.plan.ops]
        more = sum(more_bytes(GRAPH, op, one) for op, one in convs if isinstance(op, Conv2D))
        total = judged.instructions + more * MAX_PER_BYTE
        assert total == pytest.approx(cost(Bands(by_height={12: 3}), limit))


def chosen(limit: int) -> Candidate:
    return choose(GRAPH, asked(limit))


@pytest.mark.slow
@pytest.mark.parametrize("spare", SPARE_BYTES)
def test_the_search_finds_what_a_hand_would(spare: int) -> None:
    found = chosen(limits()[0] + spare)
    limit = found.request.limit_bytes
    assert limit is not None
    assert found.plan.arena_bytes <= limit <= limits()[0] + spare
    check(GRAPH, found.plan)
    least = cost(found.bands, limit)
    for low in (1, 2, 3, 4, 6):
        for high in (1, 2, 4):
            assert least <= cost(Bands(by_height={12: low, 24: high}), limit) * 1.0001


@pytest.mark.slow
def test_more_room_is_never_slower() -> None:
    costs = [cost(chosen(limit).bands, limit) for limit in limits()]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0]


def test_the_same_model_gives_the_same_plan() -> None:
    limit = limits()[1]
    assert chosen(limit).plan == chosen(limit).plan


@pytest.mark.slow
def test_chosen_plans_compute_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    """In C with sanitizers, portable kernels, maps that overlap."""
    coded = all_streamed(GRAPH, "portable")
    least = make_plan(GRAPH, asked(None, "portable", coded)).arena_bytes
    plans = [
        choose(GRAPH, asked(least + spare, "portable", coded)).plan for spare in SPARE_BYTES[1:]
    ]
    plans.append(make_plan(GRAPH, asked(None, "portable", coded), Bands(4)))
    images = np.random.default_rng(5).integers(-128, 128, (2, 24, 24, 4)).astype(np.int8)
    golden = run_observed(GRAPH, images)
    runtime = Runtime(tmp_path_factory.mktemp("runtime"))
    for values in runtime.run(GRAPH, plans, images):
        for got, expected in zip(values, golden, strict=True):
            np.testing.assert_array_equal(got, expected.reshape(len(images), -1))
