"""The parameters of each operator as C data.

Mirror: the structs of firmware/include/esq_ops.h and the functions that read them.
"""

import numpy as np

from edgesq.arithmetic import MeanParameters, mean_parameters
from edgesq.codegen.initializer import Fields, Value, array, clamp_fields, struct, structs
from edgesq.codegen.params_dsp import conv2d_dsp, depthwise_dsp
from edgesq.codegen.params_elementwise import softmax_params, value_params
from edgesq.codegen.params_move import pick_params
from edgesq.codegen.params_mve import conv2d_mve, depthwise_mve
from edgesq.codegen.params_stream import Conv, stream_array, streamed_struct
from edgesq.codegen.requantization import requantize_arrays, rescaling_arrays
from edgesq.codegen.winograd import winograd
from edgesq.errors import ModelError
from edgesq.graph import (
    AveragePool2D,
    Binary,
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    FullyConnected,
    Graph,
    GroupedConv2D,
    Lookup,
    MaxPool2D,
    Mean,
    Op,
    Pick,
    Softmax,
    Window,
)
from edgesq.kernels.groups import group_count, group_graph
from edgesq.kernels.kernel import PORTABLE, Form
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Access

_GROUP_NUMBERS = 1000
"""Numbers that an operator's groups have for their arrays."""

MAX_WINDOW_ROWS = 32
"""Mirror: ESQ_MAX_WINDOW_ROWS."""


def params(graph: Graph, item: RowOp, index: int) -> str:
    """Return the C text that defines `params_<index>`; empty where an operator has none."""
    op = item.op
    family = item.kernel.family
    match op:
        case _ if item.feeder:
            return _parts(graph, _conv2d(graph, item.feeder, item, index, family), item, index)
        case Binary() | Lookup():
            return value_params(graph, op, index, item.kernel)
        case Conv2D() | DepthwiseConv2D() | GroupedConv2D():
            return _convolution(graph, item, op, index, family)
        case AveragePool2D() | Mean() if item.access is Access.REDUCE:
            return struct("esq_reduce", f"params_{index}", _reduce_fields(graph, op), layer=op.name)
        case MaxPool2D() | AveragePool2D():
            fields: Fields = {"window": _pool_window(op), **clamp_fields(op.clamp)}
            return struct("esq_pool", f"params_{index}", fields, layer=op.name)
        case Pick():
            return pick_params(op, index)
        case Softmax():
            return softmax_params(graph, op, index)
    return ""


def _convolution(graph: Graph, item: RowOp, op: Convolution, index: int, family: str) -> str:
    """Return the C text that defines `params_<index>` of a convolution."""
    match op:
        case Conv2D() if item.kernel.form is Form.WINOGRAD:
            return winograd(graph, op, index, _ring_window(op), item.kernel.coded)
        case GroupedConv2D() if family != PORTABLE:
            return _groups(graph, item, op, index, family)
        case DepthwiseConv2D() if family == "dsp":
            return depthwise_dsp(graph, op, index, item.kernel.pixels, _ring_window(op))
        case DepthwiseConv2D() if family == "mve":
            return depthwise_mve(graph, op, index, item.kernel.pixels, _ring_window(op))
    conv = _conv2d(graph, op, item, index, family)
    if item.kernel.coded or item.kernel.tabled:
        return _parts(graph, conv, item, index)
    return conv.arrays + struct(conv.kind, f"params_{index}", conv.fields)


def _parts(graph: Graph, conv: Conv, item: RowOp, index: int) -> str:
    """Return the same of a convolution with parts that not every one has."""
    prefix = f"esq_{item.kernel.family}"
    fields: Fields = {
        "conv": f"&conv_{index}",
        "compute": "0" if item.feeder else f"{prefix}_compute",
        "tiled": conv.tiled,
        "mean": f"&mean_{index}" if item.feeder else "0",
    }
    text = conv.arrays + struct(conv.kind, f"conv_{index}", conv.fields)
    if item.feeder:
        mean: Fields = {
            "add": f"{prefix}_add_row",
            "rows": _rows_slot(graph, item.feeder),
            "reduce": _reduce_fields(graph, item.op),
        }
        text += struct("esq_mean", f"mean_{index}", mean)
    return text + struct("esq_conv2d_parts", f"params_{index}", fields)


def _groups(graph: Graph, item: RowOp, op: GroupedConv2D, index: int, family: str) -> str:
    """Return the same of a grouped convolution that a kernel family runs group by group."""
    convs = []
    for group in range(group_count(graph, op)):
        own, conv = group_graph(graph, op, group)
        convs.append(_conv2d(own, conv, item, _GROUP_NUMBERS * (index + 1) + group, family))
    kind = f"struct {convs[0].kind}"
    fields: Fields = {
        "run": f"esq_run_conv2d_{family}",
        "convs": f"convs_{index}",
        "conv_bytes": f"sizeof({kind})",
        "count": len(convs),
    }
    return (
        "".join(conv.arrays for conv in convs)
        + structs(kind, f"convs_{index}", [conv.fields for conv in convs])
        + struct("esq_groups", f"params_{index}", fields)
    )


def _window(window: Window) -> Value:
    return (
        window.height,
        window.width,
        window.stride_h,
        window.stride_w,
        window.pad_top,
        window.pad_left,
    )


def _ring_window(op: Convolution | AveragePool2D) -> Value:
    if op.window.height > MAX_WINDOW_ROWS:
        raise ModelError(
            f"the window is {op.window.height} rows tall, the runtime takes {MAX_WINDOW_ROWS}",
            where=op.name,
            hint="use a smaller kernel, or a global pool",
        )
    return _window(op.window)


def _pool_window(op: MaxPool2D | AveragePool2D) -> Value:
    return _ring_window(op) if isinstance(op, AveragePool2D) else _window(op.window)


def _conv2d(graph: Graph, op: Convolution, item: RowOp, index: int, family: str) -> Conv:
    """Return a convolution for the kernels of a family."""
    match family:
        case "dsp" if isinstance(op, Conv2D):
            return conv2d_dsp(graph, op, index, item, _ring_window(op))
        case "mve" if isinstance(op, Conv2D):
            return conv2d_mve(graph, op, index, item, _ring_window(op))
    weights = graph.constant(op.weights).astype(np.int8)
    bias = array("int32_t", f"bias_{index}", graph.constant(op.bias).tolist())
    fields = _conv2d_fields(graph, op, item, index)
    if isinstance(op, FullyConnected):
        ends = bias + rescaling_arrays(graph, op, index)
    else:
        ends = bias + requantize_arrays(graph, op, index)
    if item.kernel.coded is None:
        numbers = weights.reshape(-1).tolist()
        arrays = array("int8_t", f"weights_{index}", numbers, layer=op.name)
        return Conv(arrays + ends, "esq_conv2d", fields)
    stream = stream_array(op.name, weights, index, item.kernel.coded)
    tiles = streamed_struct(item.kernel.coded, index, enter="esq_portable_enter_tile")
    return Conv(stream + ends + tiles, "esq_conv2d", fields, f"&streamed_{index}.tiled")


def _conv2d_fields(graph: Graph, op: Convolution, item: RowOp, index: int) -> Fields:
    ends: Fields = {"multiplier": f"multiplier_{index}", "shift": f"shift_{index}"}
    if isinstance(op, FullyConnected):
        ends = {"rescaling": f"rescaling_{index}"}
    return {
        "weights": "0" if item.kernel.coded else f"weights_{index}",
        "bias": f"bias_{index}",
        **ends,
        "window": _ring_window(op),
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
        "depth": 1 if isinstance(op, DepthwiseConv2D) else graph.tensors[op.weights].shape[3],
    }


def _rows_slot(graph: Graph, op: Conv2D) -> Value:
    """Return struct esq_slot of a convolution's output that lives nowhere."""
    height, width, channels = graph.tensors[op.output].hwc
    return (0, width * channels, 1, height, width, channels, channels)


def _reduce_fields(graph: Graph, op: Op) -> Fields:
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    numbers = mean_parameters(graph, op) if isinstance(op, Mean) else MeanParameters(0, 0, 0)
    clamp = op.clamp if isinstance(op, AveragePool2D) else (-128, 127)
    return {
        "finish": "esq_finish_mean" if isinstance(op, Mean) else "esq_finish_average_pool",
        "pixels": source.hwc[0] * source.hwc[1],
        "multiplier": numbers.multiplier,
        "offset": numbers.offset,
        "output_zp": result.zero_point,
        "shift": numbers.shift,
        **clamp_fields(clamp),
    }
