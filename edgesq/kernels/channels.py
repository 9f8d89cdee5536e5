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
_WORD_BYTES = 4

_HIGHEST = 30
"""The highest bit of a multiplier, which is always 1."""

_LEAST_SHIFT_BITS = 2
"""Bits of a word that a multiplier without its highest one leaves."""

_MAX_WORD_SHIFT = 22
"""To the right: what a level begins at stays in 64 bits."""

_LEVELS = np.arange(1, 256)[:, np.newaxis]
"""Above the lowest of an int8."""

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
        steps: int64 [n, 2]: the distinct multipliers and right shifts; where there are `shift_bits`
            [O], a word with a channel's own.
        bits: of a field.
        step_bits: of them.
        fraction_bits: of `bias_grid`.
        shift_bits: of a word, for the right shift less `first_shift`; 0 where there are steps.
        first_shift: the least of them.
    """

    fields: Int64Array
    steps: Int64Array
    bits: int
    step_bits: int
    fraction_bits: int
    shift_bits: int = 0
    first_shift: int = 0

    @property
    def bytes(self) -> int:
        """How much flash all of it takes."""
        size = ceil_div(len(self.fields) * self.bits, 8)
        each = _WORD_BYTES if self.shift_bits else _STEP_BYTES
        return size + CHANNELS_PADDING + len(self.steps) * each

    @property
    def saved_bytes(self) -> int:
        """How much less flash all of it takes than the table that it stands for."""
        return len(self.fields) * ROW_BYTES - self.bytes


def shortest(
    bias: Int64Array, multiplier: Int64Array, shift: Int64Array, high: Int64Array | None
) -> Channels | None:
    """Return biases, multipliers and shifts, each [O], in few bits; None where MAX_BITS do not do.

    Exact for any model; shortest where biases are multiples of a coarse grid, as `compress` makes
    them, and channels share few multipliers.
    """
    found = (
        pack_channels(bias, multiplier, shift),
        pack_words(bias, multiplier, shift, high),
    )
    return min((one for one in found if one), key=lambda one: one.bytes, default=None)


def pack_channels(bias: Int64Array, multiplier: Int64Array, shift: Int64Array) -> Channels | None:
    """Return fields with shared steps for biases, multipliers and shifts, each [O]."""
    if shift.max() > 0:
        return None
    steps, index = np.unique(np.stack([multiplier, -shift], axis=1), axis=0, return_inverse=True)
    step_bits = (len(steps) - 1).bit_length()
    fraction_bits = _fraction_bits(bias, shift)
    coarse = bias // bias_grid(shift, fraction_bits)
    bits = step_bits + _signed_bits(coarse)
    if step_bits > _MAX_STEP_BITS or bits > MAX_BITS:
        return None
    fields = (coarse << step_bits | index.reshape(-1)) & (1 << bits) - 1
    return Channels(fields, steps, bits, step_bits, fraction_bits)


def pack_words(
    bias: Int64Array, multiplier: Int64Array, shift: Int64Array, high: Int64Array | None
) -> Channels | None:
    """Return fields of biases, and words with each channel's own multiplier, each [O].

    Args:
        bias: to be packed.
        multiplier: likewise; what a word holds may differ from it where no sum shows it.
        shift: likewise; shifts that are far apart take bits from the multipliers.
        high: the greatest sum of each channel; None where negative results show, so that every bit
            of a multiplier counts.
    """
    bits = _signed_bits(bias)
    right = -shift
    if bits > MAX_BITS or right.min() < 1 or right.max() > _MAX_WORD_SHIFT:
        return None
    first = int(right.min())
    shift_bits = max(int(right.max() - first).bit_length(), _LEAST_SHIFT_BITS)
    spare = shift_bits - _LEAST_SHIFT_BITS
    if spare and high is None:
        return None
    if spare and high is not None:
        least, most = multiplier_range(multiplier, shift, high)
        below = multiplier >> spare << spare
        multiplier = np.where(below < least, below + (1 << spare), below)
        if np.any(multiplier > most):
            return None
    if np.any(multiplier >> _HIGHEST != 1):
        return None
    words = (multiplier - (1 << _HIGHEST) << _LEAST_SHIFT_BITS) + (right - first)
    return Channels(bias & (1 << bits) - 1, words, bits, 0, _MAX_SHIFT, shift_bits, first)


def unpack_words(channels: Channels) -> tuple[Int64Array, Int64Array]:
    """Return the multipliers and shifts that words hold, each [O]."""
    shift = channels.steps & (1 << channels.shift_bits) - 1
    multiplier = (channels.steps - shift >> _LEAST_SHIFT_BITS) + (1 << _HIGHEST)
    return multiplier, -(shift + channels.first_shift)


def multiplier_range(
    multiplier: Int64Array, shift: Int64Array, high: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Return the least and the greatest multiplier, each [O], that give the same levels.

    Of an output that clamps negative results to its lowest level, for all sums up to `high`: the
    sums at which the levels begin, as the reference's two roundings have them, stay the same.
    """
    goal = (2 * _LEVELS - 1 << 30 - shift) - (1 << 30)
    begins = -(-goal // np.maximum(multiplier, 1))
    seen = begins <= high
    least = np.where(seen, -(-goal // begins), 0).max(axis=0)
    before = np.minimum(begins - 1, high)
    most = np.where(before > 0, -(-goal // np.maximum(before, 1)) - 1, (1 << 31) - 1).min(axis=0)
    return least, np.minimum(most, (1 << 31) - 1)


def _signed_bits(values: Int64Array) -> int:
    """Return the bits of the widest in two's complement."""
    return 1 + int(np.where(values < 0, ~values, values).max()).bit_length()


def _fraction_bits(bias: Int64Array, shift: Int64Array) -> int:
    """Return the fewest bits with which all biases are on their grid."""
    return next(bits for bits in range(_MAX_SHIFT + 1) if not np.any(bias % bias_grid(shift, bits)))
