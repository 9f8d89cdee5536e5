"""The parameters of functions of each value as C data. Mirror: struct esq_lookup."""

import numpy as np

from edgesq.codegen.params.fields import Params, op_array
from edgesq.graph import Graph
from edgesq.kernels.initializer import struct
from edgesq.kernels.row_op import RowOp
from edgesq.lookup import lookup_table
from edgesq.operators import Lookup


def table(graph: Graph, item: RowOp, index: int) -> str:
    """Return the parameters of a function of each value: its table."""
    answers = np.roll(lookup_table(graph, item.op), -128)  # in the order of uint8: 0, ..., -1
    return op_array("int8_t", "table", answers.tolist(), item.op, index) + struct(
        "esq_lookup", f"params_{index}", {"table": f"table_{index}"}
    )


PARAMS: Params = {Lookup: table}
