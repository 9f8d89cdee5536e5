"""The parameters of each operator as C data, one template each.

Mirror: the structs of firmware/include/esq_ops.h and the functions that read them.
"""

from edgesq.arithmetic import (
    add_parameters,
    conv2d_multipliers,
    mean_parameters,
    softmax_exp_table,
)
from edgesq.codegen.text import comment, row, rows, template
from edgesq.errors import ModelError
from edgesq.graph import (
    Add,
    AveragePool2D,
    Concatenation,
    Conv2D,
    Graph,
    MaxPool2D,
    Mean,
    Op,
    Reshape,
    Softmax,
    Window,
)
from edgesq.plan import is_global

MAX_WINDOW_ROWS = 32
"""Mirror: ESQ_MAX_WINDOW_ROWS."""


def run_function(graph: Graph, op: Op) -> str:
    """Return the name of the C function that runs an operator's bands."""
    if is_global(graph, op):
        return "esq_run_global_average_pool"
    return {
        Conv2D: "esq_run_conv2d",
        MaxPool2D: "esq_run_max_pool",
        AveragePool2D: "esq_run_average_pool",
        Mean: "esq_run_mean",
        Add: "esq_run_add",
        Softmax: "esq_run_softmax",
        Concatenation: "esq_run_copy",
        Reshape: "esq_run_reshape",
    }[type(op)]


def params(graph: Graph, op: Op, index: int) -> str:
    """Return the C text that defines `params_<index>`; empty where an operator has none."""
    match op:
        case Conv2D():
            return _conv2d(graph, op, index)
        case MaxPool2D() | AveragePool2D():
            return _pool(graph, op, index)
        case Mean():
            return _mean(graph, op, index)
        case Add():
            return _add(graph, op, index)
        case Softmax():
            return template("softmax.c").substitute(
                name=comment(op.name), index=index, exp=rows(softmax_exp_table(graph, op).tolist())
            )
    return ""


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


def _ring_window(op: Conv2D | MaxPool2D | AveragePool2D) -> str:
    if op.window.height > MAX_WINDOW_ROWS:
        raise ModelError(
            f"the window is {op.window.height} rows tall, the runtime takes {MAX_WINDOW_ROWS}",
            where=op.name,
            hint="use a smaller kernel, or a global pool",
        )
    return _window(op.window)


def _conv2d(graph: Graph, op: Conv2D, index: int) -> str:
    weights, bias = graph.tensors[op.weights].data, graph.tensors[op.bias].data
    assert weights is not None
    assert bias is not None
    multiplier, shift = conv2d_multipliers(graph, op)
    return template("conv2d.c").substitute(
        name=comment(op.name),
        index=index,
        weight_count=weights.size,
        channels=bias.size,
        weights=rows(weights.reshape(-1).tolist()),
        bias=rows(bias.tolist()),
        multiplier=rows(multiplier.tolist()),
        shift=rows(shift.tolist()),
        window=_ring_window(op),
        input_zp=graph.tensors[op.inputs[0]].zero_point,
        output_zp=graph.tensors[op.output].zero_point,
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )


def _pool(graph: Graph, op: MaxPool2D | AveragePool2D, index: int) -> str:
    rings = isinstance(op, AveragePool2D) and not is_global(graph, op)
    return template("pool.c").substitute(
        name=comment(op.name),
        index=index,
        window=_ring_window(op) if rings else _window(op.window),
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )


def _mean(graph: Graph, op: Mean, index: int) -> str:
    parameters = mean_parameters(graph, op)
    return template("mean.c").substitute(
        name=comment(op.name),
        index=index,
        multiplier=parameters.multiplier,
        offset=parameters.offset,
        output_zp=graph.tensors[op.output].zero_point,
        shift=parameters.shift,
    )


def _add(graph: Graph, op: Add, index: int) -> str:
    parameters = add_parameters(graph, op)
    return template("add.c").substitute(
        name=comment(op.name),
        index=index,
        multiplier=row(parameters.multiplier),
        output_multiplier=parameters.output_multiplier,
        input_zp=row(graph.tensors[source].zero_point for source in op.inputs),
        output_zp=graph.tensors[op.output].zero_point,
        shift=row(parameters.shift),
        output_shift=parameters.output_shift,
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )
