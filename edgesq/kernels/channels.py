"""What a convolution needs per output channel, in a few bits each: bias and multiplier.

Mirror: struct esq_channels in firmware/include/esq_streamed.h.
"""

from dataclasses import dataclass

import numpy as np

from edgesq.arithmetic import Int64Array, bias_grid
from edgesq.integers import ceil_div

MAX_BITS = 25
"""Longest field: a word of 32 bits holds so many from any bit of its first byte on."""

_MAX_STEP_BITS = 8
_MAX_SHIFT = 31
_STEP_BYTES = 8

ROW_BYTES = 16
"""Of the table for the short requantization that the fields stand for, per channel."""

CHANNELS_PADDING = 3
"""Bytes behind the fields, so that a word can be loaded anywhere among them."""


@dataclass(frozen=True)
class Channels:
    """Biases and multipliers, a field of some bits for each channel.

    Attributes:
        fields: int64 [O], in [0, 2^bits): the bias in steps of `bias_grid` above `step_bits`, two's
            complement, and which of `steps`.
        steps: int64 [n, 2]: the distinct multipliers and right shifts.
        bits: of a field.
        step_bits: of them.
        fraction_bits: of `bias_grid`.
    """

    fields: Int64Array
    steps: Int64Array
    bits: int
    step_bits: int
    fraction_bits: int

    @property
    def bytes(self) -> int:
        """How much flash all of it takes."""
        size = ceil_div(len(self.fields) * self.bits, 8)
        return size + CHANNELS_PADDING + len(self.steps) * _STEP_BYTES

    @property
    def saved_bytes(self) -> int:
        """How much less flash all of it takes than the table that it stands for."""
        return len(self.fields) * ROW_BYTES - self.bytes


def pack_channels(bias: Int64Array, multiplier: Int64Array, shift: Int64Array) -> Channels | None:
    """Return biases, multipliers and shifts, each [O], in few bits; None where MAX_BITS do not do.

    Exact for any model; short where biases are multiples of a coarse grid, as `compress` makes
    them, and channels share few multipliers.
    """
    if shift.max() > 0:
        return None
    steps, index = np.unique(np.stack([multiplier, -shift], axis=1), axis=0, return_inverse=True)
    step_bits = (len(steps) - 1).bit_length()
    fraction_bits = _fraction_bits(bias, shift)
    coarse = bias // bias_grid(shift, fraction_bits)
    bias_bits = 1 + int(np.where(coarse < 0, ~coarse, coarse).max()).bit_length()
    bits = step_bits + bias_bits
    if step_bits > _MAX_STEP_BITS or bits > MAX_BITS:
        return None
    fields = (coarse << step_bits | index.reshape(-1)) & (1 << bits) - 1
    return Channels(fields, steps, bits, step_bits, fraction_bits)


def _fraction_bits(bias: Int64Array, shift: Int64Array) -> int:
    """Return the fewest bits with which all biases are on their grid."""
    return next(bits for bits in range(_MAX_SHIFT + 1) if not np.any(bias % bias_grid(shift, bits)))
