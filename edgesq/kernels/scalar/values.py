"""Operators without weights on scalar cores: which of them have a kernel."""

from edgesq.graph import Graph
from edgesq.kernels import pairs
from edgesq.kernels.kernel import Form
from edgesq.kernels.row_op import RowOp
from edgesq.operators import (
    Add,
    AveragePool2D,
    Binary,
    HalvesUpPool2D,
    MaxPool2D,
    Mean,
    Mul,
    Sub,
)

MAX_ADDED = 256
"""Mirror: ESQ_MAX_ADDED in esq_scalar_lanes.h."""

PRICES = {
    "MUL": {"out": 17.6},
    "by a constant": {"out": 9.8},
    "MAX_POOL_2D": {"in": 10.5},
    "AVERAGE_POOL_2D": {"taps": 3.3, "out": 18.0},
    "a sum of the map": {"in": 3.3, "out": 38.0},
}
"""As `Prices.values`, of a Cortex-M3."""

_WHOLE = (-128, 127)


def is_exact(graph: Graph, item: RowOp) -> bool:
    """Say whether there is a kernel without weights that is exact for an operator."""
    match item.op:
        case HalvesUpPool2D() if item.window is not None:
            return False
        case MaxPool2D():
            return item.op.clamp == _WHOLE
        case AveragePool2D() | Mean():
            return item.window is None or item.window.height * item.window.width <= MAX_ADDED
        case Add() | Sub() | Mul():
            return _takes_operands(graph, item, item.op)
    return False


def _takes_operands(graph: Graph, item: RowOp, op: Binary) -> bool:
    """Say whether an operator on two operands has a short form."""
    if item.kernel.form is not Form.DIRECT:
        return item.kernel.form is Form.LINE and op.clamp == _WHOLE
    return isinstance(op, Mul) and pairs.multiplied(graph, op) is not None
