"""Write small int8 ONNX networks by hand, in both forms: QDQ and QOperator."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from support.onnx_models import OnnxNetwork

Quant = tuple[float, int]
"""Scale and zero point."""

PIXELS: Quant = (1 / 128, 128)
USUAL: Quant = (0.02, 117)
RECTIFIED: Quant = (0.03, 0)
FINER: Quant = (0.0091, 60)
SIGNED: Quant = (0.017, 5)


class QuantNetwork(OnnxNetwork):
    """A network whose activations are uint8, or int8 where `signed`."""

    def __init__(self, shape: tuple[int, ...] = (3, 6, 7), signed: bool = False) -> None:
        super().__init__(shape, 6)
        self.dtype = np.int8 if signed else np.uint8

    def scale(self, quant: Quant) -> list[str]:
        """Return scale and zero point of an activation, as inputs of a node."""
        return [self.floats(quant[0]), self.constant(np.array(quant[1], self.dtype))]

    # QDQ

    def between(self, source: str, quant: Quant = USUAL) -> str:
        """Quantize and dequantize."""
        ends = self.scale(quant)
        return self.node("DequantizeLinear", self.node("QuantizeLinear", source, *ends), *ends)

    def image(self) -> str:
        return self.between(self.input, PIXELS if self.dtype == np.uint8 else (1 / 128, 0))

    def stored(self, values: NDArray[Any], scale: Any, zero_point: Any = 0, axis: int = 0) -> str:
        """Dequantize integer constants."""
        scales = np.asarray(scale, np.float32)
        points = np.broadcast_to(np.asarray(zero_point), scales.shape).astype(values.dtype)
        inputs = (self.constant(values), self.constant(scales), self.constant(points))
        return self.node("DequantizeLinear", *inputs, axis=axis)

    def integers(self, shape: tuple[int, ...], low: int = -127, high: int = 128) -> NDArray[Any]:
        return self.random.integers(low, high, shape).astype(np.int8)

    def kernel(self, *shape: int) -> str:
        scales = self.random.uniform(0.004, 0.01, shape[0])
        return self.stored(self.integers(shape), scales)

    def bias(self, count: int, scale: float = 1e-4) -> str:
        values = self.random.integers(-2000, 2000, count).astype(np.int32)
        return self.stored(values, scale)

    def qdq_conv(self, source: str, outputs: int = 5, quant: Quant | None = USUAL) -> str:
        step = self.node("Conv", source, self.kernel(outputs, 3, 1, 1), channels=outputs)
        return step if quant is None else self.between(step, quant)

    # QOperator

    def pixels(self) -> tuple[str, Quant]:
        quant = PIXELS if self.dtype == np.uint8 else (1 / 128, 0)
        return self.node("QuantizeLinear", self.input, *self.scale(quant)), quant

    def micro(self, kind: str, *inputs: str, channels: int | None = None, **how: Any) -> str:
        """Add a node of com.microsoft."""
        return self.node(kind, *inputs, channels=channels, domain="com.microsoft", **how)

    def q_conv(
        self, source: str, quant: Quant, outputs: int = 5, to: Quant = USUAL, **how: Any
    ) -> str:
        weights = self.constant(self.integers((outputs, 3, 1, 1)))
        ends = [self.floats(0.006), self.constant(np.int8(0)), *self.scale(to)]
        inputs = [source, *self.scale(quant), weights, *ends]
        values = self.random.integers(-3000, 3000, outputs).astype(np.int32)
        return self.node("QLinearConv", *inputs, self.constant(values), channels=outputs, **how)

    def real(self, source: str, quant: Quant) -> onnx.ModelProto:
        """Return the model that ends in these integers, dequantized."""
        return self.finished(self.node("DequantizeLinear", source, *self.scale(quant)))

    def finished(self, output: str) -> onnx.ModelProto:
        ends = [
            helper.make_tensor_value_info(self.input, TensorProto.FLOAT, [1, *self.shape]),
            helper.make_tensor_value_info(output, TensorProto.FLOAT, None),
        ]
        graph = helper.make_graph(self.nodes, "net", ends[:1], ends[1:], self.constants)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)
