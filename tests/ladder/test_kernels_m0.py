"""Portable kernels on a Cortex-M0 (QEMU's microbit), where misaligned access faults, and an M3."""

from pathlib import Path

import pytest

from edgesq.builds import ensure_compiled
from edgesq.flash import flash, stop
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import Bands, Plan, PlanRequest, make_plan
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, verify
from support import faults
from support.builds import light_build
from support.cases import NETWORKS
from support.emulated_cases import Case, all_streamed, differing
from support.networks import Network, images

MAX_IMAGE_BYTES = 8_192
"""Images lie in 256 KB of flash next to weights and code."""

PARTS = 3
"""Images of firmware that all networks take."""


def cases() -> list[Case]:
    """Return every test network whose images are small, two images each."""
    graphs = {name: read_graph(content()) for name, content in NETWORKS.items()}
    sizes = {name: graph.tensors[graph.input].hwc for name, graph in graphs.items()}
    return [
        Case(name, graph, images(sizes[name])[:2], rows)
        for name, graph in graphs.items()
        for rows in (1, 2)
        if sizes[name][0] * sizes[name][1] * sizes[name][2] <= MAX_IMAGE_BYTES
    ]


@pytest.mark.emulated
@pytest.mark.parametrize("part", range(PARTS))
def test_every_operator_on_an_m0(part: int, tmp_path: Path) -> None:
    found = cases()[part::PARTS]
    assert len(found) > 20
    assert differing(tmp_path, "microbit", found) == []


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["microbit", "netduino2"])
def test_a_whole_firmware(board: str, tmp_path: Path) -> None:
    content = NETWORKS["every_operator"]()
    shape = read_graph(content).tensors[read_graph(content).input].hwc
    build = light_build(tmp_path / "build", board, content, images(shape))
    target = ensure_compiled(build, None, lambda _: None)
    flash(build, target)
    try:
        report = verify(VerifyOptions(build, count=3, timeout=60))
    finally:
        stop(build)
    assert (report.device.board, report.result.exact_images, report.result.differing_values) == (
        board,
        3,
        0,
    )
    assert report.device.stack_bytes is not None
    assert report.device.stack_bytes < target.stack_bytes / 2


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["microbit", "netduino2", "riscv32-virt"])
def test_decoded_convolutions_take_half_of_the_stack_at_most(board: str, tmp_path: Path) -> None:
    """All weights are decoded, in groups and before a mean: the deepest calls there are."""
    target = load_target(board)

    def decoded(graph: Graph, _: Plan) -> Plan:
        outputs = all_streamed(graph, target.kernels)
        return make_plan(graph, PlanRequest(target.kernels, coded=outputs), Bands(1))

    net = Network(faults.SHAPE)
    grouped = net.conv(net.conv(net.input, 16, (3, 3)), 16, (3, 3), groups=2)
    content = net.build(net.mean(net.conv(grouped, 24)))
    build = faults.make(tmp_path / "build", board, content, plan=decoded)
    flash(build, target)
    try:
        report = verify(VerifyOptions(build, count=2, timeout=60))
    finally:
        stop(build)
    assert report.result.differing_values == 0
    assert report.device.stack_bytes is not None
    assert report.device.stack_bytes < target.stack_bytes / 2
