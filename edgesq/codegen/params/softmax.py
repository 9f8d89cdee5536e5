"""The parameters of SOFTMAX as C data. Mirror: struct esq_softmax."""

import numpy as np

from edgesq.arithmetic import softmax_exp_table
from edgesq.codegen.params.fields import Params, op_array
from edgesq.graph import Graph
from edgesq.kernels.initializer import struct
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Softmax


def _softmax(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Softmax)
    table = np.trim_zeros(softmax_exp_table(graph, op), "b").tolist()
    return op_array("int32_t", "exp", table, op, index) + struct(
        "esq_softmax", f"params_{index}", {"exp": f"exp_{index}", "count": len(table)}
    )


PARAMS: Params = {Softmax: _softmax}
