"""How the DSP extension's convolutions end: which requantization is exact for which channels.

The short requantization multiplies twice the sum, adds half a step and the zero point, shifts and
saturates. Where a negative sum cannot be seen, because the clamp begins at the zero point, the
rounding of its halves cannot either, and the upper channel of a lane takes fewer instructions. A
channel that does not fit is computed again on its own.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, channel_sums, conv2d_multipliers
from edgesq.graph import Graph
from edgesq.kernels.channels import Channels, shortest
from edgesq.kernels.dsp.lanes import LANE_BOUND, pair_channels
from edgesq.operators import Conv2D, Convolution, FullyConnected

LOWER_BOUND = 1 << 30
"""Sums must be below this: the requantization doubles them."""

_SHIFTS, _UPPER_SHIFTS = (1, 22), (1, 15)
"""Right shifts for which the constants fit; of A where its sums stay 256-fold."""

UPPER_BITS = 7
"""By which A's sums then stand higher. Mirror: struct esq_dsp_way."""


@dataclass(frozen=True, eq=False)
class Ending:
    """How a convolution ends.

    Attributes:
        form: as the ways of firmware/include/esq_dsp_ops.h are named.
        odd: channels for which the short requantization is not exact, or that have none to share a
            lane with; none with "any" and "once".
    """

    form: Literal["relu", "linear", "any", "once"]
    odd: tuple[int, ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether it requantizes by a table of short constants."""
        return self.form in ("relu", "linear")


@lru_cache(maxsize=1024)
def ending(graph: Graph, op: Conv2D) -> Ending:
    """Return the fastest ending that is exact for all inputs."""
    if isinstance(op, FullyConnected):
        return Ending("once")
    if pair_channels(graph, op) == 1:
        return Ending("any")
    forms = [Ending("linear", _odd(graph, op, _SHIFTS))]
    if clamps_at_zero_point(graph, op):
        forms.insert(0, Ending("relu", _odd(graph, op, _UPPER_SHIFTS)))
    best = min(forms, key=lambda one: len(one.odd))
    again = {channel // 2 for channel in best.odd}
    return best if 2 * len(again) <= len(graph.constant(op.bias)) // 2 else Ending("any")


def clamps_at_zero_point(graph: Graph, op: Convolution) -> bool:
    """Say whether negative sums cannot be told from 0."""
    return op.clamp[0] >= graph.tensors[op.output].zero_point


def fits_linear(graph: Graph, op: Convolution) -> NDArray[np.bool_]:
    """Say of each channel whether the short requantization is exact for all its sums, [O]."""
    sums = channel_sums(graph, op)
    right = -conv2d_multipliers(graph, op)[1]
    return _within(right, _SHIFTS) & (np.maximum(-sums.low, sums.high) < LOWER_BOUND)


def _odd(graph: Graph, op: Conv2D, upper_shifts: tuple[int, int]) -> tuple[int, ...]:
    """Return the channels that do not fit; where their number is odd, the last one as well."""
    sums = channel_sums(graph, op)
    right = -conv2d_multipliers(graph, op)[1]
    fits = fits_linear(graph, op)
    alone = (sums.low < -LANE_BOUND) | (sums.high >= LANE_BOUND) | ~_within(right, upper_shifts)
    fits[0::2] &= ~alone[0::2]
    if len(fits) % 2:
        fits[-1] = False
    return tuple(np.flatnonzero(~fits).tolist())


def _within(right: Int64Array, bounds: tuple[int, int]) -> NDArray[np.bool_]:
    return (right >= bounds[0]) & (right <= bounds[1])


def short_parts(graph: Graph, op: Conv2D) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Return bias, multiplier and right shift of each channel, those of a fitting one for odd ones.

    What the short requantization makes of these is never used.
    """
    bias = graph.constant(op.bias).astype(np.int64)
    multiplier, shift = conv2d_multipliers(graph, op)
    odd = list(ending(graph, op).odd)
    fitting = np.setdiff1d(np.arange(len(bias)), odd)[0]
    bias[odd], multiplier[odd], shift[odd] = 0, multiplier[fitting], shift[fitting]
    return bias, multiplier, -shift


@lru_cache(maxsize=1024)
def short_channels(graph: Graph, op: Conv2D) -> Channels | None:
    """Return the bits that may stand for a layer's table; None where there is none to stand for."""
    if not ending(graph, op).is_short:
        return None
    bias, multiplier, right = short_parts(graph, op)
    high = channel_sums(graph, op).high if clamps_at_zero_point(graph, op) else None
    return shortest(bias, multiplier, -right, high)


def constants(right: Int64Array, zero_point: int) -> Int64Array:
    """Return what rounds before right shifts and adds the zero point behind them, [O]."""
    step = np.int64(1) << right
    return np.asarray((step >> 1) + zero_point * step, np.int64)
