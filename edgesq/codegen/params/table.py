"""The operators' table: the parameters of each as C data."""

from edgesq.codegen.params import (
    binary,
    conv,
    int16,
    lookup,
    move,
    pool,
    reduce,
    sequence,
    shape,
    softmax,
)
from edgesq.codegen.params.fields import Params
from edgesq.graph import Graph
from edgesq.kernels.row_op import RowOp
from edgesq.operators import handler

_FAMILIES = (binary, conv, int16, lookup, move, pool, reduce, sequence, shape, softmax)

PARAMS: Params = {op: params for family in _FAMILIES for op, params in family.PARAMS.items()}


def params(graph: Graph, item: RowOp, index: int) -> str:
    """Return the C text that defines `params_<index>`; empty where an operator has none."""
    return handler(PARAMS, type(item.op))(graph, item, index)
