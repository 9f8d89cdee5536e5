"""Coded weights, decoded while the network runs: how many channels at a time, and where.

Mirror: struct esq_streamed in firmware/include/esq_streamed.h.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from edgesq.compress import MASK_BITS, MAX_BITS, stream_bytes
from edgesq.graph import Graph
from edgesq.integers import ceil_div, round_up
from edgesq.kernels.decoding import masked_words
from edgesq.kernels.kernel import CONV_PARTS, Coded, Kernel
from edgesq.operators import Conv2D

TILE = 4
"""Tiles are multiples of this many channels, of all families' blocks."""

_TABLE_BITS = (8, 9, 10, 11)
"""Indices into the table of pairs of weights, which is made anew for each band, to choose from."""

_MASKED_BITS = (8, 9, 10)
"""The same with masks: the table is of single weights."""

_ALIGNMENT = 16


@lru_cache(maxsize=1024)
def coded_bytes(graph: Graph, weights: int, bits: int) -> int:
    """Return the bytes of a tensor's coded form, for a table of so many bits.

    With masks it is exact for OHWI; a kernel family's order differs from it by some 0.1 %.
    """
    data = graph.constant(weights)
    levels = data.astype(np.int8)
    return stream_bytes(levels, min(bits, MAX_BITS), masked_words(graph, weights) is not None)


def more_bytes(graph: Graph, conv: Conv2D, kernel: Kernel) -> int:
    """Return the flash by which a kernel exceeds the operator's smallest form, in bytes.

    Coded weights are shortest for the largest table of codes. Less than nothing where bits stand
    for a table of requantization.
    """
    if kernel.tabled:
        return -kernel.tabled.saved_bytes
    if kernel.coded is None:
        return 0
    taken = coded_bytes(graph, conv.weights, kernel.coded.table_bits)
    return taken - coded_bytes(graph, conv.weights, MAX_BITS)


def tile_sizes(channels: int) -> list[int]:
    """Return tiles of about equal size, from one block of channels to all of them."""
    blocks = ceil_div(channels, TILE)
    return sorted({TILE * ceil_div(blocks, count) for count in range(1, blocks + 1)})


def tile_kernels(
    graph: Graph,
    conv: Conv2D,
    kernel: Kernel,
    channel_bytes: int,
    row_bytes: int = 0,
    beyond_bytes: int = 0,
) -> Iterator[Kernel]:
    """Yield the ways to decode an operator's weights a tile at a time: table and tile.

    Args:
        graph: the model.
        conv: the convolution.
        kernel: the kernel that takes them.
        channel_bytes: of an output channel's weights as the kernel's family packs them.
        row_bytes: of an output channel's part of a table of requantization that is made with them.
        beyond_bytes: behind the weights, which the kernel loads and does not use.
    """
    masked = masked_words(graph, conv.weights) is not None
    table = aligned(kernel.work_bytes)
    for bits in table_bits(graph, conv):
        rows = table + tables_bytes(bits, masked=masked)
        for tile in tile_sizes(graph.tensors[conv.output].hwc[2]):
            weights = aligned(rows + tile * row_bytes)
            end = weights + aligned(tile * channel_bytes) + beyond_bytes
            coded = Coded(tile, bits, table, rows, weights, channel_bytes, has_masks=masked)
            yield replace(kernel, name=CONV_PARTS, work_bytes=end, coded=coded)


def table_bits(graph: Graph, conv: Conv2D) -> tuple[int, ...]:
    """Return the sizes to choose from for a layer's table of codes, as bits of its index."""
    return _TABLE_BITS if masked_words(graph, conv.weights) is None else _MASKED_BITS


def tables_bytes(bits: int, *, masked: bool) -> int:
    """Return the bytes of a table of codes, and of the masks' table behind it."""
    return (4 << bits) + (2 << MASK_BITS if masked else 0)


def aligned(size: int) -> int:
    """Return a size in working memory rounded up, so that what follows is aligned."""
    return round_up(size, _ALIGNMENT)
