"""Plans: every row where its readers look for it, no byte shared, the same results in any bands."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from edgesq.errors import ModelError
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Tensor
from edgesq.integers import round_up
from edgesq.operators import Op, Softmax
from edgesq.plan import (
    CODED_FAR,
    STEP_END,
    STEP_INPUT,
    Bands,
    Goal,
    Plan,
    PlanRequest,
    choose,
    coded_steps,
    curve,
    make_plan,
)
from edgesq.reference import run_observed
from support.cases import NETWORKS
from support.crun import Runtime
from support.ladder import SHARED_NAMES, shared_model
from support.networks import Network, images
from support.replay import Replay

WHOLE = 1000
"""A band higher than any map: layer by layer."""
BANDS = (1, 2, 3, WHOLE)


def check_plan(graph: Graph, plan: Plan) -> None:
    Replay(graph, plan).run()
    for one, two in combinations(plan.items, 2):
        apart = one.offset + one.bytes <= two.offset or two.offset + two.bytes <= one.offset
        assert apart or not one.live & two.live, f"{one.name} and {two.name}"
    end = max(item.offset + item.bytes for item in plan.items)
    assert plan.arena_bytes == round_up(end, 16)
    step, items = plan.peak()
    assert 0 <= step < len(plan.steps)
    assert sum(item.bytes for item in items) <= plan.arena_bytes
    assert all(item.offset % 16 == 0 for item in plan.items)


@pytest.mark.parametrize(
    "name",
    [  # each is a compilation with sanitizers: `make quick` takes every fifth
        pytest.param(name, marks=(pytest.mark.slow,) if place % 5 else ())
        for place, name in enumerate(NETWORKS)
    ],
)
def test_small_networks(name: str, runtime: Runtime) -> None:
    """In four band heights at once: places by replay, results by C with sanitizers."""
    graph = read_graph(NETWORKS[name]())
    plans = [make_plan(graph, bands=Bands(band)) for band in BANDS]
    for plan in plans:
        check_plan(graph, plan)
    inputs = images(graph.tensors[graph.input].hwc)
    golden = run_observed(graph, inputs, len(inputs))
    for band, outputs in zip(BANDS, runtime.run(graph, plans, inputs), strict=True):
        for output, expected in zip(outputs, golden, strict=True):
            np.testing.assert_array_equal(output, expected, f"bands of {band}")


def test_the_replay_sees_lower_rings_and_shared_places() -> None:
    graph = read_graph(NETWORKS["residual_over_several_operators"]())
    plan = make_plan(graph)
    for storage, ring in plan.rings.items():
        lower = {**plan.rings, storage: replace(ring, ring_rows=ring.ring_rows - 1)}
        if ring.ring_rows > 1:
            with pytest.raises(AssertionError):
                Replay(graph, replace(plan, rings=lower)).run()
    tall = max(plan.rings.values(), key=lambda ring: ring.ring_rows)
    moved = {key: replace(ring, offset=tall.offset) for key, ring in plan.rings.items()}
    with pytest.raises(AssertionError):
        Replay(graph, replace(plan, rings=moved)).run()
    for cut in range(len(plan.steps) - 1):
        steps = plan.steps[:cut] + plan.steps[cut + 1 :]
        with pytest.raises(AssertionError):
            Replay(graph, replace(plan, steps=steps)).run()


@pytest.mark.parametrize("name", SHARED_NAMES)
def test_whole_networks(name: str) -> None:
    graph = read_graph(shared_model(name))
    plans = [make_plan(graph, bands=Bands(band)) for band in (*BANDS[:3], WHOLE)]
    for plan in plans:
        check_plan(graph, plan)
    sizes = [plan.arena_bytes for plan in plans]
    assert sizes == sorted(sizes), "higher bands take more RAM"
    steps = [len(plan.steps) for plan in plans]
    assert steps == sorted(steps, reverse=True), "and fewer steps"


def test_a_lower_part_that_comes_first_keeps_its_place() -> None:
    """Two parts of one map below each other, the lower one made first and read at once."""
    graph = read_graph(NETWORKS["transposed_part"]())
    plan = make_plan(graph)
    Replay(graph, plan).run()
    (number,) = (number for number, item in plan.rings.items() if item.name == "layer7")
    ring = plan.rings[number]
    lower = {**plan.rings, number: replace(ring, ring_rows=ring.ring_rows - 1)}
    with pytest.raises(AssertionError):
        Replay(graph, replace(plan, rings=lower)).run()


def test_rows_are_made_once() -> None:
    graph = read_graph(NETWORKS["dense_blocks"]())
    plan = make_plan(graph)
    height = graph.tensors[graph.input].hwc[0]
    assert plan.steps.count(STEP_INPUT) == height
    assert plan.steps.count(STEP_END) == 1
    for index, item in enumerate(plan.ops):
        assert plan.steps.count(index) == height, item.op.name


def test_the_same_graph_gives_the_same_plan() -> None:
    graph = read_graph(NETWORKS["dense_blocks"]())
    assert make_plan(graph, bands=Bands(2)) == make_plan(graph, bands=Bands(2))


def test_bands_by_map_height() -> None:
    net = Network((12, 4, 2))
    low = net.conv(net.conv(net.input, 3, (3, 3)), 3, (3, 3), (2, 2))
    graph = read_graph(net.build(net.conv(low, 2, (3, 3))))
    plan = make_plan(graph, bands=Bands(by_height={6: 2}))
    assert [item.band_units for item in plan.ops] == [1, 2, 2]
    check_plan(graph, plan)


@pytest.mark.parametrize("name", ["fire", "dense_blocks", "residual_over_several_operators"])
def test_every_plan_of_the_search_is_sound(name: str) -> None:
    graph = read_graph(NETWORKS[name]())
    candidates = [choose(graph, PlanRequest("portable", goal)) for goal in Goal]
    limit = candidates[0].plan.arena_bytes + 40
    candidates += [
        *curve(graph, "portable"),
        choose(graph, PlanRequest("portable", Goal.SPEED, limit)),
    ]
    for candidate in candidates:
        check_plan(graph, candidate.plan)
    assert candidates[-1].plan.arena_bytes <= limit


def test_layers_by_layers_hold_whole_maps() -> None:
    net = Network((9, 4, 4))
    graph = read_graph(net.build(net.conv(net.conv(net.input, 4, (3, 3)), 4, (3, 3))))
    one, whole = make_plan(graph), make_plan(graph, bands=Bands(WHOLE))
    rows = [item.ring_rows for item in one.rings.values()]
    assert sorted(rows) == [3, 3, 9], "two windows of three rows, and the output that is read whole"
    assert [item.ring_rows for item in whole.rings.values()] == [9, 9, 9]
    assert len(whole.steps) == 9 + 2 + 1


def test_expand_convolutions_share_rows() -> None:
    plan = make_plan(read_graph(NETWORKS["fire"]()))
    storages = [slot.storage for slot in plan.slots if slot]
    assert len(plan.ops) == 5, "the concatenation costs no operator"
    assert len(storages) - len(set(storages)) == 2, (
        "both expand outputs are in the concatenated one"
    )


def test_graph_with_a_tensor_nobody_uses(runtime: Runtime) -> None:
    graph = read_graph(NETWORKS["fire"]())
    spare = Tensor("spare", (1, 3, 3, 2), graph.tensors[graph.input].quantization)
    graph = replace(graph, tensors=(*graph.tensors, spare))
    check_plan(graph, make_plan(graph))
    inputs = images(graph.tensors[graph.input].hwc)
    ((output,),) = runtime.run(graph, [make_plan(graph)], inputs)
    np.testing.assert_array_equal(output, run_observed(graph, inputs)[0])


def chain(length: int) -> Graph:
    """Softmax after softmax: the smallest operators there are."""
    tensor = Tensor("t", (1, 1, 1, 2), read_graph(NETWORKS["fire"]()).tensors[0].quantization)
    ops: tuple[Op, ...] = tuple(Softmax(f"softmax{k}", (k,), k + 1, 1.0) for k in range(length))
    return Graph((tensor,) * (length + 1), ops, (0,), (length,), "")


def test_operators_that_a_byte_cannot_name(runtime: Runtime) -> None:
    graph = chain(300)
    plan = make_plan(graph)
    assert len(plan.steps) == 300 + 2
    code = coded_steps(plan.steps)
    assert len(code) == len(plan.steps) + 2 * (300 - CODED_FAR)
    inputs = images(graph.tensors[graph.input].hwc, 2)
    ((output, *_),) = runtime.run(graph, [plan], inputs)
    np.testing.assert_array_equal(output, run_observed(graph, inputs)[0])


def test_most_operators() -> None:
    with pytest.raises(ModelError, match="1025 operators, the runtime takes 1024"):
        make_plan(chain(1025))
