"""Portable C: a kernel for every operator, which the other families fall back to."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from edgesq.arithmetic import softmax_exp_table
from edgesq.graph import Graph
from edgesq.kernels import pairs
from edgesq.kernels.affine import affine
from edgesq.kernels.coded import tile_kernels
from edgesq.kernels.cost import Prices, operator_instructions
from edgesq.kernels.decoding import Decoding
from edgesq.kernels.family import ANY_CORE, Family, requantization_bytes
from edgesq.kernels.kernel import CONV_PARTS, Form, Kernel
from edgesq.kernels.kernel import PORTABLE as NAME
from edgesq.kernels.portable_params import conv_params
from edgesq.kernels.row_op import RowOp
from edgesq.lookup import has_table
from edgesq.operators import (
    OUTSIDE,
    Access,
    Add,
    AddInt16,
    AveragePool2D,
    AveragePool2DInt16,
    Binary,
    Concatenation,
    Conv2D,
    Conv2DInt16,
    DepthToSpace,
    DepthwiseConv2D,
    DepthwiseConv2DInt16,
    FullyConnected,
    FullyConnectedInt16,
    GroupedConv2D,
    HalvesUpPool2D,
    Int16,
    LogisticInt16,
    Lstm,
    Maximum,
    MaxPool2D,
    MaxPool2DInt16,
    MeanAlong,
    Minimum,
    Mul,
    Op,
    Pick,
    Prelu,
    ReduceMax,
    ReduceMin,
    Reduction,
    RescaleInt16,
    Reshape,
    ResizeBilinear,
    Softmax,
    SoftmaxInt16,
    SpaceToDepth,
    SquaredDifference,
    Sub,
    Sum,
    Svdf,
    TanhInt16,
    Transpose,
    TransposeConv,
    handler,
)

STRIP_PIXELS = 2
"""Pixels of a feeder's output held at a time. Mirror: ESQ_STRIP_PIXELS."""

_REQUANTIZATION_BYTES = 5
"""Per channel: a multiplier and a shift."""

_NAMES: dict[type[Op], str] = {
    Add: "esq_run_add",
    Sub: "esq_run_add",
    Mul: "esq_run_mul",
    Maximum: "esq_run_maximum",
    Minimum: "esq_run_minimum",
    SquaredDifference: "esq_run_squared_difference",
    Prelu: "esq_run_prelu",
    Conv2D: "esq_run_conv2d",
    FullyConnected: "esq_run_fully_connected",
    GroupedConv2D: "esq_run_grouped_conv2d",
    TransposeConv: "esq_run_conv2d",
    DepthwiseConv2D: "esq_run_depthwise_conv2d",
    Pick: "esq_run_pick",
    ResizeBilinear: "esq_run_resize_bilinear",
    SpaceToDepth: "esq_run_space_to_depth",
    DepthToSpace: "esq_run_depth_to_space",
    MaxPool2D: "esq_run_max_pool",
    AveragePool2D: "esq_run_average_pool",
    HalvesUpPool2D: "esq_run_halves_up_pool",
    Softmax: "esq_run_softmax",
    Concatenation: "esq_run_copy",
    MeanAlong: "esq_run_sum",
    Sum: "esq_run_sum",
    ReduceMax: "esq_run_extreme",
    ReduceMin: "esq_run_extreme",
    Transpose: "esq_run_transpose",
    Reshape: "esq_run_reshape",
    AddInt16: "esq_run_add_s16",
    AveragePool2DInt16: "esq_run_average_pool_s16",
    Conv2DInt16: "esq_run_conv2d_s16",
    DepthwiseConv2DInt16: "esq_run_depthwise_conv2d_s16",
    FullyConnectedInt16: "esq_run_fully_connected_s16",
    LogisticInt16: "esq_run_logistic_s16",
    MaxPool2DInt16: "esq_run_max_pool_s16",
    RescaleInt16: "esq_run_rescale_s16",
    SoftmaxInt16: "esq_run_softmax_s16",
    TanhInt16: "esq_run_tanh_s16",
    Svdf: "esq_run_svdf",
    Lstm: "esq_run_lstm",
}

_LINE_BYTES, _EXPONENTIAL_BYTES = 8, 4
"""A slope with its offset, one of the exponentials that are not 0."""

_FORM_BYTES = {Form.TABLE: 256, Form.SUM: 256}
"""Answers, or corrections, to all values."""

_SUM_BYTES = 4
"""Of what is added up along axes, or compared."""

_GATES_BYTES = 8
"""Of working memory per unit of an LSTM: int16 of each of its gates."""

_INDEX_BYTES = 2
"""Per row and per column of what a Pick makes, and per channel of a table of them."""

PRICES = Prices(
    values={
        "ADD": {"out": 68.8},
        "SUB": {"out": 68.8},
        "MUL": {"out": 31.3},
        "MAXIMUM": {"out": 17.0},
        "MINIMUM": {"out": 17.0},
        "SQUARED_DIFFERENCE": {"out": 71.0},
        "PRELU": {"out": 36.0},
        "a weighted sum": {"out": 12.4},
        "by a constant": {"out": 19.9},
        "a table": {"out": 4.2},
        "MAX_POOL_2D": {"in": 18.3},
        "AVERAGE_POOL_2D": {"taps": 8.0, "out": 38.0},
        "along axes": {"in": 12.0, "out": 44.0},
        "TRANSPOSE": {"out": 6.0},
        "a sum of the map": {"in": 6.0, "out": 38.0},
        "SVDF": {"macs": 6.5, "out": 60.0},
        "UNIDIRECTIONAL_SEQUENCE_LSTM": {"macs": 6.0, "out": 1400.0},
        "SOFTMAX": {"out": 43.0, "pixels": 300.0},
        "RESIZE_BILINEAR": {"out": 30.0},
        "ADD of int16": {"out": 70.0},
        "SUB of int16": {"out": 70.0},
        "QUANTIZE of int16": {"out": 25.0},
        "RELU of int16": {"out": 25.0},
        "RELU6 of int16": {"out": 25.0},
        "LOGISTIC of int16": {"out": 40.0},
        "TANH of int16": {"out": 40.0},
        "MAX_POOL_2D of int16": {"in": 18.3},
        "AVERAGE_POOL_2D of int16": {"taps": 8.0, "out": 38.0},
        "SOFTMAX of int16": {"out": 100.0, "calls": 300.0},
        "a move": {"out": 3.0},
    },
    summed=9.0,
    decoding=Decoding(10.0, (16.0, 37.0, 52.0, 62.0, 75.0)),
)
"""Of a Cortex-M3."""


def portable_kernel(graph: Graph, op: Op, feeder: Conv2D | None, access: Access) -> Kernel:
    """Return the portable kernel of an operator, which there is for all of them.

    Args:
        graph: the model.
        op: the operator.
        feeder: the convolution whose results it adds up, if there is one.
        access: how it walks its rows.
    """
    if isinstance(op, Int16):
        reduces = access is Access.REDUCE
        return Kernel(NAME, "esq_run_reduce_s16" if reduces else handler(_NAMES, type(op)))
    if op.is_valuewise:
        form, name = _value_form(graph, op)
        return Kernel(NAME, name, form)
    if isinstance(op, Reduction):
        work_bytes = 0 if access is Access.REDUCE else sums_bytes(graph, op)
        return Kernel(NAME, handler(_NAMES, type(op)), work_bytes=work_bytes)
    if access is not Access.REDUCE:
        work_bytes = op.cell.count * _GATES_BYTES if isinstance(op, Lstm) else 0
        return Kernel(NAME, handler(_NAMES, type(op)), work_bytes=work_bytes)
    if feeder is None:
        return Kernel(NAME, "esq_run_reduce")
    strip_bytes = STRIP_PIXELS * graph.tensors[feeder.output].hwc[2]
    return Kernel(NAME, CONV_PARTS, work_bytes=strip_bytes)


def sums_bytes(graph: Graph, op: Op) -> int:
    """Return what the sums of an operator take, one for each value of an output row."""
    _, width, channels = graph.tensors[op.output].hwc
    return _SUM_BYTES * width * channels


def constant_bytes(graph: Graph, item: RowOp) -> int:
    """Return the flash that an operator's tables take, apart from a convolution's."""
    if isinstance(item.op, Int16):
        return 0
    return _FORM_BYTES.get(item.kernel.form, 0) + sum(
        count(graph, item.op) for cls, count in _CONSTANTS.items() if isinstance(item.op, cls)
    )


def _lines_bytes(graph: Graph, op: Binary) -> int:
    """Return the bytes of slopes and offsets that stand for a constant per channel."""
    shapes = [graph.tensors[index].shape for index in graph.constants(op)]
    return sum(shape[0] * _LINE_BYTES for shape in shapes if len(shape) == 1)


def _exponentials_bytes(graph: Graph, op: Softmax) -> int:
    return int(np.count_nonzero(softmax_exp_table(graph, op))) * _EXPONENTIAL_BYTES


def _indices_bytes(graph: Graph, op: Pick) -> int:
    channels = byte_channels(graph, op)
    listed = 0 if even_step(channels) else len(channels)
    return _INDEX_BYTES * (sum(graph.tensors[op.output].hwc[:2]) + listed)


def byte_channels(graph: Graph, op: Pick) -> tuple[int, ...]:
    """Return what bytes of a pixel a Pick takes, as `Pick.channels` says of int8."""
    size = graph.tensors[op.output].value_bytes
    return tuple(
        OUTSIDE if channel == OUTSIDE else channel * size + byte
        for channel in op.channels
        for byte in range(size)
    )


def even_step(channels: Sequence[int]) -> int:
    """Return how far apart the channels are that a Pick takes; 0 where a table must list them."""
    inside = [channel for channel in channels if channel != OUTSIDE]
    step = inside[1] - inside[0] if len(inside) > 1 else 1
    ends = inside[0] + step * len(inside)
    return step if step > 0 and inside == list(range(inside[0], ends, step)) else 0


def _places_bytes(graph: Graph, op: ResizeBilinear) -> int:
    return 2 * _INDEX_BYTES * sum(graph.tensors[op.output].hwc[:2])


_CONSTANTS: dict[type[Op], Callable[[Graph, Any], int]] = {
    Binary: _lines_bytes,
    Pick: _indices_bytes,
    ResizeBilinear: _places_bytes,
    Softmax: _exponentials_bytes,
}
"""By class: bytes of what its parameters point to."""


@lru_cache(maxsize=1024)
def _value_form(graph: Graph, op: Op) -> tuple[Form, str]:
    """Return how an operator on each value is computed, and the function that does."""
    if has_table(graph, op):
        return Form.TABLE, "esq_run_lookup"
    if affine(graph, op):
        return Form.LINE, "esq_run_affine"
    if isinstance(op, Add | Sub) and pairs.summed(graph, op):
        return Form.SUM, "esq_run_weighted_sum"
    return Form.DIRECT, handler(_NAMES, type(op))


def conv_kernel(item: RowOp, family: str, pixels: int, work_bytes: int) -> Kernel:
    """Return a family's kernel of a convolution that packed weights have been made for.

    Args:
        item: the convolution, perhaps with what adds up its results.
        family: of the kernel.
        pixels: output pixels that it computes together.
        work_bytes: working memory for that.
    """
    form = Form.GROUPS if isinstance(item.first, GroupedConv2D) else Form.DIRECT
    name = _NAMES[Conv2D] if isinstance(item.op, FullyConnected) else item.kernel.name
    return Kernel(family, name, form, pixels, work_bytes)


def _kernels(_: Graph, item: RowOp, __: bool) -> Iterator[Kernel]:
    yield item.kernel


def _coded_kernels(graph: Graph, item: RowOp) -> Iterator[Kernel]:
    conv = item.first
    assert isinstance(conv, Conv2D)
    channel_bytes = int(np.prod(graph.tensors[conv.weights].shape[1:]))
    yield from tile_kernels(graph, conv, item.kernel, channel_bytes)


def _takes_coded(_: Graph, op: Conv2D) -> bool:
    return not isinstance(op, FullyConnected)


PORTABLE = Family(
    name=NAME,
    core_has=ANY_CORE,
    code_bytes=0,
    kernels=_kernels,
    coded_kernels=_coded_kernels,
    takes_coded=_takes_coded,
    extra_bytes=lambda _, __: 0,
    requantization_bytes=partial(requantization_bytes, _REQUANTIZATION_BYTES),
    conv_params=conv_params,
    instructions=partial(operator_instructions, PRICES),
    decoding=PRICES.decoding,
)
