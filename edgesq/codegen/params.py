"""The parameters of each operator as C data, one template each.

Mirror: the structs of firmware/include/esq_ops.h and the functions that read them.
"""

import numpy as np

from edgesq.arithmetic import MeanParameters, mean_parameters
from edgesq.codegen.params_dsp import conv2d_dsp, depthwise_dsp
from edgesq.codegen.params_elementwise import softmax_params, value_params
from edgesq.codegen.params_move import pick_params
from edgesq.codegen.params_mve import conv2d_mve, depthwise_mve
from edgesq.codegen.params_stream import ConvText, stream_array, streamed_fields
from edgesq.codegen.requantization import requantize_arrays, rescaling_arrays
from edgesq.codegen.text import comment, row, rows, template
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
    op, feeder, kernel = item.op, item.feeder, item.kernel
    family = "" if kernel.family == PORTABLE else kernel.family
    suffix = "_streamed" if kernel.coded else ""
    if feeder:
        text = _conv2d(graph, feeder, item, index, family)
        return template(f"conv2d_reduce{suffix}.c").substitute(
            family=f"_{family}" if family else "",
            index=index,
            arrays=text.arrays,
            conv_fields=text.fields,
            streamed=text.streamed,
            rows=row(_rows_slot(graph, feeder)),
            reduce_fields=_reduce_fields(graph, op),
        )
    match op:
        case Binary() | Lookup():
            return value_params(graph, op, index, kernel)
        case Conv2D() | DepthwiseConv2D() | GroupedConv2D():
            return _convolution(graph, item, op, index, family)
        case AveragePool2D() | Mean() if item.access is Access.REDUCE:
            fields = _reduce_fields(graph, op)
            return template("reduce.c").substitute(
                name=comment(op.name), index=index, fields=fields
            )
        case MaxPool2D() | AveragePool2D():
            return _pool(op, index)
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
        case FullyConnected() if not family:
            return template("fully_connected.c").substitute(
                index=index,
                arrays=_weights(graph, op, index)
                + _bias(graph, op, index)
                + rescaling_arrays(graph, op, index),
                fields=_conv2d_fields(
                    graph, op, index, weights=f"weights_{index}", multiplier="0", shift="0"
                ),
            )
        case GroupedConv2D() if family:
            return _groups(graph, item, op, index, family)
        case GroupedConv2D():
            text = _conv2d(graph, op, item, index, family)
            return template("grouped_conv2d.c").substitute(
                index=index,
                arrays=text.arrays,
                fields=text.fields,
                depth=graph.tensors[op.weights].shape[3],
            )
        case DepthwiseConv2D() if family == "dsp":
            return depthwise_dsp(graph, op, index, item.kernel.pixels, _ring_window(op))
        case DepthwiseConv2D() if family == "mve":
            return depthwise_mve(graph, op, index, item.kernel.pixels, _ring_window(op))
    text = _conv2d(graph, op, item, index, family)
    kind = "_streamed" if item.kernel.coded else "_tabled" if item.kernel.tabled else ""
    return template(f"conv2d{kind}.c").substitute(
        family=f"_{family}" if family else "",
        index=index,
        arrays=text.arrays,
        fields=text.fields,
        streamed=text.streamed,
    )


def _groups(graph: Graph, item: RowOp, op: GroupedConv2D, index: int, family: str) -> str:
    """Return the same of a grouped convolution that a kernel family runs group by group."""
    texts = []
    for group in range(group_count(graph, op)):
        own, conv = group_graph(graph, op, group)
        texts.append(_conv2d(own, conv, item, _GROUP_NUMBERS * (index + 1) + group, family))
    return template("grouped_conv2d_family.c").substitute(
        family=family,
        index=index,
        arrays="".join(text.arrays for text in texts),
        convs="".join(f"    {{\n{text.fields}    }},\n" for text in texts),
        groups=len(texts),
    )


def _window(window: Window) -> str:
    return row(
        (
            window.height,
            window.width,
            window.stride_h,
            window.stride_w,
            window.pad_top,
            window.pad_left,
        )
    )


def _ring_window(op: Convolution | AveragePool2D) -> str:
    if op.window.height > MAX_WINDOW_ROWS:
        raise ModelError(
            f"the window is {op.window.height} rows tall, the runtime takes {MAX_WINDOW_ROWS}",
            where=op.name,
            hint="use a smaller kernel, or a global pool",
        )
    return _window(op.window)


def _conv2d(graph: Graph, op: Convolution, item: RowOp, index: int, family: str) -> ConvText:
    """Return a convolution's arrays and the fields of its struct."""
    pixels, coded = item.kernel.pixels, item.kernel.coded
    match family:
        case "dsp" if isinstance(op, Conv2D):
            return conv2d_dsp(graph, op, index, item, _ring_window(op))
        case "mve" if isinstance(op, Conv2D):
            return conv2d_mve(graph, op, index, pixels, _ring_window(op), coded)
    fields = _conv2d_fields(
        graph,
        op,
        index,
        weights="0" if coded else f"weights_{index}",
        multiplier=f"multiplier_{index}",
        shift=f"shift_{index}",
    )
    ends = _bias(graph, op, index) + requantize_arrays(graph, op, index)
    if coded is None:
        return ConvText(_weights(graph, op, index) + ends, fields)
    weights = graph.constant(op.weights)
    stream = stream_array(op.name, weights.astype(np.int8), index, coded)
    return ConvText(stream + ends, fields, streamed_fields(coded, index))


def _weights(graph: Graph, op: Convolution, index: int) -> str:
    weights = graph.constant(op.weights)
    return template("weights.c").substitute(
        name=comment(op.name),
        index=index,
        count=weights.size,
        values=rows(weights.reshape(-1).tolist()),
    )


def _bias(graph: Graph, op: Convolution, index: int) -> str:
    bias = graph.constant(op.bias)
    return template("bias.c").substitute(index=index, count=bias.size, values=rows(bias.tolist()))


def _conv2d_fields(
    graph: Graph, op: Convolution, index: int, *, weights: str, multiplier: str, shift: str
) -> str:
    return template("conv2d_fields.c").substitute(
        index=index,
        weights=weights,
        multiplier=multiplier,
        shift=shift,
        window=_ring_window(op),
        input_zp=graph.tensors[op.inputs[0]].zero_point,
        output_zp=graph.tensors[op.output].zero_point,
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )


def _rows_slot(graph: Graph, op: Conv2D) -> tuple[int, ...]:
    """Return struct esq_slot of a convolution's output that lives nowhere."""
    height, width, channels = graph.tensors[op.output].hwc
    return (0, width * channels, 1, height, width, channels, channels)


def _pool(op: MaxPool2D | AveragePool2D, index: int) -> str:
    return template("pool.c").substitute(
        name=comment(op.name),
        index=index,
        window=_ring_window(op) if isinstance(op, AveragePool2D) else _window(op.window),
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )


def _reduce_fields(graph: Graph, op: Op) -> str:
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    numbers = mean_parameters(graph, op) if isinstance(op, Mean) else MeanParameters(0, 0, 0)
    clamp = op.clamp if isinstance(op, AveragePool2D) else (-128, 127)
    return template("reduce_fields.c").substitute(
        finish="esq_finish_mean" if isinstance(op, Mean) else "esq_finish_average_pool",
        pixels=source.hwc[0] * source.hwc[1],
        multiplier=numbers.multiplier,
        offset=numbers.offset,
        output_zp=result.zero_point,
        shift=numbers.shift,
        clamp_min=clamp[0],
        clamp_max=clamp[1],
    )
