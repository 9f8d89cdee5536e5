"""CONCATENATION and RESHAPE as ONNX nodes."""

import numpy as np

from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import TO_NCHW, TO_NHWC, Scope, Writers
from edgesq.graph import Graph
from edgesq.operators import Concatenation, Reshape


def concatenation(scope: Scope, _: Graph | FloatModel, op: Concatenation, *inputs: str) -> str:
    """Add a CONCATENATION along rows, columns or channels of [1, C, H, W]."""
    return scope.node("Concat", "concat", *inputs, axis=(2, 3, 1)[op.axis])


def reshape(scope: Scope, graph: Graph, op: Reshape, pixels: str) -> str:
    """Add the reshape in TFLite's order (NHWC), where it does anything."""
    source, result = (graph.tensors[index].hwc for index in (op.inputs[0], op.output))
    if source == result:
        return pixels
    nhwc = scope.node("Transpose", "nhwc", pixels, perm=TO_NHWC)
    reshaped = scope.node("Reshape", "reshape", nhwc, np.array([1, *result], np.int64))
    return scope.node("Transpose", "nchw", reshaped, perm=TO_NCHW)


def float_reshape(scope: Scope, model: FloatModel, op: Reshape, pixels: str) -> str:
    """Add the reshape in TFLite's order (NHWC)."""
    nhwc = scope.node("Transpose", "nhwc", pixels, perm=TO_NHWC)
    shape = np.array([1, *model.result(op.output).hwc], np.int64)
    reshaped = scope.node("Reshape", "shape", nhwc, shape)
    return scope.node("Transpose", "nchw", reshaped, perm=TO_NCHW)


INTEGER: Writers = {Concatenation: concatenation, Reshape: reshape}
FLOAT: Writers = {Concatenation: concatenation, Reshape: float_reshape}
