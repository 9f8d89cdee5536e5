"""MEAN as ONNX nodes."""

import numpy as np

from edgesq import arithmetic
from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import INT8_RANGE, UINT8_OFFSET, Scope, Writers, requantize
from edgesq.graph import Graph
from edgesq.operators import Mean


def mean(scope: Scope, graph: Graph, op: Mean, pixels: str) -> str:
    """Add a MEAN over height and width: a sum, requantized once."""
    parameters = arithmetic.mean_parameters(graph, op)
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    wide, axes = scope.cast("wide", pixels, np.int32), np.array([2, 3], np.int64)
    return requantize(
        scope.within("requantize"),
        scope.node("ReduceSum", "sum", wide, axes, keepdims=1),
        np.array([parameters.multiplier]),
        np.array([parameters.shift]),
        bias=np.array([-parameters.offset - UINT8_OFFSET * height * width]),
        zero_point=graph.tensors[op.output].zero_point,
        clamp=INT8_RANGE,
    )


def float_mean(scope: Scope, _: FloatModel, __: Mean, pixels: str) -> str:
    """Add ONNX's own operator."""
    return scope.node("ReduceMean", "mean", pixels, axes=[2, 3], keepdims=1)


INTEGER: Writers = {Mean: mean}
FLOAT: Writers = {Mean: float_mean}
