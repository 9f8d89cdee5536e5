"""The operators' tables: how each is read from a .tflite, and what a graph's must hold."""

from edgesq.formats.tflite import (
    batches,
    binary,
    chain,
    conv,
    curve,
    int16,
    lookup,
    move,
    part,
    pool,
    reduce,
    sequence,
    shape,
    softmax,
)
from edgesq.formats.tflite.readable import Advice, Fits, Ranges, Readables

_FAMILIES = (
    batches,
    binary,
    chain,
    conv,
    curve,
    lookup,
    move,
    part,
    pool,
    reduce,
    sequence,
    shape,
    softmax,
)

READABLES: Readables = {
    kind: readable for family in _FAMILIES for kind, readable in family.READABLES.items()
}
NAMES = tuple(sorted(READABLES.keys() - {curve.CURVE}))
"""Operators that a file may have; a curve is what several of them become."""

FITS: Fits = {op: fits for family in (*_FAMILIES, int16) for op, fits in family.FITS.items()}
RANGES: Ranges = {
    op: problem for family in (*_FAMILIES, int16) for op, problem in family.RANGES.items()
}
ADVICE: Advice = {**conv.ADVICE, **lookup.ADVICE, **move.ADVICE, **reduce.ADVICE}
