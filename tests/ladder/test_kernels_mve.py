"""Kernels on MVE equal the numpy reference, at the edges of what is exact."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesq.formats.tflite import read_graph
from edgesq.kernels.mve.pack import (
    Order,
    ohwi,
    ordered,
    pack_conv2d,
    pack_depthwise,
    pack_weights,
    unpack_weights,
)
from edgesq.operators import DepthwiseConv2D
from support.emulated_cases import Case, differing
from support.kernel_cases import (
    all_cases,
    conv_case,
    conv_of,
    edge_cases,
    random_cases,
    width_cases,
)
from support.networks import Network
from support.phased_cases import phased_cases
from support.tflite_builder import NONE
from support.weighted_cases import depthwise_random, depthwise_widths, weighted_cases

RELU_END: dict[str, Any] = {}
SIGNED_END: dict[str, Any] = {"activation": NONE, "output_zp": -3, "spread": 1.2}


def block_cases() -> list[Case]:
    """Channels by eights and sixteens: shared columns, rows beside the image left out."""
    return [
        conv_case(
            "blocks",
            400 + width,
            size=(height, width),
            kernel=kernel,
            channels=channels,
            outputs=outputs,
            input_zp=input_zp,
            **end,
        )
        for end in (RELU_END, SIGNED_END)
        for width in (1, 2, 3, 4, 5, 8)
        for height, kernel, channels, outputs, input_zp in (
            (5, (3, 3), 16, 8, -128),
            (5, (3, 3), 24, 8, -128),
            (4, (5, 3), 16, 4, 9),
            (2, (1, 1), 16, 8, 5),
            (2, (1, 1), 32, 8, -128),
            (3, (1, 3), 8, 4, 1),
            (2, (3, 3), 48, 4, 3),
            (1, (3, 3), 16, 4, -128),
            (3, (2, 2), 32, 12, 7),
            (4, (5, 5), 16, 4, -128),
            (2, (1, 1), 64, 6, -128),
        )
    ]


@pytest.mark.emulated
def test_equal_to_the_reference(tmp_path: Path) -> None:
    assert differing(tmp_path, "mps3-an547", [*all_cases(), *block_cases()]) == []


@pytest.mark.emulated
def test_weighted_equal_to_the_reference(tmp_path: Path) -> None:
    assert differing(tmp_path, "mps3-an547", [*weighted_cases(), *phased_cases()]) == []


def test_cases_reach_every_path() -> None:
    cases = [*random_cases(), *width_cases(), *edge_cases(), *block_cases()]
    finishes = {pack_conv2d(case.graph, conv_of(case.graph)).finish for case in cases}
    assert finishes == {"any", "relu", "signed", "slide", "slide_signed"}


def test_depthwise_cases_reach_every_path() -> None:
    paths = set()
    for case in (*depthwise_random(), *depthwise_widths()):
        (op,) = case.graph.ops
        assert isinstance(op, DepthwiseConv2D)
        window = op.window
        square = (window.height, window.width) == (3, 3)
        way = window.stride_w if square and window.stride_w in (1, 2) else 0
        paths.add((pack_depthwise(case.graph, op).finish, way))
    assert paths == {(finish, way) for finish in ("relu", "any") for way in (0, 1, 2)}


def test_depthwise_windows_stand_column_by_column() -> None:
    net = Network((4, 5, 3))
    graph = read_graph(net.build(net.depthwise(net.input, (2, 3), each=2)))
    (op,) = graph.ops
    assert isinstance(op, DepthwiseConv2D)
    weights = graph.tensors[op.weights].data
    assert weights is not None
    packed = pack_depthwise(graph, op).weights.reshape(-1, 16)
    assert not packed[0].any(), "shifted windows begin before the first channel"
    assert not packed[1:, 6:].any()
    for column in range(3):
        for row in range(2):
            assert np.array_equal(packed[1:, 2 * column + row], weights[0, row, column])


@pytest.mark.parametrize("channels", [1, 2, 5, 8])
@pytest.mark.parametrize(
    ("order", "shape"),
    [
        (Order.ROWS, (1, 1, 3)),
        (Order.ROWS, (3, 3, 3)),
        (Order.COLUMNS, (2, 3, 8)),
        (Order.SLIDE, (2, 3, 16)),
        (Order.SLIDE, (1, 3, 48)),
    ],
)
def test_packing_loses_nothing(channels: int, order: Order, shape: tuple[int, int, int]) -> None:
    weights = np.random.default_rng(channels).integers(-128, 128, (channels, *shape))
    rows = ordered(weights.astype(np.int8), order)
    packed = pack_weights(rows, order)
    unpacked = unpack_weights(packed, channels, rows.shape[1], order)
    assert np.array_equal(ohwi(unpacked, weights.shape, order), weights)
