"""Values moved, padding folded into windows, and grouped convolutions, on the boards' kernels."""

from pathlib import Path

import pytest

from edgesq.formats.tflite import read_graph
from edgesq.kernels.dsp import squares, winograd
from edgesq.plan import packing, variants
from support.emulated_cases import Case, differing
from support.moved_cases import MOVED
from support.networks import FINER, RECTIFIED, USUAL, Network, images
from support.tflite_builder import RELU, SAME, VALID

BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547")


def padded_cases() -> list[Case]:
    """Every padding of up to two pixels on either side, for the kernels of 3 x 3 windows."""
    cases = []
    for channels, kind in ((4, "conv"), (16, "conv"), (8, "depthwise")):
        for stride in (1, 2):
            for before, after in ((0, 1), (1, 0), (2, 0), (0, 2), (2, 2), (1, 2)):
                net = Network((5, 6, channels), RECTIFIED)
                padded = net.pad(net.input, [(before, after), (after, before), (0, 0)])
                options = (stride, stride), VALID, RELU, RECTIFIED
                if kind == "conv":
                    step = net.conv(padded, 8, (3, 3), *options)
                else:
                    step = net.depthwise(padded, (3, 3), *options)
                graph = read_graph(net.build(step))
                assert "PAD" not in {op.kind for op in graph.ops}
                name = f"{kind} {channels} stride {stride} pads {before} {after}"
                cases.append(Case(name, graph, images((5, 6, channels), 1)))
    return cases


def moved_cases() -> list[Case]:
    graphs = {name: read_graph(build()) for name, build in MOVED.items()}
    return [
        Case(name, graph, images(graph.tensors[graph.input].hwc, 1), 1 + number % 3)
        for number, (name, graph) in enumerate(graphs.items())
    ]


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS)
def test_equal_to_the_reference(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "ARENA_GROWTH", 0.01)
    assert differing(tmp_path, board, [*moved_cases(), *padded_cases()]) == []


@pytest.mark.emulated
def test_winograd_of_any_padding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Along rows, and along both sides."""
    monkeypatch.setattr(variants, "grown_outputs", lambda _, ops, *__: {ops[0].op.output})
    monkeypatch.setattr(packing, "ARENA_GROWTH", 0.01)
    monkeypatch.setattr(squares, "instructions", lambda *_: 0.0)
    cases = [case for case in padded_cases() if case.name.startswith("conv 16 stride 1")]
    assert cases
    assert differing(tmp_path / "squares", "mps2-an500", cases) == []
    monkeypatch.setattr(squares, "fits", lambda *_: False)
    monkeypatch.setattr(winograd, "instructions", lambda *_: 0.0)
    assert differing(tmp_path / "rows", "mps2-an500", cases) == []


def grouped_cases() -> list[Case]:
    """Groups whose channels are no multiples of four, one wide, padded, strided, side by side."""
    cases = []
    for number, (groups, depth, each, kernel, stride, quant) in enumerate(
        [
            (2, 4, 4, (3, 3), 1, RECTIFIED),
            (2, 16, 8, (1, 1), 1, RECTIFIED),
            (4, 16, 4, (3, 3), 1, RECTIFIED),
            (3, 2, 1, (3, 3), 2, RECTIFIED),
            (2, 5, 3, (2, 3), 1, USUAL),
            (4, 3, 7, (1, 1), 2, FINER),
            (8, 2, 2, (3, 1), 1, RECTIFIED),
            (2, 8, 6, (5, 5), 1, FINER),
        ]
    ):
        net = Network((5, 7, groups * depth), RECTIFIED)
        step = net.conv(
            net.input, groups * each, kernel, (stride, stride), SAME, RELU, quant, groups=groups
        )
        both = net.concat([step, net.conv(step, groups, quant=quant, groups=groups)])
        graph = read_graph(net.build(net.conv(both, 4, quant=quant)))
        shape = (5, 7, groups * depth)
        cases.append(Case(f"groups {number}", graph, images(shape, 1), 1 + number % 3))
    return cases


@pytest.mark.emulated
@pytest.mark.parametrize("growth", [0.01, 1000])
@pytest.mark.parametrize("board", BOARDS)
def test_groups_equal_to_the_reference(
    board: str, growth: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "ARENA_GROWTH", growth)
    assert differing(tmp_path, board, grouped_cases()) == []
