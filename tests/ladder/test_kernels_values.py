"""Kernels that take values one by one or two by two equal the numpy reference on every core."""

from pathlib import Path

import numpy as np
import pytest

from edgesq.formats.tflite import read_graph
from edgesq.plan import PlanRequest, make_plan
from support.crun import Runtime
from support.emulated_cases import Case, differing
from support.host_cases import differing_here
from support.networks import FINER, RECTIFIED, USUAL, Network, images
from support.tflite_builder import NONE, RELU6
from support.value_cases import VALUE_NETWORKS

BOARDS = {"mps2-an386": "dsp", "mps2-an500": "dsp", "mps3-an547": "mve", "microbit": "scalar"}


def case(name: str, content: bytes) -> Case:
    graph = read_graph(content)
    return Case(name, graph, images(graph.tensors[graph.input].hwc, 2))


def of_width(channels: int) -> bytes:
    """Every kernel on pixels of so many channels, side by side and with gaps between them."""
    net = Network((2, 3, channels), USUAL, seed=channels)
    one = net.unary(net.input, "RELU", RECTIFIED)
    two = net.conv(net.input, channels, quant=FINER)
    steps = [net.binary(one, two, kind, USUAL) for kind in ("ADD", "SUB", "MUL")]
    shape = (channels,)
    steps.append(net.by_constant(one, "MUL", shape, (0.0071, 3), USUAL))
    steps.append(net.by_constant(two, "MUL", shape, (0.9, -100), USUAL, RELU6))
    steps.append(net.by_constant(two, "ADD", shape, FINER, USUAL, NONE))
    steps.append(net.by_constant(one, "SUB", shape, FINER, USUAL, NONE, first=True))
    joined = net.concat(steps)
    pixel = net.mean(joined, FINER)
    return net.build(net.binary(net.unary(joined, "HARD_SWISH", USUAL), pixel, "MUL", USUAL))


def cases() -> list[Case]:
    widths = [case(f"{width} channels", of_width(width)) for width in (*range(1, 10), 16, 19, 33)]
    return [*widths, *(case(name, build()) for name, build in VALUE_NETWORKS.items())]


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS)
def test_equal_to_the_reference(board: str, tmp_path: Path) -> None:
    some = cases()
    assert differing(tmp_path, board, some[:12] if board == "microbit" else some) == []


def test_equal_in_c(tmp_path: Path) -> None:
    """With sanitizers: the family that this computer runs, too."""
    assert differing_here(Runtime(tmp_path), tmp_path, "scalar", cases()) == []


@pytest.mark.parametrize("kernels", ["scalar", "dsp", "mve", "portable"])
def test_every_kernel_is_used(kernels: str) -> None:
    used = set()
    for one in cases():
        plan = make_plan(one.graph, PlanRequest(kernels))
        used |= {item.kernel.function for item in plan.ops}
    suffix = "" if kernels == "portable" else f"_{kernels}"
    names = {f"esq_run_{name}{suffix}" for name in ("mul", "affine")}
    of_mve = "_mve" if kernels == "mve" else ""
    names |= {f"esq_run_{name}{of_mve}" for name in ("lookup", "weighted_sum")}
    assert used >= names


def test_values_of_one_row_lie_side_by_side() -> None:
    """Both ways through a row are tried: with gaps between the pixels, and without."""
    graph = read_graph(of_width(8))
    plan = make_plan(graph, PlanRequest("dsp"))
    gaps = {
        slot.pixel_bytes != slot.channels
        for item in plan.ops
        if item.op.kind in ("ADD", "MUL", "HARD_SWISH") and (slot := plan.slots[item.output])
    }
    assert gaps == {True, False}
    assert np.prod(graph.tensors[graph.output].shape) == 2 * 3 * 56
