"""Parameters of the convolutions that run on MVE, as C data.

Mirror: firmware/include/esq_mve_ops.h.
"""

from edgesq.codegen.initializer import Fields, Value, array, clamp_fields, struct
from edgesq.codegen.params_stream import Conv, stream_array, streamed_struct
from edgesq.codegen.requantization import rescaling_arrays
from edgesq.graph import Conv2D, DepthwiseConv2D, FullyConnected, Graph
from edgesq.kernels.mve.blocks import BLOCK, blocks_of, reads_in_place
from edgesq.kernels.mve.depthwise import strip_blocks
from edgesq.kernels.mve.pack import Packed, pack_conv2d, pack_depthwise
from edgesq.kernels.row_op import RowOp

_KIND = "esq_conv2d_mve"


def conv2d_mve(graph: Graph, op: Conv2D, index: int, item: RowOp, window: Value) -> Conv:
    """Return a convolution as struct esq_conv2d_mve.

    Args:
        graph: the model.
        op: the convolution.
        index: the operator's number, in the arrays' names.
        item: how the plan runs it.
        window: struct esq_window.
    """
    packed = pack_conv2d(graph, op)
    fields: Fields = {
        "weights": "0" if item.kernel.coded else f"weights_{index}",
        "table": f"table_{index}",
        "locate": "esq_mve_direct" if reads_in_place(graph, op) else "esq_mve_gathered",
        "finish": f"esq_mve_finish_{packed.finish}",
        "rescaling": f"rescaling_{index}" if packed.finish == "once" else "0",
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
        "blocks": blocks_of(graph, op),
        "row_blocks": packed.row_blocks,
        "table_row": packed.table[0].size,
        "pixels": item.kernel.pixels,
        "window": window,
    }
    table = packed.table.reshape(-1).tolist()
    ends = array("int32_t", f"table_{index}", table, aligned=True)
    if isinstance(op, FullyConnected):
        ends += rescaling_arrays(graph, op, index)
    if item.kernel.coded is None:
        return Conv(_weights(op, index, packed) + ends, _KIND, fields)
    stream = stream_array(op.name, packed.weights.reshape(-1), index, item.kernel.coded)
    tiles = streamed_struct(item.kernel.coded, index, enter="esq_mve_enter_tile")
    return Conv(stream + ends + tiles, _KIND, fields, f"&streamed_{index}.tiled")


def _weights(op: Conv2D, index: int, packed: Packed) -> str:
    weights = [*packed.weights.reshape(-1).tolist(), *[0] * BLOCK]  # loaded ahead, never used
    return array("int8_t", f"weights_{index}", weights, layer=op.name, aligned=True)


def depthwise_mve(graph: Graph, op: DepthwiseConv2D, index: int, pixels: int, window: Value) -> str:
    """Return the C text that defines `params_<index>`; arguments as above."""
    packed = pack_depthwise(graph, op)
    fields: Fields = {
        "weights": f"weights_{index}",
        "table": f"table_{index}",
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
        "relu": int(packed.finish == "relu"),
        "blocks": strip_blocks(op),
        "pixels": pixels,
        "window": window,
    }
    weights, table = packed.weights.tolist(), packed.table.reshape(-1).tolist()
    return (
        array("int8_t", f"weights_{index}", weights, layer=op.name, aligned=True)
        + array("int32_t", f"table_{index}", table, aligned=True)
        + struct("esq_depthwise_mve", f"params_{index}", fields)
    )
