"""The whole ladder on random networks of every operator; `make soak` draws more of them."""

import re
from pathlib import Path

import numpy as np
import pytest

from edgesq.formats.tflite import read_graph
from edgesq.formats.tflite.table import READABLES
from edgesq.graph import Graph, Int8Array
from edgesq.operators import STEPS, Convolution
from edgesq.reference.conv import convolution
from edgesq.reference.run import KERNELS
from support.cases import NETWORKS
from support.crun import Runtime
from support.emulated_cases import Case, run_cases
from support.graph_ladder import fault, problems
from support.networks import Network, images
from support.random_graphs import LAYERS, draw_graphs, smallest
from support.random_sketch import Drawn
from support.tflite_builder import SAME, VALID
from support.uint8_files import as_uint8

GRAPHS, ON_BOARDS = 50, 40
"""Networks of one seed: on this computer, on an emulated board."""

UNDRAWN = {"BATCH_TO_SPACE_ND", "CURVE", "DEQUANTIZE", "EXPAND_DIMS", "PADV2", "SQUEEZE", *STEPS}
"""Drawn as PAD or as a function, read as RESHAPE, or no operator of the graph."""


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in (1, 2, 3))]
)
def test_the_ladder_holds(number: int, runtime: Runtime, tmp_path: Path) -> None:
    found = fault(runtime, tmp_path, GRAPHS, number)
    if found:
        pytest.fail(found, pytrace=False)


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500", "mps3-an547", "riscv32-virt"])
def test_boards_compute_the_same(board: str, tmp_path: Path) -> None:
    drawn = draw_graphs(ON_BOARDS, 100)
    graphs = [read_graph(one.content) for one in drawn]
    cases = [
        Case(one.source, graph, images(graph.image_shape, 1), one.band)
        for one, graph in zip(drawn, graphs, strict=True)
    ]
    for case, output in zip(cases, run_cases(tmp_path, board, cases), strict=True):
        assert (output == case.expected()).all(), f"bands of {case.band_rows}:\n{case.name}"


def test_every_operator_is_drawn() -> None:
    assert set(READABLES) - UNDRAWN <= set(LAYERS)
    drawn = [one.layers for number in range(12) for one in draw_graphs(GRAPHS, number)]
    assert frozenset().union(*drawn) == set(LAYERS)
    assert sum(map(len, drawn)) > 2 * len(drawn), "most have several layers"


def evaluated(source: str) -> bytes:
    """Return the network that a printed function makes."""
    names: dict[str, object] = {
        "Network": Network,
        "network": lambda build: build,
        "as_uint8": as_uint8,
    }
    exec(source, names)
    found = names["found"]
    assert callable(found)
    content = found()
    assert isinstance(content, bytes)
    return content


def test_what_is_printed_makes_the_network() -> None:
    for one in draw_graphs(30, 5):
        assert evaluated(one.source) == one.content


@pytest.mark.slow
def test_a_fault_is_found_and_shrunk(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Convolutions end one column too far: one operator shows it, and few are printed."""

    def wrong(graph: Graph, op: Convolution, image: Int8Array) -> Int8Array:
        return np.roll(convolution(graph, op, image), 1, axis=1)

    for name in set(LAYERS) - {"CONV_2D", "FULLY_CONNECTED", "MAX_POOL_2D", "RELU", "PAD"}:
        monkeypatch.delitem(LAYERS, name)  # of more the way to the smallest network takes minutes
    monkeypatch.setitem(KERNELS, Convolution, wrong)
    found = fault(runtime, tmp_path, 20, 7)
    assert found
    assert re.search("numpy: (CONV_2D|FULLY_CONNECTED) ", found)
    source = found.partition("\n\n")[2]
    assert source.count(" = net.") <= 3, source
    monkeypatch.undo()
    one = Drawn(evaluated(source), source, 1)
    assert problems(runtime, tmp_path, [one]) == [None]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert smallest(10, 3, lambda _: None) is None


def test_a_refusal_is_a_problem(runtime: Runtime, tmp_path: Path) -> None:
    net = Network((40, 2, 1))
    content = net.build(net.conv(net.input, 1, (33, 1), padding=1))
    drawn = [Drawn(content, "", 1), Drawn(NETWORKS["fire"](), "", 1)]
    refused, good = problems(runtime, tmp_path, drawn)
    assert good is None
    assert refused
    assert refused.startswith("refused: layer")


@pytest.mark.parametrize("name", ["reshape_of_a_softmax", "reshape_of_a_map_of_softmax"])
def test_logits_are_observed_behind_a_reshape(name: str, runtime: Runtime, tmp_path: Path) -> None:
    content = NETWORKS[name]()
    graph = read_graph(content)
    assert graph.softmax is not None
    assert graph.observed == (graph.output, graph.softmax.inputs[0])
    bands = [Drawn(content, name, rows) for rows in (1, 4)]
    assert problems(runtime, tmp_path, bands) == [None, None]


def test_wide_channels_of_dilated_convolutions(runtime: Runtime, tmp_path: Path) -> None:
    net = Network((9, 8, 4))
    step = net.conv(net.input, 8, (3, 3), dilation=(2, 3), groups=2)
    step = net.depthwise(step, (3, 2), (1, 2), VALID, dilation=(1, 2), each=2)
    content = as_uint8(net.build(net.conv(step, 6, (2, 3), (2, 1), SAME, dilation=(1, 2))))
    found = [op for op in read_graph(content).ops if isinstance(op, Convolution)]
    assert all(op.wide is not None for op in found)
    assert problems(runtime, tmp_path, [Drawn(content, "", rows) for rows in (1, 3)]) == [None] * 2
