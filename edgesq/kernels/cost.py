"""Estimate what operators take in instructions; constants measured in the emulator.

Here stands what all families share: portable kernels, which every family falls back to, and how
tiles and decoding add to a convolution. A family's own kernels are priced beside them. `make bench
BENCH=--estimates` shows how far off estimates are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.counts import (
    portable_counts,
    portable_kind,
    priced,
    value_counts,
    value_kind,
)
from edgesq.kernels.decoding import Decoding, band_instructions
from edgesq.kernels.groups import group_count, group_graph
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D, Convolution, DepthwiseConv2D, GroupedConv2D

_TILE_INSTRUCTIONS = 40
"""To begin a tile in a row."""

_TABLED_INSTRUCTIONS = 27
"""To make a channel's part of a table of requantization."""

_TAPS_INSTRUCTIONS = 60.0
"""The same of a depthwise convolution, weights included."""

_PORTABLE = {
    "CONV_2D": {"macs": 6.0, "taps": 15.1, "values": 80.5, "window rows": 6.4},
    "FULLY_CONNECTED": {"macs": 6.0, "values": 94.3},
    "DEPTHWISE_CONV_2D": {"macs": 9.7, "values": 78.4},
    "CONV_2D of int16": {"macs": 4.1, "window rows": 42.0, "values": 112.0},
    "FULLY_CONNECTED of int16": {"macs": 4.1, "values": 357.0},
    "DEPTHWISE_CONV_2D of int16": {"macs": 7.0, "window rows": 13.0, "values": 70.0},
    "DEPTHWISE_CONV_2D, four channels": {
        "macs": 5.6,
        "values": 52.9,
        "window rows": 2.0,
        "pixels": 58.0,
    },
}
"""By operator, of a Cortex-M3: per count of `portable_counts`."""


def _nothing(*_: object) -> float:
    return 0.0


@dataclass(frozen=True)
class Prices:
    """What a family's kernels take in instructions.

    Attributes:
        values: of operators without weights, by `value_kind`, and "a move" for all others: per
            value in and out.
        summed: per output value that goes into a mean's sums.
        decoding: to decode a weight.
        conv: estimates a convolution over weights that lie in the family's packing.
        unpacking: estimates what it takes to set out all windows once, again for each tile.
        depthwise: estimates a depthwise convolution that computes some pixels together.
    """

    values: Mapping[str, Mapping[str, float]]
    summed: float
    decoding: Decoding
    conv: Callable[[Graph, Conv2D, Kernel], float] = _nothing
    unpacking: Callable[[Graph, Conv2D, Kernel], float] = _nothing
    depthwise: Callable[[Graph, DepthwiseConv2D, int], float] = _nothing


def operator_instructions(prices: Prices, graph: Graph, item: RowOp) -> float:
    """Estimate what an operator takes per image, apart from its rows and steps."""
    conv, kernel = item.first, item.kernel
    if isinstance(conv, GroupedConv2D) and kernel.form is Form.GROUPS:
        own, part = group_graph(graph, conv, 0)
        return group_count(graph, conv) * _convolution(prices, own, item, part)
    if not isinstance(conv, Conv2D):
        return _other(prices, graph, item)
    cost = _convolution(prices, graph, item, conv)
    kept = kernel.coded or kernel.tabled
    if kept is None:
        return cost
    height, _, channels = graph.tensors[conv.output].hwc
    tiles = ceil_div(channels, kept.tile)
    cost += (tiles - 1) * prices.unpacking(graph, conv, kernel)
    cost += tiles * height * _TILE_INSTRUCTIONS
    if kernel.tabled:
        return cost + bands_of(graph, item) * channels * float(_TABLED_INSTRUCTIONS)
    return cost + decoding_instructions(prices.decoding, graph, item)


def _other(prices: Prices, graph: Graph, item: RowOp) -> float:
    """Estimate a depthwise or grouped convolution, or an operator without weights."""
    op, pixels = item.op, item.kernel.pixels
    if isinstance(op, DepthwiseConv2D) and pixels:
        return prices.depthwise(graph, op, pixels) + _taps_instructions(graph, item)
    if isinstance(op, Convolution):
        return _portable(graph, op)
    rates = prices.values.get(value_kind(graph, item), prices.values["a move"])
    return priced(rates, value_counts(graph, op))


def _taps_instructions(graph: Graph, item: RowOp) -> float:
    """Estimate what it takes to make a depthwise convolution's table, and to begin its parts."""
    tabled = item.kernel.tabled
    if tabled is None:
        return 0.0
    height, _, channels = graph.tensors[item.op.output].hwc
    made = bands_of(graph, item) * channels * _TAPS_INSTRUCTIONS
    return made + height * (ceil_div(channels, tabled.tile) - 1) * _TILE_INSTRUCTIONS


def _portable(graph: Graph, op: Convolution) -> float:
    return priced(_PORTABLE[portable_kind(graph, op)], portable_counts(graph, op))


def _convolution(prices: Prices, graph: Graph, item: RowOp, conv: Conv2D) -> float:
    """Estimate a convolution's kernel, and what goes into a mean's sums straight from it."""
    kernel = item.kernel
    cost = prices.conv(graph, conv, kernel) if kernel.pixels else _portable(graph, conv)
    if item.feeder is None:
        return cost
    return cost + float(np.prod(graph.tensors[item.feeder.output].shape)) * prices.summed


def decoding_instructions(decoding: Decoding, graph: Graph, item: RowOp) -> float:
    """Estimate what it takes to decode all weights in each band."""
    conv, coded = item.first, item.kernel.coded
    if coded is None or not isinstance(conv, Conv2D):
        return 0.0
    return bands_of(graph, item) * band_instructions(
        graph, conv.weights, decoding, coded.table_bits
    )


def bands_of(graph: Graph, item: RowOp) -> int:
    """Return the bands in which a convolution is computed."""
    return ceil_div(graph.tensors[item.first.output].hwc[0], item.band_units)
