"""Operators that run fused: the same values as one after the other, in C with sanitizers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.kernel import Form
from edgesq.kernels.strips import strips_of
from edgesq.plan import Bands, Plan, make_plan
from edgesq.plan.draft import make_draft
from edgesq.plan.fusing import chains_of
from edgesq.plan.lower import lower
from edgesq.plan.packing import Packing
from edgesq.plan.request import Fusion
from edgesq.plan.walk import walk
from support.crun import Runtime
from support.emulated_cases import Case, differing
from support.ladder import LadderModels
from support.networks import Network, Pair, images
from support.tflite_builder import RELU, SAME, VALID

NAMES = ("demo", "mobilenet_v2_48", "mobilenet_48", "squeezenet_normalized")
ROWS = (1, 2, 3)
TOGETHER = 4
"""Plans in one program."""

POOLS: dict[str, tuple[Pair, Pair, int, tuple[int, int, int]]] = {
    "odd_same": ((3, 3), (2, 2), SAME, (9, 11, 3)),
    "even_same": ((3, 3), (2, 2), SAME, (8, 10, 3)),
    "valid_leftover_row": ((3, 3), (2, 2), VALID, (8, 12, 3)),
    "apart_same": ((2, 2), (2, 2), SAME, (7, 13, 3)),
    "every_row": ((2, 3), (1, 2), SAME, (5, 9, 2)),
    "gaps": ((1, 2), (3, 4), VALID, (11, 14, 2)),
    "one_row": ((3, 3), (2, 2), SAME, (1, 7, 2)),
}
"""Windows, strides, padding and images of max pools, each row of which begins when another ends."""

SOME_POOLS = ("odd_same", "apart_same", "gaps")


def chains(graph: Graph) -> list[Fusion]:
    lowered = lower(graph, Bands())
    return chains_of(graph, lowered.slots, lowered.ops)


def apart(fusions: Iterable[Fusion]) -> Iterator[frozenset[Fusion]]:
    """Yield chains of a model, all of them in as few sets as need be: none twice in one."""
    left = list(fusions)
    while left:
        taken: dict[Fusion, None] = {}
        for chain in left:
            if not any({*chain.outputs} & {*other.outputs} for other in taken):
                taken[chain] = None
        left = [chain for chain in left if chain not in taken]
        yield frozenset(taken)


def check(runtime: Runtime, tflite: bytes, plans: Sequence[Plan], inputs: Int8Array) -> None:
    graph = read_graph(tflite)
    golden = ReferenceInterpreter(tflite).observed(inputs)
    assert plans
    for first in range(0, len(plans), TOGETHER):
        some = plans[first : first + TOGETHER]
        for number, outputs in enumerate(runtime.run(graph, some, inputs), first):
            for output, expected in zip(outputs, golden, strict=True):
                np.testing.assert_array_equal(output, expected, f"plan {number}")


@pytest.mark.parametrize("name", NAMES)
def test_chains(name: str, ladder_models: LadderModels, runtime: Runtime) -> None:
    model = ladder_models[name]
    graph = read_graph(model.tflite)
    plans = [
        make_plan(graph, bands=Bands(rows=ROWS[number % len(ROWS)], fused=fused))
        for number, fused in enumerate(apart(chains(graph)))
    ]
    check(runtime, model.tflite, plans, model.inputs[:2])


@pytest.mark.parametrize("name", ["squeezenet_v1.1_10c_96"])
def test_running_maxima(name: str, ladder_models: LadderModels, runtime: Runtime) -> None:
    model = ladder_models[name]
    graph = read_graph(model.tflite)
    running = [fusion for fusion in chains(graph) if fusion.running]
    plans = [make_plan(graph, bands=Bands(fused=fused)) for fused in apart(running)]
    assert {item.kernel.form for plan in plans for item in plan.ops if item.chain} == {Form.RUNNING}
    check(runtime, model.tflite, plans, model.inputs[:2])


@pytest.mark.parametrize("name", POOLS)
def test_windows_of_running_maxima(name: str, runtime: Runtime) -> None:
    tflite, shape = pooled(name), POOLS[name][-1]
    graph = read_graph(tflite)
    found = [fusion for fusion in chains(graph) if fusion.running]
    assert sorted(len(fusion.outputs) for fusion in found) == [3, 4]
    plans = [plan for fusion in found for plan in in_strips(graph, fusion)]
    widths = {item.kernel.fused.columns for plan in plans for item in plan.ops if item.kernel.fused}
    assert min(widths) < graph.tensors[found[0].outputs[-1]].hwc[1]
    check(runtime, tflite, plans, images(shape))


def pooled(name: str) -> bytes:
    """Return a network with a max pool whose maxima may be kept."""
    window, stride, padding, shape = POOLS[name]
    net = Network(shape)
    made = net.depthwise(net.conv(net.input, 8, (3, 3), activation=RELU), (3, 3))
    squeezed = net.conv(net.max_pool(made, window, stride, padding), 5)
    return net.build(net.conv(squeezed, 3, (3, 3)))


def in_strips(graph: Graph, fusion: Fusion) -> Iterator[Plan]:
    """Yield a model's plans with one chain, in strips of the widths that there are."""
    draft = make_draft(graph, Bands(fused=frozenset({fusion})), frozenset(), walk)
    (item,) = (item for item in draft.lowered.ops if item.chain)
    for kernel in FAMILIES["portable"].kernels(graph, item, False):
        ops = (replace(one, kernel=kernel) if one == item else one for one in draft.lowered.ops)
        yield Packing(draft).packed(tuple(ops))


def test_running_maxima_make_each_row_once() -> None:
    net = Network((32, 32, 3))
    made = net.conv(net.input, 8, (3, 3))
    tflite = net.build(net.conv(net.max_pool(made, (3, 3), (2, 2)), 4))
    graph = read_graph(tflite)
    rows = {}
    for fusion in chains(graph):
        lowered = lower(graph, Bands(fused=frozenset({fusion})))
        (item,) = (item for item in lowered.ops if item.chain)
        assert item.chain is not None
        strips = strips_of(item.chain, item.band_units, 4)
        assert strips is not None
        rows[fusion.running, len(fusion.outputs)] = strips.rows_made
        if fusion.running:
            assert item.sums_bytes == 15 * 8
            assert walk(lowered, item).units == 31, "the last row is under no window"
    assert rows[True, 3] == (31, 15, 15)
    assert rows[False, 3] == (45, 15, 15)


@pytest.mark.emulated
@pytest.mark.parametrize("target", ["mps2-an500", "mps3-an547", "netduino2"])
def test_on_boards(target: str, ladder_models: LadderModels, tmp_path: Path) -> None:
    """By the kernels of each family."""
    model = ladder_models["mobilenet_v2_48"]
    found = [
        ("mobilenet_v2_48", read_graph(model.tflite), model.inputs[:1]),
        *((name, read_graph(pooled(name)), images(POOLS[name][-1])) for name in SOME_POOLS),
    ]
    cases = [
        Case(f"{name} {rows}", graph, inputs, rows, fused=some)
        for name, graph, inputs in found
        for rows, some in zip(cycle(ROWS), apart(chains(graph)), strict=False)
    ]
    assert {fusion.running for case in cases for fusion in case.fused} == {True, False}
    assert differing(tmp_path, target, cases) == []
