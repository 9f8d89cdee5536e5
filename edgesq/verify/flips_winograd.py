"""Find the flipped bit in transformed weights of Winograd's F(4, 3) that explains a channel.

A transformed weight counts for a whole column of a tile, and its flip leaves sums that 24 no longer
divides, so nothing like it is seen with other kernels. Mirror: firmware/src/dsp/esq_winograd_dsp.c.
"""

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    Int64Array,
    as_int32,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
)
from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.dsp.winograd import TRANSFORM
from edgesq.operators import Conv2D
from edgesq.reference import conv2d_sums, conv2d_windows
from edgesq.verify.case import Case

_TILE_PIXELS, _TILE_COLUMNS = 4, 6
_INVERSE_OF_3 = 0xAAAAAAAB
_RESTS = (3, 2, 1, 1)
"""Shifts that, with the inverse of 3, divide a tile's four results."""

_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.int64,
)
"""From six columns to the values that transformed weights are multiplied with."""

_OUTPUT = np.array(
    [[6, -4, -4, 1, 1, 0], [0, -2, 2, 1, -1, 0], [0, -1, -1, 1, 1, 0], [0, -1, 1, 2, -2, 6]],
    np.int64,
)
"""From the six sums of products to 24 / 2^(3 - rest) times the four results."""

_SCREEN_TILES = 6
_CHUNK = 4096


class WinogradLayer:
    """A convolution by Winograd, all cases after each other.

    Tiles are four output pixels of a row; those beside the image are computed and dropped.
    """

    def __init__(self, graph: Graph, op: Conv2D, cases: list[Case]) -> None:
        self.graph, self.op = graph, op
        windows = [conv2d_windows(graph, op, case.values[op.inputs[0]]) for case in cases]
        self.tiles = np.concatenate([self._tiles(case) for case in cases])
        self.sums = np.concatenate([self._grid(conv2d_sums(graph, op, each)) for each in windows])
        outputs = [case.output.reshape(-1, case.output.shape[2]) for case in cases]
        self.got = np.concatenate([self._grid(output.astype(np.int64)) for output in outputs])
        right = [case.expected.reshape(-1, case.output.shape[2]) for case in cases]
        self.expected = np.concatenate([self._grid(values.astype(np.int64)) for values in right])
        height, width, _ = graph.tensors[op.output].hwc
        there = np.ones((height * width, 1), np.int64)
        self.there = np.concatenate([self._grid(there)[..., 0] for _ in cases]).astype(bool)

    def explain(self, channel: int) -> list[str]:
        """Return the names of the bits that give all of a channel."""
        wrong = ((self.got != self.expected)[..., channel] & self.there).any(axis=1)
        screen = np.flatnonzero(wrong)[:: ceil_div(int(wrong.sum()), _SCREEN_TILES)]
        every = np.arange(len(self.tiles))
        weights = self._transformed(channel)
        places = np.argwhere(np.ones_like(weights, dtype=bool))
        names = []
        for bit in range(16):
            delta = ((weights ^ 1 << bit) + (1 << 15) & 0xFFFF) - (1 << 15) - weights
            for start in range(0, len(places), _CHUNK):
                part = places[start : start + _CHUNK]
                fits = self._gives(channel, screen, part, delta)
                names += [
                    self._name(channel, bit, place)
                    for place in part[fits]
                    if self._gives(channel, every, place[np.newaxis], delta).all()
                ]
        return names

    def _name(self, channel: int, bit: int, place: NDArray[np.int64]) -> str:
        column, row, value = (int(at) for at in place)
        stands_for = f"[{channel}, {row}, 0 to 2, {value}]"
        return f"bit {bit} of weight {column} of the six that stand for weights {stands_for}"

    def _transformed(self, channel: int) -> Int64Array:
        """Return a channel's transformed weights, [6, H, C]."""
        weights = self.graph.constant(self.op.weights)
        plain = weights[channel].astype(np.int64)
        return np.asarray(np.einsum("iw,hwc->ihc", TRANSFORM, plain), np.int64)

    def _grid(self, values: Int64Array) -> Int64Array:
        """Return values [P, n] as tiles [H * tiles, 4, n], zero beside the image."""
        height, width, _ = self.graph.tensors[self.op.output].hwc
        rows = values.reshape(height, width, -1)
        beside = -width % _TILE_PIXELS
        padded = np.pad(rows, ((0, 0), (0, beside), (0, 0)))
        return np.asarray(padded.reshape(-1, _TILE_PIXELS, rows.shape[2]), np.int64)

    def _tiles(self, case: Case) -> Int64Array:
        """Return what transformed weights are multiplied with, [H * tiles, 6, kernel rows, C]."""
        window = self.op.window
        source = self.graph.tensors[self.op.inputs[0]]
        height, width, _ = self.graph.tensors[self.op.output].hwc
        tiles = ceil_div(width, _TILE_PIXELS)
        columns = tiles * _TILE_PIXELS + 2
        offset = case.values[self.op.inputs[0]].astype(np.int64) - source.zero_point
        right = max(columns - window.pad_left - offset.shape[1], 0)
        below = max(height + window.height - 1 - window.pad_top - offset.shape[0], 0)
        padded = np.pad(offset, ((window.pad_top, below), (window.pad_left, right), (0, 0)))
        views = np.lib.stride_tricks.sliding_window_view(
            padded[:, :columns], (window.height, _TILE_COLUMNS), (0, 1)
        )[:height, ::_TILE_PIXELS]  # [H, tiles, C, kernel rows, 6]
        flat = views.reshape(-1, *views.shape[2:])
        return np.asarray(np.einsum("ix,tcyx->tiyc", _INPUT, flat), np.int64)

    def _gives(
        self, channel: int, tiles: NDArray[np.int64], places: NDArray[np.int64], delta: Int64Array
    ) -> NDArray[np.bool_]:
        """Say of each place whether its weight's flip gives a channel's values in some tiles."""
        column, row, value = places.T
        seen = self.tiles[tiles][:, column, row, value].T[..., np.newaxis]  # [n, tiles, 1]
        added = delta[column, row, value][:, None, None] * seen * _OUTPUT.T[column][:, np.newaxis]
        rests = np.array(_RESTS)
        scale = 24 >> (3 - rests)
        part = as_int32(
            scale * self.sums[tiles][..., channel] - scale * self._bias(channel) + added
        )
        quotient = ((part >> rests) & 0xFFFFFFFF) * _INVERSE_OF_3 & 0xFFFFFFFF
        results = self._finish(as_int32(quotient + self._bias(channel)), channel)
        same = (results == self.got[tiles][..., channel]) | ~self.there[tiles]
        return np.asarray(same.all(axis=(1, 2)))

    def _bias(self, channel: int) -> int:
        bias = self.graph.constant(self.op.bias)
        return int(bias[channel])

    def _finish(self, sums: Int64Array, channel: int) -> Int64Array:
        multiplier, shift = conv2d_multipliers(self.graph, self.op)
        doubled = as_int32(sums << 1) >> 1  # as the kernel doubles them
        scaled = multiply_by_quantized_multiplier(doubled, multiplier[channel], shift[channel])
        zero_point = self.graph.tensors[self.op.output].zero_point
        return np.asarray(np.clip(scaled + zero_point, *self.op.clamp), np.int64)
