"""Values moved, padding folded into windows, and grouped convolutions, on the boards' kernels."""

from pathlib import Path

import pytest
from emulated_cases import Case, differing, skip_without_tools
from moved_cases import MOVED
from networks import RECTIFIED, Network, images
from tflite_builder import RELU, VALID

from edgesq.formats.tflite import read_graph
from edgesq.plan import work

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


@pytest.mark.parametrize("board", BOARDS)
def test_equal_to_the_reference(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_tools()
    monkeypatch.setattr(work, "ARENA_GROWTH", 0.01)
    assert differing(tmp_path, board, [*moved_cases(), *padded_cases()]) == []


def test_winograd_of_any_padding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_without_tools()
    monkeypatch.setattr(work, "_worth_winograd", lambda *_: {0: (work.WINOGRAD_PIXELS,)})
    monkeypatch.setattr(work, "ARENA_GROWTH", 0.01)
    cases = [case for case in padded_cases() if case.name.startswith("conv 16 stride 1")]
    assert cases
    assert differing(tmp_path, "mps2-an500", cases) == []
