"""How much of a convolution is in working memory at a time on scalar cores.

Mirror: firmware/src/scalar/esq_conv2d_scalar.c.
"""

from collections.abc import Iterator

import numpy as np

from edgesq.graph import Graph
from edgesq.integers import ceil_div, round_up
from edgesq.kernels.kernel import Held
from edgesq.operators import Conv2D

GROUP_TAPS = 4
"""Mirror: ESQ_SCALAR_TAPS."""

_PIXELS = (4, 2, 1)
"""Output pixels computed together, best first; where a row has fewer, as many as it has."""

FEW_CHANNELS = 8
"""Whose sums are held on the stack; where windows are set out whole, no more are held.

Mirror: ESQ_FEW_CHANNELS.
"""

_TILES = (64, 32, 16, FEW_CHANNELS)
"""The same where they are not, best first; before them all channels."""

_PARTS = (2, 3, 4, 6, 9, 12, 18)
"""In how many parts windows may be set out."""


def taps_of(graph: Graph, op: Conv2D) -> int:
    """Return the taps of a window, filled up: also the bytes of a channel's packed weights."""
    return round_up(int(np.prod(graph.tensors[op.weights].shape[1:])), GROUP_TAPS)


def work_bytes(pixels: int, held: Held) -> int:
    """Return the bytes of windows and sums. Mirror: esq_scalar_bytes."""
    tap_bytes = 1 if pixels == 1 else 2 * pixels
    held_channels = held.channels if held.channels > FEW_CHANNELS else 0
    return tap_bytes * held.taps + 4 * pixels * held_channels


def ways(graph: Graph, op: Conv2D) -> Iterator[tuple[int, Held]]:
    """Yield the numbers of pixels and what may be held for them, most and fastest first.

    Each takes less memory than all before it.
    """
    width = graph.tensors[op.output].hwc[1]
    least = None
    for pixels in _PIXELS:
        if pixels > 1 and width <= pixels // 2:
            continue
        for held in _held(graph, op):
            size = work_bytes(pixels, held)
            if least is None or size < least:
                least = size
                yield pixels, held


def _held(graph: Graph, op: Conv2D) -> Iterator[Held]:
    """Yield what may be held at a time: whole windows, then the fastest ways with less."""
    taps, channels = taps_of(graph, op), graph.tensors[op.output].hwc[2]
    yield Held(taps, min(channels, FEW_CHANNELS))
    tiles = (channels, *(tile for tile in _TILES if tile < channels))
    parts = sorted({round_up(ceil_div(taps, parts), GROUP_TAPS) for parts in _PARTS} - {taps})
    found = [Held(some, tile) for tile in tiles for some in parts]
    yield from sorted(found, key=lambda held: passes(taps, channels, held))


def passes(taps: int, channels: int, held: Held) -> float:
    """Return what it takes to do with less than whole windows, in set-out words per tap."""
    tiles = ceil_div(channels, held.channels)
    return tiles + _RESUME_WORDS * ceil_div(taps, held.taps) * channels / taps


_RESUME_WORDS = 4.0
"""To begin and end the sums of a channel over some taps, in words that are set out meanwhile."""
