"""Working memory of the kernel families, traded against how many pixels they compute together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgesq.graph import Conv2D, Graph
from edgesq.plan.lower import RowOp

ARENA_GROWTH = 20
"""Faster kernels may make the arena larger by one part in this many."""

_DSP_PIXELS = (3, 2, 1)


def fit_work(
    graph: Graph, ops: Sequence[RowOp], live_bytes: Sequence[int], kernels: str
) -> tuple[RowOp, ...]:
    """Give operators the working memory of a kernel family.

    Args:
        graph: the model.
        ops: operators as lowered, for portable kernels.
        live_bytes: per operator, the most bytes in use in its steps apart from its own work.
        kernels: "portable" or "dsp".

    Returns:
        the operators, each with the most pixels that the arena has room for, at least one.
    """
    if kernels == "portable":
        return tuple(ops)
    peak = max(live + item.work_bytes for live, item in zip(live_bytes, ops, strict=True))
    limit = peak + peak // ARENA_GROWTH
    return tuple(
        _fit(graph, item, limit - live) for item, live in zip(ops, live_bytes, strict=True)
    )


def _fit(graph: Graph, item: RowOp, room: int) -> RowOp:
    conv = item.feeder or item.op
    if not isinstance(conv, Conv2D):
        return item
    fitting = (n for n in _DSP_PIXELS if dsp_work_bytes(graph, conv, n) <= room)
    pixels = next(fitting, 1)
    return replace(item, pixels=pixels, work_bytes=dsp_work_bytes(graph, conv, pixels))


def dsp_groups(graph: Graph, op: Conv2D) -> int:
    """Return the groups of four input values under one window."""
    return -(-int(np.prod(graph.tensors[op.weights].shape[1:])) // 4)


def dsp_work_bytes(graph: Graph, op: Conv2D, pixels: int) -> int:
    """Return the bytes of unpacked input of `pixels` windows. Mirror: esq_run_conv2d_dsp."""
    staged = 4 if graph.tensors[op.inputs[0]].hwc[2] % 4 else 0
    return dsp_groups(graph, op) * (8 * pixels + staged)
