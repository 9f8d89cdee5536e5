"""What a model's constants take in flash with a kernel family; which weights are worth coding."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from edgesq.compress import MAX_BITS
from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.coded import coded_bytes
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.kernel import WideLayer
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.operators import Conv2D

MAX_SHARE = 0.75
"""Largest share of a layer's int8 size that its coded form may need; above it, they stay int8."""

MAX_PER_BYTE = 700.0
"""Instructions per image that a byte of flash is worth."""

WEIGHTS_GROWTH = 8
"""Packed weights that make a kernel faster may add one part in this many to all weights."""

_FIXED_BYTES = 48
"""struct esq_stream and what struct esq_streamed adds to an operator."""


def takes_coded(graph: Graph, op: Conv2D, kernels: str) -> bool:
    """Say whether a kernel family takes a convolution's coded weights."""
    return FAMILIES[kernels].takes_coded(graph, op)


@lru_cache(maxsize=8)
def codable(graph: Graph, kernels: str) -> frozenset[int]:
    """Return the convolutions, by output, whose weights take less flash coded.

    Only where a kernel family has a kernel for it: portable has none for a FULLY_CONNECTED, dsp
    none for channels that stand alone in their lanes.
    """
    return frozenset(
        op.output
        for op in graph.ops
        if isinstance(op, Conv2D)
        and takes_coded(graph, op, kernels)
        and _is_worth(graph, op, kernels)
    )


def _is_worth(graph: Graph, op: Conv2D, kernels: str) -> bool:
    """Say whether the coded form is so much shorter that decoding it pays.

    Large maps are computed in many bands, each of which decodes the weights again. Where a faster
    kernel can be had by that, it is worth it anyway.
    """
    weights = graph.constant(op.weights)
    _, counts = np.unique(weights, return_counts=True)
    chances = counts / weights.size
    if -(chances * np.log2(chances)).sum() >= 8 * MAX_SHARE:
        return False  # no code is shorter than the entropy
    size = coded_bytes(graph, op.weights, MAX_BITS) + _FIXED_BYTES
    if size >= MAX_SHARE * weights.size:
        return False
    family = FAMILIES[kernels]
    bands = ceil_div(graph.tensors[op.output].hwc[0], 2)
    cost = bands * weights.size * family.decoding.weight
    return family.gains_by_code(graph, op) or cost < MAX_PER_BYTE * (weights.size - size)


def coded_saves_bytes(graph: Graph, ops: Ops, kernels: str) -> int:
    """Return the bytes of flash that the coded weights of a plan save."""
    return sum(_saves(graph, item, kernels) for item in ops)


def _saves(graph: Graph, item: RowOp, kernels: str) -> int:
    conv, coded = item.first, item.kernel.coded
    if coded is None or not isinstance(conv, Conv2D):
        return 0
    size = coded_bytes(graph, conv.weights, coded.table_bits)
    channels = FAMILIES[kernels].short_channels(graph, conv)
    saved = graph.constant(conv.weights).size - size - _FIXED_BYTES
    return saved + (channels.saved_bytes if channels else 0)


def short_tables(graph: Graph, kernels: str) -> frozenset[int]:
    """Return the convolutions, by output, whose tables of requantization bits may stand for."""
    short = FAMILIES[kernels].short_channels
    return frozenset(op.output for op in graph.ops if isinstance(op, Conv2D) and short(graph, op))


def channels_bytes(graph: Graph, kernels: str) -> int:
    """Return what all layers whose weights can be coded take per channel, beside whole tables."""
    short, outputs = FAMILIES[kernels].short_channels, codable(graph, kernels)
    layers = [op for op in graph.ops if isinstance(op, Conv2D) and op.output in outputs]
    return sum(found.bytes for op in layers if (found := short(graph, op)))


def extra_weights_bytes(graph: Graph, ops: Ops, kernels: str) -> int:
    """Return the bytes by which packed weights exceed the model's own."""
    return sum(FAMILIES[kernels].extra_bytes(graph, item) for item in ops)


def wide_layers(graph: Graph, ops: Ops, kernels: str) -> Iterator[WideLayer]:
    """Yield the layers of a plan whose weights take two bytes each, and why."""
    layers = (FAMILIES[kernels].wide_layer(graph, item) for item in ops)
    yield from (layer for layer in layers if layer)


def grown_outputs(
    graph: Graph,
    ops: Ops,
    kernels: str,
    room_bytes: int | None,
    worth: float,
    coded: frozenset[int] = frozenset(),
) -> frozenset[int]:
    """Return the outputs of operators whose weights may grow: those that gain most per byte.

    Args:
        graph: the model.
        ops: operators as lowered.
        kernels: kernel family.
        room_bytes: most bytes by which packed weights may grow; None for one part in
            WEIGHTS_GROWTH.
        worth: instructions per image that each of them must save.
        coded: convolutions, by output, whose weights are decoded: none of these.
    """
    room = graph.weights_bytes // WEIGHTS_GROWTH if room_bytes is None else room_bytes
    return FAMILIES[kernels].grown(graph, ops, room, worth, coded)
