"""The portable kernels on a Cortex-M0 (QEMU's microbit), where a misaligned access is a fault."""

from pathlib import Path

from cases import NETWORKS
from emulated_cases import Case, differing, skip_without_tools
from networks import images

from edgesq.formats.tflite import read_graph

MAX_IMAGE_BYTES = 8_192
"""Images lie in 256 KB of flash next to weights and code."""


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


def test_every_operator_on_an_m0(tmp_path: Path) -> None:
    skip_without_tools()
    found = cases()
    assert len(found) > 20
    assert differing(tmp_path, "microbit", found) == []
