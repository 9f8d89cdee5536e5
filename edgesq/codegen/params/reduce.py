"""The parameters of what averages a whole map, as C data. Mirror: struct esq_reduce."""

from edgesq.codegen.params.conv import pooled
from edgesq.codegen.params.fields import Params, reduce_fields
from edgesq.graph import Graph
from edgesq.kernels.initializer import struct
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Mean


def reduction(graph: Graph, item: RowOp, index: int) -> str:
    """Return the parameters of a mean, perhaps of what a convolution makes for it."""
    if item.feeder:
        return pooled(graph, item, item.feeder, index)
    fields = reduce_fields(graph, item.op)
    return struct("esq_reduce", f"params_{index}", fields, layer=item.op.name)


PARAMS: Params = {Mean: reduction}
