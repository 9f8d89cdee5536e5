"""ADD, SUB and MUL of two int8 operands in 32-bit arithmetic without TensorFlow Lite's roundings.

Two operands make 65,536 pairs only, so whether a short form is exact for all of them is looked up
and not estimated. Where it is not, the operator runs in portable C.
Mirror: struct esq_weighted_sum in firmware/include/esq_values.h, struct esq_mul_scalar in
esq_scalar_ops.h.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, mul_multiplier
from edgesq.combine import combine
from edgesq.graph import Graph
from edgesq.kernels.family import PairParams
from edgesq.kernels.initializer import Fields, array, clamp_fields
from edgesq.operators import Add, Mul, Sub

BITS = 20
"""Fraction bits of slopes and offset. Mirror: ESQ_PAIR_BITS."""

FRACTION_BITS = 15
"""Of a product's multiplier, in its lower part. Mirror: ESQ_FRACTION_BITS."""

_MIN_SHIFT = -20
"""Zero points shifted by this stay in 31 bits."""

_WHOLE = (-128, 127)
_EVERY = np.arange(-128, 128, dtype=np.int64)
_LIMIT = 1 << 31
_NEAR, _MAX_CORRECTION = (0, 1, -1), 127
"""Slopes that are tried, from the nearest to the real one; the largest correction there is."""
_NEVER = 1 << 60


@dataclass(frozen=True, eq=False)
class Lines:
    """A sum of two operands as a slope each, an offset, and a correction by one of them.

    Attributes:
        slopes: of the operands' raw values.
        offset: of all sums.
        corrections: int8 [256], by the corrected operand from -128 on.
        corrected: which operand that is.
    """

    slopes: tuple[int, int]
    offset: int
    corrections: NDArray[np.int8]
    corrected: int

    def levels(self) -> Int64Array:
        """Return the level of every pair before it is saturated, int64 [256, 256]."""
        parts = [slope * _EVERY for slope in self.slopes]
        parts[self.corrected] = parts[self.corrected] + self.corrections
        total = parts[0][:, np.newaxis] + parts[1] + self.offset
        return np.asarray(total >> BITS, np.int64)


@dataclass(frozen=True)
class Product:
    """A product's way to its level, with both of TensorFlow Lite's roundings.

    Attributes:
        whole, fraction: the multiplier, of 15 bits each: no intermediate needs more than 32.
        addend: half of what is shifted out, and the output's zero point.
        right: the shift.
    """

    whole: int
    fraction: int
    addend: int
    right: int

    def levels(self, products: Int64Array) -> Int64Array:
        """Return the level of each product, before it is saturated."""
        parts = products * self.whole + (products * self.fraction >> FRACTION_BITS)
        high = parts + (1 << (FRACTION_BITS - 1)) >> FRACTION_BITS
        return np.asarray((high - (products < 0) + self.addend) >> self.right, np.int64)


@lru_cache(maxsize=1024)
def summed(graph: Graph, op: Add | Sub) -> Lines | None:
    """Return the short form of a sum that is exact for all pairs; None where there is none."""
    levels = np.clip(combine(graph, op, _EVERY[:, np.newaxis], _EVERY), *op.clamp)
    near = [round(slope * (1 << BITS)) for slope in _real_slopes(graph, op)]
    zero_point = (2 * graph.tensors[op.output].zero_point + 1) << (BITS - 1)
    zeros = (graph.tensors[index].zero_point for index in op.operands)
    real = zero_point - sum(slope * zero for slope, zero in zip(near, zeros, strict=True))
    for corrected, one, two in product((1, 0), _NEAR, _NEAR):
        slopes = (near[0] + one, near[1] + two)
        found = _corrected(levels, op.clamp, slopes, real, corrected)
        if found and np.array_equal(np.clip(found.levels(), *op.clamp), levels):
            return found
    return None


@lru_cache(maxsize=1024)
def multiplied(graph: Graph, op: Mul) -> Product | None:
    """Return the short form of a product that is exact for all pairs; None where there is none."""
    if op.clamp != _WHOLE:
        return None
    multiplier, shift = mul_multiplier(graph, op)
    if not _MIN_SHIFT <= shift < 0:
        return None
    zero_points = [graph.tensors[index].zero_point for index in op.operands]
    addend = (2 * graph.tensors[op.output].zero_point + 1) << (-shift - 1)
    whole, fraction = divmod(multiplier >> 1, 1 << FRACTION_BITS)
    found = Product(whole, fraction, addend, -shift)
    products = (_EVERY[:, np.newaxis] - zero_points[0]) * (_EVERY - zero_points[1])
    levels = np.clip(combine(graph, op, _EVERY[:, np.newaxis], _EVERY), *_WHOLE)
    return found if np.array_equal(np.clip(found.levels(products), *_WHOLE), levels) else None


def sum_params(graph: Graph, op: Add | Sub, index: int) -> PairParams:
    """Return a weighted sum's struct, for an operator with this number."""
    found = summed(graph, op)
    assert found is not None
    fields: Fields = {
        "corrections": f"corrections_{index} + 128",
        "slope": found.slopes,
        "offset": found.offset,
        "corrected": found.corrected,
        **clamp_fields(op.clamp),
    }
    corrections = array("int8_t", f"corrections_{index}", found.corrections.tolist())
    return PairParams(corrections, "esq_weighted_sum", fields)


def mul_params(graph: Graph, op: Mul) -> PairParams:
    """Return a product's struct; see `Family.mul_params`."""
    form = multiplied(graph, op)
    assert form is not None
    fields: Fields = {
        "addend": form.addend,
        "input_zp": [graph.tensors[tensor].zero_point for tensor in op.operands],
        "whole": form.whole,
        "fraction": form.fraction,
        "right": form.right,
    }
    return PairParams("", "esq_mul_scalar", fields)


def _real_slopes(graph: Graph, op: Add | Sub) -> tuple[float, float]:
    """Return the levels per step of each operand."""
    out = graph.tensors[op.output].scale
    one, two = (graph.tensors[index].scale / out for index in op.operands)
    return one, -two if isinstance(op, Sub) else two


def _corrected(
    levels: Int64Array,
    clamp: tuple[int, int],
    slopes: tuple[int, int],
    real: int,
    corrected: int,
) -> Lines | None:
    """Return the form with these slopes, and about the real offset, if small corrections do."""
    columns = levels if corrected else levels.T
    low, high = _offsets(columns, clamp, slopes[1 - corrected])
    line = slopes[corrected] * _EVERY
    least, most = int((low - line).max()), int((high - line).min())
    offset = min(max(real, least), most) if least <= most else (least + most) // 2
    corrections = np.clip(line + offset, low, high) - line - offset
    largest = sum(abs(slope) for slope in slopes) * 128 + abs(offset) + _MAX_CORRECTION
    if np.any(low > high) or np.abs(corrections).max() > _MAX_CORRECTION or largest >= _LIMIT:
        return None
    return Lines(slopes, offset, corrections.astype(np.int8), corrected)


def _offsets(
    levels: Int64Array, clamp: tuple[int, int], slope: int
) -> tuple[Int64Array, Int64Array]:
    """Return the lowest and the highest offset that gives each column's levels, [256]."""
    line = (slope * _EVERY)[:, np.newaxis]
    low = np.where(levels > clamp[0], (levels << BITS) - line, -_NEVER).max(axis=0)
    high = np.where(levels < clamp[1], ((levels + 1) << BITS) - 1 - line, _NEVER).min(axis=0)
    return low, high
