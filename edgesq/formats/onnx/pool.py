"""Pools as ONNX nodes."""

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.onnx.real import FloatModel, clamped
from edgesq.formats.onnx.scope import (
    INT8_RANGE,
    UINT8_OFFSET,
    Scope,
    Writers,
    unsigned,
    window_attributes,
)
from edgesq.graph import Graph
from edgesq.operators import AveragePool2D, HalvesUpPool2D, MaxPool2D


def max_pool2d(scope: Scope, _: Graph, op: MaxPool2D, pixels: str) -> str:
    """Add a MAX_POOL_2D."""
    largest = scope.node("MaxPool", "pool", pixels, **window_attributes(op.window))
    if op.clamp == INT8_RANGE:
        return largest
    return scope.node("Clip", "clamp", largest, *map(unsigned, op.clamp))


def average_pool2d(scope: Scope, graph: Graph, op: AveragePool2D, pixels: str) -> str:
    """Add a sum per window (a padded place is the zero point: 0), divided by the places inside."""
    count = _places_inside(graph, op)
    total = _sum(scope, graph, op, pixels)
    sign = scope.node("Sign", "sign", total)
    nudged = scope.node("Add", "nudged", total, scope.node("Mul", "half", sign, count // 2))
    return _mean(scope, op, scope.node("Div", "mean", nudged, count))


def halves_up_pool2d(scope: Scope, graph: Graph, op: HalvesUpPool2D, pixels: str) -> str:
    """Add the same of values raised by 128, none of which is negative."""
    count = _places_inside(graph, op)
    raised = UINT8_OFFSET * count + count // 2
    nudged = scope.node("Add", "nudged", _sum(scope, graph, op, pixels), raised)
    mean = scope.node("Div", "raised", nudged, count)
    return _mean(scope, op, scope.node("Sub", "mean", mean, np.int32(UINT8_OFFSET)))


def _sum(scope: Scope, graph: Graph, op: AveragePool2D, pixels: str) -> str:
    window, channels = op.window, graph.tensors[op.output].hwc[2]
    ones = np.ones((channels, 1, window.height, window.width), np.uint8)
    return scope.node(
        "ConvInteger", "sum", pixels, ones, unsigned(0), **window_attributes(window), group=channels
    )


def _mean(scope: Scope, op: AveragePool2D, average: str) -> str:
    """Add the clamp, and make it uint8."""
    if op.clamp != INT8_RANGE:
        average = scope.node("Clip", "clamp", average, *(np.int32(bound) for bound in op.clamp))
    return scope.cast(
        "uint8", scope.node("Add", "zero_point", average, np.int32(UINT8_OFFSET)), np.uint8
    )


def _places_inside(graph: Graph, op: AveragePool2D) -> NDArray[np.int32]:
    """Return how many places of each window are inside the image, int32 [H, W] or a scalar."""
    window = op.window
    (height, width, _), (rows, columns, _) = (
        graph.tensors[index].hwc for index in (op.inputs[0], op.output)
    )
    top = np.arange(rows) * window.stride_h - window.pad_top
    left = np.arange(columns) * window.stride_w - window.pad_left
    tall = np.minimum(top + window.height, height) - np.maximum(top, 0)
    wide = np.minimum(left + window.width, width) - np.maximum(left, 0)
    count = np.outer(tall, wide).astype(np.int32)
    return np.array(count.flat[0]) if (count == count.flat[0]).all() else count


def float_max_pool2d(scope: Scope, model: FloatModel, op: MaxPool2D, pixels: str) -> str:
    """Add ONNX's own operator, and the activation."""
    pooled = scope.node("MaxPool", "pool", pixels, **window_attributes(op.window))
    return clamped(scope, model.result(op.output), op.clamp, pooled)


def float_average_pool2d(scope: Scope, model: FloatModel, op: AveragePool2D, pixels: str) -> str:
    """Add ONNX's own operator, which counts no padded place either, and the activation."""
    pooled = scope.node("AveragePool", "pool", pixels, **window_attributes(op.window))
    return clamped(scope, model.result(op.output), op.clamp, pooled)


INTEGER: Writers = {
    MaxPool2D: max_pool2d,
    AveragePool2D: average_pool2d,
    HalvesUpPool2D: halves_up_pool2d,
}
FLOAT: Writers = {MaxPool2D: float_max_pool2d, AveragePool2D: float_average_pool2d}
