"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN as ONNX nodes."""

import numpy as np

from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import INT8_RANGE, UINT8_OFFSET, Scope, Writers, requantize
from edgesq.graph import Graph
from edgesq.operators import Mean, MeanAlong, ReduceMax, ReduceMin, Reduction, Sum
from edgesq.reductions import added_values, mean_parameters, reduced_axes

_PLACES = (2, 3, 1)
"""Of rows, columns and channels in [1, C, H, W]."""


def _axes(op: Mean | Reduction) -> list[int]:
    axes = op.axes if isinstance(op, Reduction) else reduced_axes(op)
    return [_PLACES[axis] for axis in axes]


def mean(scope: Scope, graph: Graph, op: Mean | MeanAlong | Sum, pixels: str) -> str:
    """Add a MEAN or SUM: a sum, requantized once."""
    parameters = mean_parameters(graph, op)
    wide = scope.cast("wide", pixels, np.int32)
    return requantize(
        scope.within("requantize"),
        scope.node("ReduceSum", "sum", wide, np.array(_axes(op), np.int64), keepdims=1),
        np.array([parameters.multiplier]),
        np.array([parameters.shift]),
        bias=np.array([-parameters.offset - UINT8_OFFSET * added_values(graph, op)]),
        zero_point=graph.tensors[op.output].zero_point,
        clamp=INT8_RANGE,
    )


def extreme(scope: Scope, _: Graph, op: ReduceMax | ReduceMin, pixels: str) -> str:
    """Add ONNX's own operator."""
    kind = "ReduceMax" if isinstance(op, ReduceMax) else "ReduceMin"
    return scope.node(kind, "extreme", pixels, np.array(_axes(op), np.int64), keepdims=1)


def float_extreme(scope: Scope, _: FloatModel, op: ReduceMax | ReduceMin, pixels: str) -> str:
    """Add ONNX's own operator, as opsets before 18 have it."""
    kind = "ReduceMax" if isinstance(op, ReduceMax) else "ReduceMin"
    return scope.node(kind, "extreme", pixels, axes=_axes(op), keepdims=1)


def float_mean(scope: Scope, _: FloatModel, op: Mean | MeanAlong, pixels: str) -> str:
    """Add ONNX's own operator."""
    return scope.node("ReduceMean", "mean", pixels, axes=_axes(op), keepdims=1)


def float_sum(scope: Scope, _: FloatModel, op: Sum, pixels: str) -> str:
    """Add ONNX's own operator."""
    return scope.node("ReduceSum", "sum", pixels, np.array(_axes(op), np.int64), keepdims=1)


INTEGER: Writers = {
    Mean: mean,
    MeanAlong: mean,
    ReduceMax: extreme,
    ReduceMin: extreme,
    Sum: mean,
}
FLOAT: Writers = {
    Mean: float_mean,
    MeanAlong: float_mean,
    ReduceMax: float_extreme,
    ReduceMin: float_extreme,
    Sum: float_sum,
}
