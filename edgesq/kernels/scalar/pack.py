"""A convolution's weights and requantization as the scalar kernels take them.

Mirror: firmware/src/scalar/esq_scalar.h.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from edgesq.arithmetic import Int64Array, as_int32, channel_sums, conv2d_multipliers
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.scalar.windows import taps_of
from edgesq.operators import Conv2D, FullyConnected

SUM_BOUND = 1 << 30
"""Sums with their bias must be below this for the short requantization."""

MOST_TAPS = 1 << 15
"""Sums without their bias stay within 2^29, as the ends take for granted."""

_LOWEST = -128
_SHIFTS = range(31)
"""Right shifts for which the short requantization is exact."""


@dataclass(frozen=True)
class Packed:
    """A convolution for the scalar kernels.

    Attributes:
        weights: int8 [O, taps], zeros behind a window's own.
        bias: int32 [O], the input's zero point folded in, modulo 2^32.
        weight_sums: int16 [O], minus each channel's; None where windows are never listed.
        end: "relu" where the short requantization is exact, "once" for a FULLY_CONNECTED, else
            "any".
    """

    weights: Int8Array
    bias: Int64Array
    weight_sums: Int64Array | None
    end: str


def pack_conv2d(graph: Graph, op: Conv2D) -> Packed:
    """Pack a convolution; the kernels are exact for it where `fits` says so."""
    weights = _rows(graph, op)
    zero = graph.tensors[op.inputs[0]].zero_point
    sums = weights.sum(axis=1, dtype=np.int64)
    bias = as_int32(graph.constant(op.bias).astype(np.int64) - zero * sums)
    return Packed(weights, bias, -sums if _lists(graph, op, sums) else None, end_of(graph, op))


def _lists(graph: Graph, op: Conv2D, sums: Int64Array) -> bool:
    """Say whether windows may be listed as values that are not zero: zero is the lowest value."""
    is_lowest = graph.tensors[op.inputs[0]].zero_point == _LOWEST
    return is_lowest and taps_of(graph, op) < 1 << 16 and bool((np.abs(sums) < 1 << 15).all())


@lru_cache(maxsize=1024)
def fits(graph: Graph, op: Conv2D) -> bool:
    """Say whether two taps' products always fit: of their weights one may be -128, not both."""
    if taps_of(graph, op) > MOST_TAPS:
        return False
    lowest = (_rows(graph, op) == _LOWEST).reshape(-1, 2)
    return not bool(lowest.all(axis=1).any())


@lru_cache(maxsize=1024)
def end_of(graph: Graph, op: Conv2D) -> str:
    """Return how a convolution's sums end: see `Packed`."""
    if isinstance(op, FullyConnected):
        return "once"
    _, shift = conv2d_multipliers(graph, op)
    rises = op.clamp[0] == graph.tensors[op.output].zero_point
    shifts_fit = all(-int(each) in _SHIFTS for each in shift)
    below = bool((channel_sums(graph, op).high < SUM_BOUND).all())
    return "relu" if rises and shifts_fit and below else "any"


def _rows(graph: Graph, op: Conv2D) -> Int8Array:
    """Return weights OHWI as int8 [O, taps]."""
    weights = graph.constant(op.weights).astype(np.int8)
    rows = np.zeros((len(weights), taps_of(graph, op)), np.int8)
    own = weights.reshape(len(weights), -1)
    rows[:, : own.shape[1]] = own
    return rows
