"""The parameters of pools as C data. Mirror: struct esq_pool in firmware/include/esq_ops.h."""

from edgesq.codegen.params.fields import Params, ring_window, window_fields
from edgesq.codegen.params.reduce import reduction
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, Value, clamp_fields, struct
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Access, AveragePool2D, MaxPool2D


def _fields(item: RowOp, index: int, window: Value) -> str:
    op = item.op
    assert isinstance(op, MaxPool2D | AveragePool2D)
    fields: Fields = {"window": window, **clamp_fields(op.clamp)}
    return struct("esq_pool", f"params_{index}", fields, layer=op.name)


def _max_pool(_: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, MaxPool2D)
    return _fields(item, index, window_fields(op.window))


def _average_pool(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, AveragePool2D)
    if item.access is Access.REDUCE:
        return reduction(graph, item, index)
    return _fields(item, index, ring_window(op))


PARAMS: Params = {AveragePool2D: _average_pool, MaxPool2D: _max_pool}
