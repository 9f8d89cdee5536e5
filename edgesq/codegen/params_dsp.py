"""Parameters of the convolutions that run on the DSP extension, as C data.

Mirror: firmware/include/esq_dsp_ops.h.
"""

from edgesq.codegen.channels import channels_arrays
from edgesq.codegen.initializer import Fields, Value, array, clamp_fields, struct
from edgesq.codegen.params_stream import Conv, stream_array, streamed_struct, tabled_struct
from edgesq.codegen.requantization import requantize_arrays, rescaling_arrays
from edgesq.graph import Conv2D, DepthwiseConv2D, FullyConnected, Graph
from edgesq.kernels.channels import channel_fields
from edgesq.kernels.dsp import depthwise
from edgesq.kernels.dsp.pack import Packed, in_memory, pack_conv2d
from edgesq.kernels.dsp.windows import GROUP_VALUES
from edgesq.kernels.row_op import RowOp

_KIND = "esq_conv2d_dsp"


def conv2d_dsp(graph: Graph, op: Conv2D, index: int, item: RowOp, window: Value) -> Conv:
    """Return a convolution as struct esq_conv2d_dsp.

    Args:
        graph: the model.
        op: the convolution.
        index: the operator's number, in the arrays' names.
        item: how the plan runs it.
        window: struct esq_window.
    """
    coded, tabled = item.kernel.coded, item.kernel.tabled
    packed = pack_conv2d(graph, op)
    in_bits = packed.finish == "relu" and (coded or tabled)
    channels = channel_fields(graph, op) if in_bits else None
    fields: Fields = {
        "weights": "0" if coded else f"weights_{index}",
        "table": "0" if channels else f"table_{index}",
        "way": f"&esq_dsp_{_unpacking(graph, op, packed)}_{packed.finish}",
        **_end_fields(packed.finish, index),
        **clamp_fields(op.clamp),
        "output_zp": graph.tensors[op.output].zero_point,
        "pair_channels": packed.pair_channels,
        "pixels": item.kernel.pixels,
        "slide": packed.slide,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "groups": packed.groups,
        "window": window,
    }
    ends = channels_arrays(channels, index) if channels else _ends(graph, op, index, packed)
    if coded:
        arrays = stream_array(op.name, in_memory(packed.weights), index, coded)
        tiles = streamed_struct(
            coded,
            index,
            enter="esq_dsp_enter_tile",
            channels=channels,
            carries=True,
            table_row=packed.table.shape[1],
        )
        return Conv(arrays + ends + tiles, _KIND, fields, f"&streamed_{index}.tiled")
    weights = packed.weights.reshape(-1).tolist()
    arrays = array("uint32_t", f"weights_{index}", weights, layer=op.name) + ends
    if tabled and channels:
        tiles = tabled_struct(tabled, index, "esq_dsp_enter_table", channels)
        return Conv(arrays + tiles, _KIND, fields, f"&tiled_{index}")
    return Conv(arrays, _KIND, fields)


def _end_fields(finish: str, index: int) -> Fields:
    """Return what a convolution's end needs beside the table."""
    match finish:
        case "any":
            return {"multiplier": f"multiplier_{index}", "shift": f"shift_{index}"}
        case "once":
            return {"rescaling": f"rescaling_{index}"}
    return {}


def _unpacking(graph: Graph, op: Conv2D, packed: Packed) -> str:
    """Return how a convolution's windows are unpacked. Mirror: struct esq_dsp_way."""
    if graph.tensors[op.inputs[0]].hwc[2] % GROUP_VALUES != 0:
        return "staged"
    if op.window.width != packed.slide:
        return "windows"
    return "columns" if packed.slide == 1 else "slide"


def depthwise_dsp(graph: Graph, op: DepthwiseConv2D, index: int, pixels: int, window: Value) -> str:
    """Return the C text that defines `params_<index>`; arguments as above."""
    packed = depthwise.pack(graph, op)
    table = packed.table.reshape(-1).tolist()
    arrays = array("uint32_t", f"table_{index}", table, layer=op.name)
    if not packed.relu:
        arrays += requantize_arrays(graph, op, index)
    fields: Fields = {
        "table": f"table_{index}",
        **({} if packed.relu else _end_fields("any", index)),
        **clamp_fields(op.clamp),
        "output_zp": graph.tensors[op.output].zero_point,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "pixels": pixels,
        "window": window,
    }
    return arrays + struct("esq_depthwise_dsp", f"params_{index}", fields)


def _ends(graph: Graph, op: Conv2D, index: int, packed: Packed) -> str:
    text = array("int32_t", f"table_{index}", packed.table.reshape(-1).tolist())
    if isinstance(op, FullyConnected):
        return text + rescaling_arrays(graph, op, index)
    return text + (requantize_arrays(graph, op, index) if packed.finish == "any" else "")
