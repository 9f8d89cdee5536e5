"""The parameters of each operator as C data.

Mirror: the structs of firmware/include/esq_ops.h and the functions that read them.
"""

from edgesq.arithmetic import MeanParameters, mean_parameters
from edgesq.codegen.params_elementwise import softmax_params, value_params
from edgesq.codegen.params_move import pick_params
from edgesq.errors import ModelError
from edgesq.graph import (
    AveragePool2D,
    Binary,
    Conv2D,
    Convolution,
    DepthwiseConv2D,
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
from edgesq.kernels.conv_params import ConvParams
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.groups import group_count, group_graph
from edgesq.kernels.initializer import Fields, Value, clamp_fields, struct, structs
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Access

_GROUP_NUMBERS = 1000
"""Numbers that an operator's groups have for their arrays."""

MAX_WINDOW_ROWS = 32
"""Mirror: ESQ_MAX_WINDOW_ROWS."""


def params(graph: Graph, item: RowOp, index: int) -> str:
    """Return the C text that defines `params_<index>`; empty where an operator has none."""
    op = item.op
    match op:
        case _ if item.feeder:
            return _parts(graph, _conv(graph, item.feeder, item.kernel, index), item, index)
        case Binary() | Lookup():
            return value_params(graph, op, index, item.kernel)
        case Conv2D() | DepthwiseConv2D() | GroupedConv2D():
            return _convolution(graph, op, item, index)
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


def _convolution(graph: Graph, op: Convolution, item: RowOp, index: int) -> str:
    """Return the C text that defines `params_<index>` of a convolution."""
    if isinstance(op, GroupedConv2D) and item.kernel.form is Form.GROUPS:
        return _groups(graph, op, item.kernel, index)
    conv = _conv(graph, op, item.kernel, index)
    if conv.tiled != "0":
        return _parts(graph, conv, item, index)
    return conv.arrays + struct(conv.kind, f"params_{index}", conv.fields)


def _conv(graph: Graph, op: Convolution, kernel: Kernel, index: int) -> ConvParams:
    return FAMILIES[kernel.family].conv_params(graph, op, kernel, index, _ring_window(op))


def _parts(graph: Graph, conv: ConvParams, item: RowOp, index: int) -> str:
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


def _groups(graph: Graph, op: GroupedConv2D, kernel: Kernel, index: int) -> str:
    """Return the same of a grouped convolution that a kernel family runs group by group."""
    convs = []
    for group in range(group_count(graph, op)):
        own, conv = group_graph(graph, op, group)
        convs.append(_conv(own, conv, kernel, _GROUP_NUMBERS * (index + 1) + group))
    kind = f"struct {convs[0].kind}"
    fields: Fields = {
        "run": f"esq_run_conv2d_{kernel.family}",
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
