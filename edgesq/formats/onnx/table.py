"""The operators' tables: how each is written in integers, and in float32."""

<<<<<<< HEAD
from edgesq.formats.onnx import binary, conv, lookup, move, pool, reduce, sequence, shape, softmax
from edgesq.formats.onnx.scope import Writers

_FAMILIES = (binary, conv, lookup, move, pool, reduce, sequence, shape, softmax)
=======
from edgesq.formats.onnx import binary, conv, curve, lookup, move, pool, reduce, shape, softmax
from edgesq.formats.onnx.scope import Writers

_FAMILIES = (binary, conv, curve, lookup, move, pool, reduce, shape, softmax)
>>>>>>> ebdbd27 (operators: what is a function of one value by several operators is one table)

INTEGER: Writers = {op: write for family in _FAMILIES for op, write in family.INTEGER.items()}
FLOAT: Writers = {op: write for family in _FAMILIES for op, write in family.FLOAT.items()}
