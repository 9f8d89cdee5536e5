"""Parameters of the convolutions that run on the DSP extension, as C data.

Mirror: firmware/include/esq_dsp_ops.h.
"""

import numpy as np

from edgesq.arithmetic import Int64Array, as_int32, conv2d_multipliers
from edgesq.graph import Graph
from edgesq.kernels.conv_params import (
    ConvParams,
    channels_arrays,
    channels_fields,
    requantize_arrays,
    rescaling_arrays,
    stream_array,
    streamed_struct,
    tabled_struct,
)
from edgesq.kernels.dsp import depthwise, depthwise_windows
from edgesq.kernels.dsp.endings import Ending, constants, ending, short_channels
from edgesq.kernels.dsp.pack import Packed, in_memory, pack_conv2d
from edgesq.kernels.dsp.squares import SCALES, in_squares, rows_of
from edgesq.kernels.dsp.windows import GROUP_VALUES
from edgesq.kernels.dsp.winograd import BLOCK, columns_together, transform_weights
from edgesq.kernels.initializer import Fields, Value, array, clamp_fields, structs
from edgesq.kernels.kernel import Coded, Form, Kernel, Tabled
from edgesq.operators import Conv2D, Convolution, DepthwiseConv2D, FullyConnected

_KIND = "esq_conv2d_dsp"


def conv_params(
    graph: Graph, op: Convolution, kernel: Kernel, index: int, window: Value
) -> ConvParams:
    """Return a convolution as the struct that its kernel takes; see `Family.conv_params`."""
    if isinstance(op, DepthwiseConv2D) and not depthwise.fits(graph, op):
        return depthwise_windows.conv_params(graph, op, kernel, index, window)
    if isinstance(op, DepthwiseConv2D):
        return _depthwise(graph, op, kernel, index, window)
    assert isinstance(op, Conv2D)
    if kernel.form is Form.WINOGRAD:
        return _winograd(graph, op, kernel.coded, index, window)
    if kernel.form is Form.SQUARES:
        return _squares(graph, op, rows_of(kernel), index, window)
    return _conv2d(graph, op, kernel, index, window)


def _conv2d(graph: Graph, op: Conv2D, kernel: Kernel, index: int, window: Value) -> ConvParams:
    """Return a convolution as struct esq_conv2d_dsp."""
    coded, tabled = kernel.coded, kernel.tabled
    packed = pack_conv2d(graph, op)
    end = packed.ending
    channels = short_channels(graph, op) if coded or tabled else None
    unpacking = _unpacking(graph, op, packed)
    fields: Fields = {
        "weights": "0" if coded else f"weights_{index}",
        "table": "0" if channels else f"table_{index}",
        "way": f"&esq_dsp_{unpacking}_{end.form}",
        **_end_fields(end, index, unpacking),
        **clamp_fields(op.clamp),
        "output_zp": graph.tensors[op.output].zero_point,
        "pair_channels": packed.pair_channels,
        "pixels": kernel.pixels,
        "slide": packed.slide,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "groups": packed.groups,
        "window": window,
    }
    ends = channels_arrays(channels, index) if channels else _table(packed, index)
    ends += _ends(graph, op, index, end)
    if coded:
        arrays = stream_array(op.name, in_memory(packed.weights), index, coded)
        tiles = streamed_struct(
            coded,
            index,
            enter="esq_dsp_enter_tile",
            channels=channels,
            carries=True,
            table_row=packed.table.shape[1] if end.is_short else 0,
        )
        return ConvParams(arrays + ends + tiles, _KIND, fields, f"&streamed_{index}.tiled")
    weights = packed.weights.reshape(-1).tolist()
    arrays = array("uint32_t", f"weights_{index}", weights, layer=op.name) + ends
    if tabled and channels:
        tiles = tabled_struct(tabled, index, "esq_dsp_enter_table", channels)
        return ConvParams(arrays + tiles, _KIND, fields, f"&tiled_{index}")
    return ConvParams(arrays, _KIND, fields)


def _end_fields(end: Ending, index: int, unpacking: str) -> Fields:
    """Return what a convolution's end needs beside the table."""
    if end.odd:
        return {"odd": f"odd_{index}", "odd_way": f"&esq_dsp_{unpacking}_odd"}
    match end.form:
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


def _depthwise(
    graph: Graph, op: DepthwiseConv2D, kernel: Kernel, index: int, window: Value
) -> ConvParams:
    """Return a depthwise convolution as struct esq_depthwise_dsp, or with its table to be made."""
    packed = depthwise.pack(graph, op)
    arrays = array("uint8_t", f"ends_{index}", packed.ends.tolist())
    exact: Fields = {}
    if depthwise.ANY in packed.ends:
        arrays += requantize_arrays(graph, op, index)
        exact = {"multiplier": f"multiplier_{index}", "shift": f"shift_{index}"}
    fields: Fields = {
        "table": "0" if kernel.tabled else f"table_{index}",
        "ends": f"ends_{index}",
        **exact,
        **clamp_fields(op.clamp),
        "output_zp": graph.tensors[op.output].zero_point,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "pixels": kernel.pixels,
        "window": window,
    }
    if kernel.tabled:
        return _depthwise_tabled(graph, op, kernel.tabled, index, (arrays, fields))
    table = packed.table.reshape(-1).tolist()
    arrays += array("uint32_t", f"table_{index}", table, layer=op.name)
    return ConvParams(arrays, "esq_depthwise_dsp", fields)


def _depthwise_tabled(
    graph: Graph,
    op: DepthwiseConv2D,
    tabled: Tabled,
    index: int,
    own: tuple[str, Fields],
) -> ConvParams:
    """Return a depthwise convolution as struct esq_depthwise_tabled_dsp.

    Args:
        graph: the model.
        op: the convolution.
        tabled: how its table is made.
        index: the operator's number, in the arrays' names.
        own: arrays and fields of its struct esq_depthwise_dsp.
    """
    channels = depthwise.channels(graph, op)
    assert channels is not None
    taps = depthwise.taps(graph, op).reshape(-1).tolist()
    arrays = own[0] + array("int8_t", f"weights_{index}", taps, layer=op.name)
    fields: Fields = {
        "conv": own[1],
        "taps": f"weights_{index}",
        "channels": channels_fields(channels, index),
        "table_offset_bytes": tabled.rows_offset,
        "tile": tabled.tile,
    }
    return ConvParams(arrays + channels_arrays(channels, index), "esq_depthwise_tabled_dsp", fields)


def _table(packed: Packed, index: int) -> str:
    return array("int32_t", f"table_{index}", packed.table.reshape(-1).tolist())


def _ends(graph: Graph, op: Conv2D, index: int, end: Ending) -> str:
    """Return what a convolution's end needs beside the table."""
    if isinstance(op, FullyConnected):
        return rescaling_arrays(graph, op, index)
    if end.form == "any":
        return requantize_arrays(graph, op, index)
    return _odd_channels(graph, op, index, end) if end.odd else ""


def _odd_channels(graph: Graph, op: Conv2D, index: int, end: Ending) -> str:
    """Return `odd_<index>`. Mirror: struct esq_dsp_odd."""
    bias = graph.constant(op.bias)
    multiplier, shift = conv2d_multipliers(graph, op)
    elements = [
        (str(bias[channel]), str(multiplier[channel]), str(channel), str(shift[channel]))
        for channel in end.odd
    ]
    elements.append(("0", "0", "ESQ_NO_CHANNEL", "0"))
    return structs("struct esq_dsp_odd", f"odd_{index}", elements)


def _winograd(
    graph: Graph, op: Conv2D, coded: Coded | None, index: int, window: Value
) -> ConvParams:
    """Return a convolution as struct esq_winograd."""
    weights = graph.constant(op.weights).astype(np.int8)
    in_bits = coded and not ending(graph, op).odd  # whose fields hold nothing of their own
    channels = short_channels(graph, op) if in_bits else None
    fields: Fields = {
        "weights": "0" if coded else f"weights_{index}",
        "table": "0" if channels else f"table_{index}",
        "streamed": f"&streamed_{index}" if coded else "0",
        "window": window,
        "steps": weights[0].size // 6,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
    }
    if coded:
        arrays = stream_array(op.name, columns_together(weights), index, coded)
    else:
        words = transform_weights(weights).reshape(-1).tolist()
        arrays = array("uint32_t", f"weights_{index}", words, layer=op.name)
    if channels:
        arrays += channels_arrays(channels, index)
    else:
        table = _winograd_table(graph, op).reshape(-1).tolist()
        arrays += array("int32_t", f"table_{index}", table)
    if coded:
        arrays += streamed_struct(coded, index, channels=channels)
    return ConvParams(arrays, "esq_winograd", fields)


def _squares(graph: Graph, op: Conv2D, rows: int, index: int, window: Value) -> ConvParams:
    """Return a convolution as struct esq_winograd, its weights to be transformed."""
    weights = graph.constant(op.weights).astype(np.int8)
    words = np.ascontiguousarray(in_squares(weights)).reshape(-1).view(np.uint32)
    arrays = array("uint32_t", f"weights_{index}", words.tolist(), layer=op.name)
    table = _squares_table(graph, op, rows).reshape(-1).tolist()
    arrays += array("int32_t", f"table_{index}", table)
    fields: Fields = {
        "weights": f"weights_{index}",
        "table": f"table_{index}",
        "squares": f"&esq_dsp_squares_of_{rows}",
        "window": window,
        "steps": weights.shape[3] // 2,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
    }
    return ConvParams(arrays, "esq_winograd", fields)


def _winograd_table(graph: Graph, op: Conv2D) -> Int64Array:
    bias = graph.constant(op.bias)
    ends = _short_ends(graph, op).reshape(-1, 3 * BLOCK)
    return np.concatenate([bias.astype(np.int64).reshape(-1, BLOCK), ends], axis=1)


def _squares_table(graph: Graph, op: Conv2D, rows: int) -> Int64Array:
    bias = as_int32(SCALES[rows] * graph.constant(op.bias).astype(np.int64))
    return np.concatenate([_short_ends(graph, op), bias[:, np.newaxis]], axis=1)


def _short_ends(graph: Graph, op: Conv2D) -> Int64Array:
    """Return multiplier, constant and right shift of each channel, [O, 3]."""
    multiplier, shift = conv2d_multipliers(graph, op)
    constant = constants(-shift, graph.tensors[op.output].zero_point)
    return np.stack([multiplier, constant, -shift], axis=1)
