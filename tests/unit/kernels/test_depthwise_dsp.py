"""Depthwise weights for the DSP extension: nothing is lost, the short requantization is exact."""

from dataclasses import replace

import numpy as np
import pytest

from edgesq.arithmetic import conv2d_multipliers, multiply_by_quantized_multiplier, sum_range
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.kernels.dsp import depthwise as packing
from edgesq.operators import DepthwiseConv2D
from support.networks import RECTIFIED, USUAL, Network
from support.tflite_builder import NONE, RELU
from support.weighted_cases import depthwise_odd, depthwise_random, depthwise_widths


def depthwise(
    seed: int, quant: tuple[float, int] = RECTIFIED, activation: int = RELU
) -> tuple[Graph, DepthwiseConv2D]:
    net = Network((4, 5, 16), RECTIFIED, seed)
    graph = read_graph(net.build(net.depthwise(net.input, activation=activation, quant=quant)))
    (op,) = graph.ops
    assert isinstance(op, DepthwiseConv2D)
    return graph, op


def halfword(words: np.ndarray, place: int, upper: int) -> np.ndarray:
    lanes = (words[:, place].astype(np.int64) >> 16 * upper) & 0xFFFF
    return (lanes ^ 0x8000) - 0x8000


@pytest.mark.parametrize("seed", range(6))
def test_every_sum_ends_as_in_the_reference(seed: int) -> None:
    graph, op = depthwise(seed)
    packed = packing.pack(graph, op)
    assert not packed.ends.any(), "all by the shortest end"
    weights, bias = graph.tensors[op.weights].data, graph.tensors[op.bias].data
    assert weights is not None
    assert bias is not None
    rows = weights.reshape(9, -1).T.astype(np.int64)
    low, high = sum_range(rows, bias.astype(np.int64), -128)
    multiplier, shift = conv2d_multipliers(graph, op)
    table = packed.table.astype(np.int64)
    table = (table ^ (1 << 31)) - (1 << 31)
    for channel in range(0, 16, 3):
        sums = np.arange(low[channel], high[channel] + 1, 7)
        scale = int(halfword(packed.table[[channel]], 0, 0)[0] / rows[channel, 0] + 0.5)
        quick = ((sums * scale * table[channel, 6] >> 32) + table[channel, 7]) >> packing.SHIFT
        exact = multiply_by_quantized_multiplier(sums, multiplier[channel], shift[channel]) - 128
        assert np.array_equal(np.clip(quick, -128, 127), np.clip(exact, -128, 127))


def test_weights_come_back() -> None:
    graph, op = depthwise(1, USUAL, NONE)
    packed = packing.pack(graph, op)
    assert set(packed.ends.tolist()) == {packing.LINEAR}, "zero point -5, which nothing clamps at"
    weights = graph.tensors[op.weights].data
    assert weights is not None
    places = [
        ((0, 0), (1, 0)),
        ((0, 1), (1, 1)),
        ((0, 2), (1, 2)),
        ((2, 0), (2, 1)),
        ((2, 1), (2, 2)),
    ]
    for place, pair in enumerate(places):
        for upper, (row, column) in enumerate(pair):
            doubled = 2 * weights[0, row, column].astype(np.int64)
            assert np.array_equal(halfword(packed.table, place, upper), doubled)


@pytest.mark.parametrize("wrong", [(1, 0), (0, 40)])
def test_an_inexact_ending_is_seen(wrong: tuple[int, int]) -> None:
    """A multiplier of half the bits, or a constant that is off by a hundredth of a level."""
    graph, op = depthwise(2)
    multiplier, shift = conv2d_multipliers(graph, op)
    low, high = np.full(16, -(1 << 18)), np.full(16, 1 << 18)
    scale = packing.SHIFT + 1 + shift
    constant = (1 << 11 + shift) + (1 << 11) - (128 << packing.SHIFT)
    good = packing.Short(scale, multiplier, constant, np.ones(16, bool))
    assert packing.agrees(multiplier, shift, good, low, high).all()
    coarse = multiplier >> 16 << 16 if wrong[0] else multiplier
    bad = replace(good, multiplier=coarse, constant=constant + wrong[1])
    assert not packing.agrees(multiplier, shift, bad, low, high).any()


def test_cases_reach_every_path() -> None:
    paths = set()
    for case in (*depthwise_random(), *depthwise_widths(), *depthwise_odd()):
        (op,) = case.graph.ops
        assert isinstance(op, DepthwiseConv2D)
        if packing.fits(case.graph, op):
            ends = packing.ends(case.graph, op).tolist()
            paths |= {(end, op.window.stride_w) for end in ends}
    every = (packing.RELU, packing.LINEAR, packing.ANY)
    assert paths == {(end, stride) for end in every for stride in (1, 2)}
