"""The parameters of what takes one value of many, as C data.

Mirror: struct esq_reduce, struct esq_reduction.
"""

from edgesq.codegen.params.conv import pooled
from edgesq.codegen.params.fields import Params, reduce_fields
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, struct
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Mean, MeanAlong, ReduceMin, Reduction, Sum
from edgesq.reductions import mean_parameters

_AXES = ("rows", "columns", "channels")


def reduction(graph: Graph, item: RowOp, index: int) -> str:
    """Return the parameters of a mean, perhaps of what a convolution makes for it."""
    if item.feeder:
        return pooled(graph, item, item.feeder, index)
    fields = reduce_fields(graph, item.op)
    return struct("esq_reduce", f"params_{index}", fields, layer=item.op.name)


def _along(graph: Graph, item: RowOp, index: int) -> str:
    """Return the parameters of what adds up, or compares, along axes."""
    op = item.op
    assert isinstance(op, Reduction)
    over: Fields = {f"over_{name}": int(axis in op.axes) for axis, name in enumerate(_AXES)}
    fields: Fields = {"flip": -1 if isinstance(op, ReduceMin) else 0}
    if isinstance(op, MeanAlong | Sum):
        numbers = mean_parameters(graph, op)
        fields = {
            "multiplier": numbers.multiplier,
            "offset": numbers.offset,
            "output_zp": graph.tensors[op.output].zero_point,
            "shift": numbers.shift,
        }
    return struct("esq_reduction", f"params_{index}", {**fields, **over}, layer=op.name)


PARAMS: Params = {Mean: reduction, Reduction: _along}
