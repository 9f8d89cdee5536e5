"""Operators that only move values, as ONNX nodes."""

from collections.abc import Sequence

import numpy as np

from edgesq.formats.onnx.scope import TO_NCHW, TO_NHWC, Scope
from edgesq.graph import Graph, Reshape


def concatenation(scope: Scope, inputs: Sequence[str]) -> str:
    """Add a CONCATENATION along the channels."""
    return scope.node("Concat", "concat", *inputs, axis=1)


def reshape(scope: Scope, graph: Graph, op: Reshape, pixels: str) -> str:
    """Add the reshape in TFLite's order (NHWC), where it does anything."""
    source, result = (graph.tensors[index].hwc for index in (op.inputs[0], op.output))
    if source == result:
        return pixels
    nhwc = scope.node("Transpose", "nhwc", pixels, perm=TO_NHWC)
    reshaped = scope.node("Reshape", "reshape", nhwc, np.array([1, *result], np.int64))
    return scope.node("Transpose", "nchw", reshaped, perm=TO_NCHW)
