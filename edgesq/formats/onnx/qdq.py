"""Write a Graph as ONNX's float operators between QuantizeLinear and DequantizeLinear (QDQ).

This is the form that ONNX Runtime and most converters know. Its numbers are those of the .tflite,
its rounding is not: runtimes multiply by floats, up to a few levels from the integer model.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edgesq.formats.onnx.real import FloatModel, arranged, clamped
from edgesq.formats.onnx.scope import TO_NCHW, TO_NHWC, Scope, Value, unsigned_weights
from edgesq.formats.onnx.table import FLOAT
from edgesq.graph import Graph, Tensor
from edgesq.int8_only import need_int8
from edgesq.operators import Convolution, handler
from edgesq.version import VERSION

_OPSET, _IR_VERSION = 17, 8


class _Stored(FloatModel):
    """An int8 model whose constants stay integers, each behind a DequantizeLinear."""

    def kernel(self, scope: Scope, op: Convolution, axes: tuple[int, ...] | None) -> Value:
        """Return weights as reals, with their axes in this order."""
        tensor = self.graph.tensors[op.weights]
        if op.wide is None:
            return _real(scope, "weights", tensor, arranged(self.graph.constant(op.weights), axes))
        values, point = unsigned_weights(arranged(self.graph.exact_weights(op), axes))
        scale = np.float32(tensor.scale)
        return scope.node("DequantizeLinear", "weights", values, scale, point)

    def bias(self, scope: Scope, op: Convolution) -> Value:
        """Return an int32 bias as reals."""
        tensor = self.graph.tensors[op.bias]
        return _real(scope, "bias", tensor, self.graph.constant(op.bias))

    def activated(self, scope: Scope, op: Convolution, sums: str) -> str:
        """Add what the clamp means."""
        return clamped(scope, self.graph.tensors[op.output], op.clamp, sums)

    def operand(self, scope: Scope, index: int, stored: NDArray[np.int8]) -> Value:
        """Return an int8 operand as reals."""
        return _real(scope, f"operand{index}", self.graph.tensors[index], stored)


def _real(scope: Scope, label: str, tensor: Tensor, values: Value) -> str:
    """Add the reals of integers; where channels have scales of their own they come first."""
    scale = np.asarray(tensor.quantization.scale, np.float32)
    each = scale if len(scale) > 1 else scale.reshape(())
    kind = values.dtype if isinstance(values, np.ndarray) else np.dtype(np.int8)
    points = np.full(each.shape, tensor.zero_point, kind)
    axis = {"axis": 0} if each.ndim else {}
    return scope.node("DequantizeLinear", label, values, each, points, **axis)


def qdq_onnx(graph: Graph) -> onnx.ModelProto:
    """Write `graph` with float operators between QuantizeLinear and DequantizeLinear.

    Returns:
        a model with inputs named as `Graph.input_names` and outputs as `Graph.observed_names`
        without logits, int8, in the shapes of the graph's; the same graph gives the same bytes.
    """
    need_int8(graph, "QDQ ONNX")
    scope, model = Scope(), _Stored(graph, {})
    sources = dict(zip(graph.inputs, graph.input_names, strict=True))
    results = dict(zip(graph.outputs, graph.observed_names, strict=False))
    values = {
        index: _read_input(scope.within(name), name, graph.tensors[index])
        for index, name in sources.items()
    }
    for op in graph.ops:
        own, tensor = scope.within(op.name), graph.tensors[op.output]
        made = handler(FLOAT, type(op))(own, model, op, *(values[index] for index in op.inputs))
        values[op.output] = _real(own, "real", tensor, _levels(own, tensor, "levels", made))
    for index, name in results.items():
        _write_output(scope, name, graph.tensors[index], values[index])
    given, gives = (
        [
            helper.make_tensor_value_info(name, TensorProto.INT8, graph.tensors[index].shape)
            for index, name in named.items()
        ]
        for named in (sources, results)
    )
    body = helper.make_graph(scope.nodes, "edgesq_qdq", given, gives, scope.constants)
    made_model = helper.make_model(
        body,
        producer_name="edgesq",
        producer_version=VERSION,
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    onnx.checker.check_model(made_model)
    return made_model


def _levels(scope: Scope, tensor: Tensor, label: str, real: str) -> str:
    """Add int8 levels of reals."""
    scale, point = np.float32(tensor.scale), np.int8(tensor.zero_point)
    return scope.node("QuantizeLinear", label, real, scale, point)


def _read_input(scope: Scope, name: str, tensor: Tensor) -> str:
    """Add the nodes that make reals [1, C, H, W] of int8 in the graph's shape."""
    real = _real(scope, "real", tensor, name)
    height, width, channels = tensor.hwc
    if (height, width) == (1, 1):
        return scope.node("Reshape", "pixel", real, np.array([1, channels, 1, 1], np.int64))
    if len(tensor.shape) < 4:
        real = scope.node("Reshape", "nhwc", real, np.array([1, *tensor.hwc], np.int64))
    return scope.node("Transpose", "nchw", real, perm=TO_NCHW)


def _write_output(scope: Scope, name: str, tensor: Tensor, real: str) -> None:
    """Add the nodes that make int8 in the graph's shape of reals [1, C, H, W]."""
    own = scope.within(name)
    if tensor.hwc[:2] != (1, 1):
        real = own.node("Transpose", "nhwc", real, perm=TO_NHWC)
    if tensor.hwc[:2] == (1, 1) or len(tensor.shape) < 4:
        real = own.node("Reshape", "shape", real, np.array(tensor.shape, np.int64))
    _levels(scope, tensor, name, real)
