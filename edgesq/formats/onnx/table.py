"""The operators' tables: how each is written in integers, and in float32."""

from edgesq.formats.onnx import (
    binary,
    conv,
    curve,
    int16,
    lookup,
    move,
    pool,
    reduce,
    sequence,
    shape,
    softmax,
)
from edgesq.formats.onnx.scope import Writers

_FAMILIES = (binary, conv, curve, int16, lookup, move, pool, reduce, sequence, shape, softmax)

INTEGER: Writers = {op: write for family in _FAMILIES for op, write in family.INTEGER.items()}
FLOAT: Writers = {op: write for family in _FAMILIES for op, write in family.FLOAT.items()}
