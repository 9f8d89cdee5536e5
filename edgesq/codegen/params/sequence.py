"""The parameters of what keeps state, as C data. Mirror: firmware/include/esq_sequence.h."""

from edgesq.codegen.params.fields import Params, op_array
from edgesq.graph import Graph
from edgesq.kernels.initializer import struct
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Svdf
from edgesq.sequences import svdf_rescales


def _svdf(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Svdf)
    of_input, of_kept = svdf_rescales(graph, op)
    times = graph.constant(op.times)
    fields = {
        "features": f"features_{index}",
        "times": f"times_{index}",
        "bias": f"bias_{index}",
        "input_multiplier": of_input.multiplier,
        "kept_multiplier": of_kept.multiplier,
        "input_shift": of_input.shift,
        "kept_shift": of_kept.shift,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        "memory": times.shape[1],
        "rank": op.rank,
    }
    features = graph.constant(op.features).reshape(-1).tolist()
    return (
        op_array("int8_t", "features", features, op, index)
        + op_array("int16_t", "times", times.reshape(-1).tolist(), op, index)
        + op_array("int32_t", "bias", graph.constant(op.bias).tolist(), op, index)
        + struct("esq_svdf", f"params_{index}", fields)
    )


PARAMS: Params = {Svdf: _svdf}
