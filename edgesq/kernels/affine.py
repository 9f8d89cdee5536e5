"""ADD, SUB and MUL with a constant per channel, as one multiplication and one shift.

Of one channel only 256 inputs are possible, so whether (input * slope + offset) >> 16 is exact for
all of them, two or three roundings or not, is looked up and not estimated. Where it is not, the
operator runs as any other.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, as_int32
from edgesq.combine import combine
from edgesq.graph import Graph
from edgesq.lookup import has_table
from edgesq.operators import Binary, Op

BITS = 16
"""Fraction bits of slopes and offsets. Mirror: ESQ_AFFINE_BITS."""

DROPPED_BITS = 5
"""Low bits of a product that the DSP extension drops: its slopes have 11 fraction bits more, its
offsets 5 fewer."""

_OFFSET_STEP = 1 << DROPPED_BITS
_MAX_SLOPE = 1 << 20

_NEVER, _ROOM = 1 << 60, 1 << 20
"""Stands for a missing bound of an offset; distance from the other bound at which one is put."""
_EVERY = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Affine:
    """Slope and offset of each channel, int64 [C]."""

    slope: Int64Array
    offset: Int64Array


@dataclass(frozen=True, eq=False)
class StoredAffine(Affine):
    """Slopes and offsets as the board has them, and the bits that its shifts drop.

    Attributes:
        of_product: bits dropped of a product.
        of_sum: bits dropped of its sum with the offset.
    """

    of_product: int
    of_sum: int

    def levels(self, inputs: NDArray[np.int8], slope: int, offset: int) -> Int64Array:
        """Return what a board makes of inputs with a slope and an offset, before it clamps."""
        total = (inputs.astype(np.int64) * slope >> self.of_product) + offset
        return np.asarray(as_int32(total) >> self.of_sum, np.int64)


def stored_affine(graph: Graph, op: Op, drops: int) -> StoredAffine:
    """Return what a board has of an operator for which `affine` has a form.

    Args:
        graph: the model.
        op: the operator.
        drops: bits of a product that its kernel drops; see `Family.affine_drops`.
    """
    lines = affine(graph, op)
    assert lines is not None
    if not drops:
        return StoredAffine(lines.slope, lines.offset, 0, BITS)
    raised = BITS - drops
    return StoredAffine(lines.slope << raised, lines.offset >> drops, BITS, raised)


def affine(graph: Graph, op: Op) -> Affine | None:
    """Return an operator with a constant per channel in that form, None where there is none."""
    if not isinstance(op, Binary) or not graph.constants(op) or has_table(graph, op):
        return None
    if any(graph.constant(index).ndim > 1 for index in graph.constants(op)):
        return None
    columns = [
        _EVERY[np.newaxis] if (data := graph.tensors[index].data) is None else data[:, np.newaxis]
        for index in op.operands
    ]
    answers = np.clip(combine(graph, op, *columns), *op.clamp)
    return _fitted(answers.tobytes(), op.clamp)


@lru_cache(maxsize=256)
def _fitted(answers: bytes, clamp: tuple[int, int]) -> Affine | None:
    """Return the slopes and offsets that give `answers`, int64 [C, 256]."""
    levels = np.frombuffer(answers, np.int64).reshape(-1, 256)
    slope = _best_slopes(levels, clamp)
    low, high = _offsets(levels, clamp, slope)
    lowest = -(-low // _OFFSET_STEP) * _OFFSET_STEP
    highest = high // _OFFSET_STEP * _OFFSET_STEP
    offset = np.clip((lowest + highest) // 2 // _OFFSET_STEP * _OFFSET_STEP, lowest, highest)
    largest = np.abs(slope) * 128 + np.abs(offset)
    fits = (lowest <= highest) & (np.abs(slope) < _MAX_SLOPE) & (largest < 1 << 31)
    return Affine(slope, offset) if fits.all() else None


def _offsets(
    levels: Int64Array, clamp: tuple[int, int], slope: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Return the lowest and the highest offset that gives each channel's levels, [C]."""
    lines = slope[:, np.newaxis] * _EVERY
    least = np.where(levels > clamp[0], (levels << BITS) - lines, -_NEVER).max(axis=1)
    most = np.where(levels < clamp[1], ((levels + 1) << BITS) - 1 - lines, _NEVER).min(axis=1)
    least = np.where(least > -_NEVER, least, np.where(most < _NEVER, most, _ROOM) - _ROOM)
    return least, np.where(most < _NEVER, most, least + _ROOM)


def _best_slopes(levels: Int64Array, clamp: tuple[int, int]) -> Int64Array:
    """Return the slope that leaves each channel's offset most room, [C]."""
    # Each of 256 inputs bounds the offset from above and below by a line in the slope. The least of
    # the upper bounds is concave, the greatest of the lower ones convex, so their distance is
    # concave, and a search in thirds finds its greatest value; integers end it among three slopes.
    first, last = (np.full(len(levels), end, np.int64) for end in (-_MAX_SLOPE, _MAX_SLOPE))

    def room(slope: Int64Array) -> Int64Array:
        low, high = _offsets(levels, clamp, slope)
        return np.asarray(high - low, np.int64)

    while np.any(last - first > 2):
        third = (last - first) // 3
        one, two = first + third, last - third
        left, right = room(one), room(two)
        first, last = np.where(left <= right, one, first), np.where(left >= right, two, last)
    tried = np.stack([first, first + 1, first + 2])
    rooms: NDArray[np.int64] = np.stack([room(slope) for slope in tried])
    return np.asarray(tried[rooms.argmax(axis=0), np.arange(len(levels))], np.int64)
