"""Weights decoded while the network runs: the same values on every kernel family, for any tile."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cases import NETWORKS
from crun import Runtime
from emulated_cases import Case, all_streamed, differing, skip_without_tools
from kernel_cases import all_cases

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import Plan, make_plan
from edgesq.reference import run_observed

BOARDS = ("mps2-an500", "mps3-an547", "microbit")
ROOM_BYTES = 1 << 20


def streamed_plan(graph: Graph, bands: int, limit_bytes: int | None = None) -> Plan:
    outputs = all_streamed(graph, "portable")
    plan = make_plan(graph, bands, "portable", None, outputs, limit_bytes)
    assert sum(item.streamed is not None for item in plan.ops) == len(outputs)
    return plan


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_portable_networks(name: str, runtime: Runtime) -> None:
    graph = read_graph(NETWORKS[name]())
    if not all_streamed(graph, "portable"):
        pytest.skip("no convolution")
    shape = (2, *graph.tensors[graph.input].hwc)
    images = np.random.default_rng(1).integers(-128, 128, shape).astype(np.int8)
    plans = [
        streamed_plan(graph, 1),
        streamed_plan(graph, 2, ROOM_BYTES),
        streamed_plan(graph, 1000),
    ]
    for values in runtime.run(graph, plans, images):
        for got, expected in zip(values, run_observed(graph, images), strict=True):
            assert np.array_equal(got, expected.reshape(len(images), -1))


def streamed_cases(kernels: str) -> list[Case]:
    """Cases with a stream, one in three with all weights decoded together."""
    streamed = [
        replace(case, streamed=True, limit_bytes=ROOM_BYTES if index % 3 == 0 else None)
        for index, case in enumerate(all_cases())
    ]
    return [case for case in streamed if all_streamed(case.graph, kernels)]


@pytest.mark.parametrize("board", BOARDS)
def test_kernels_on_boards(board: str, tmp_path: Path) -> None:
    skip_without_tools()
    kernels = {"mps2-an500": "dsp", "mps3-an547": "mve", "microbit": "portable"}[board]
    assert differing(tmp_path, board, streamed_cases(kernels)) == []
