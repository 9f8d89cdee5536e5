"""The parameters of operators on int16 as C data. Mirror: firmware/include/esq_int16_ops.h."""

import numpy as np

from edgesq import arithmetic16
from edgesq.codegen.params.fields import Params, op_array, ring_window, window_fields
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, clamp_fields, struct, structs
from edgesq.kernels.row_op import RowOp
from edgesq.operators import (
    Access,
    AddInt16,
    AveragePool2DInt16,
    Conv2DInt16,
    DepthwiseConv2DInt16,
    FullyConnectedInt16,
    LogisticInt16,
    MaxPool2DInt16,
    MeanInt16,
    Op,
    RescaleInt16,
    SoftmaxInt16,
    SubInt16,
    TanhInt16,
)
from edgesq.reductions import mean_parameters

_LOW_BITS = 27
"""Of a mantissa. Mirror: struct esq_product_s16."""


def _convolution(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Conv2DInt16 | DepthwiseConv2DInt16)
    weights = graph.constant(op.weights).reshape(-1).tolist()
    ends, fields = _ends(graph, op, index)
    fields = {
        "weights": f"weights_{index}",
        "bias": f"bias_{index}",
        **fields,
        "window": ring_window(op),
        "dilation_w": op.window.dilation_w,
        **clamp_fields(op.clamp),
    }
    return (
        op_array("int8_t", "weights", weights, op, index)
        + op_array("int64_t", "bias", graph.constant(op.bias).tolist(), op, index)
        + ends
        + struct("esq_conv2d_s16", f"params_{index}", fields)
    )


def _ends(graph: Graph, op: Conv2DInt16 | DepthwiseConv2DInt16, index: int) -> tuple[str, Fields]:
    """Return how sums become levels: definitions, and the fields that point to them."""
    if isinstance(op, FullyConnectedInt16):
        by = arithmetic16.product_of(graph, op)
        shift = by.exponent - _LOW_BITS
        low = by.mantissa & ((1 << _LOW_BITS) - 1)
        parts = np.stack([by.mantissa >> _LOW_BITS, low, shift], axis=1).tolist()
        elements = [(f"{high}u", f"{low}u", f"{shift}u") for high, low, shift in parts]
        text = structs("struct esq_product_s16", f"product_{index}", elements)
        return text, {"product": f"product_{index}"}
    sums = arithmetic16.sum_rescale(graph, op)
    text = op_array("int16_t", "multiplier", sums.multiplier.tolist(), op, index)
    text += op_array("uint8_t", "shift", sums.shift.tolist(), op, index)
    return text, {"multiplier": f"multiplier_{index}", "shift": f"shift_{index}"}


def _max_pool(_: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, MaxPool2DInt16)
    fields: Fields = {"window": window_fields(op.window), **clamp_fields(op.clamp)}
    return struct("esq_pool_s16", f"params_{index}", fields, layer=op.name)


def _average_pool(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, AveragePool2DInt16)
    if item.access is Access.REDUCE:
        height, width, _ = graph.tensors[op.inputs[0]].hwc
        return _reduce(op, index, {"pixels": height * width, **clamp_fields(op.clamp)})
    fields: Fields = {"window": ring_window(op), **clamp_fields(op.clamp)}
    return struct("esq_pool_s16", f"params_{index}", fields, layer=op.name)


def _mean(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, MeanInt16)
    by, levels = mean_parameters(graph, op), graph.tensors[op.output].levels
    fields: Fields = {"multiplier": by.multiplier, **clamp_fields(levels), "shift": by.shift}
    return _reduce(op, index, fields)


def _reduce(op: Op, index: int, fields: Fields) -> str:
    return struct("esq_reduce_s16", f"params_{index}", fields, layer=op.name)


def _add(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, AddInt16)
    by = arithmetic16.add_parameters(graph, op)
    fields: Fields = {
        "multiplier": by.multiplier,
        "output_multiplier": by.output_multiplier,
        **clamp_fields(op.clamp),
        "shift": by.shift,
        "output_shift": by.output_shift,
        "sign": -1 if isinstance(op, SubInt16) else 1,
    }
    return struct("esq_add_s16", f"params_{index}", fields, layer=op.name)


def _rescale(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, RescaleInt16)
    multiplier, shift = arithmetic16.value_rescale(graph, op)
    fields: Fields = {"multiplier": multiplier, **clamp_fields(op.clamp), "shift": shift}
    return struct("esq_rescale_s16", f"params_{index}", fields, layer=op.name)


def _curve(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, LogisticInt16 | TanhInt16)
    by = arithmetic16.curve_input(graph, op)
    fields: Fields = {"multiplier": by.multiplier, "shift": by.shift}
    return struct("esq_curve_s16", f"params_{index}", fields, layer=op.name)


def _softmax(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, SoftmaxInt16)
    multiplier, shift = arithmetic16.softmax_input(graph, op)
    fields: Fields = {"multiplier": multiplier, "shift": shift}
    return struct("esq_softmax_s16", f"params_{index}", fields, layer=op.name)


PARAMS: Params = {
    AddInt16: _add,
    AveragePool2DInt16: _average_pool,
    Conv2DInt16: _convolution,
    DepthwiseConv2DInt16: _convolution,
    LogisticInt16: _curve,
    MaxPool2DInt16: _max_pool,
    MeanInt16: _mean,
    RescaleInt16: _rescale,
    SoftmaxInt16: _softmax,
    TanhInt16: _curve,
}
