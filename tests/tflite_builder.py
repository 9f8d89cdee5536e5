"""Write small int8 .tflite files operator by operator, with whatever scales a test wants."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3

_TYPES = {np.dtype(np.int8): schema.TensorType.INT8, np.dtype(np.int32): schema.TensorType.INT32}
_VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 5, "RESHAPE": 1}
"""The first version of an operator that takes int8, where it is not 2."""


class TfliteBuilder:
    def __init__(self) -> None:
        self.subgraph = schema.SubGraphT()
        self.subgraph.tensors, self.subgraph.operators = [], []
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes, self.model.buffers = [], [schema.BufferT()]

    def value(self, shape: tuple[int, ...], scale: float = 1.0, zero_point: int = 0) -> int:
        """Add an int8 activation; return its index, as the methods below do."""
        return self._tensor(shape, schema.TensorType.INT8, [scale], zero_point)

    def constant(self, data: NDArray[Any], scale: list[float] | None = None, axis: int = 0) -> int:
        """Add constants; `axis` is the dimension that has several scales."""
        index = self._tensor(data.shape, _TYPES[data.dtype], scale, 0)
        if scale is not None:
            self.subgraph.tensors[index].quantization.quantizedDimension = axis
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        self.subgraph.tensors[index].buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        return index

    def op(self, kind: str, inputs: list[int], output: int, options: str, **fields: Any) -> int:
        """Add operator `kind` with options of class `options`; return `output`."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = _VERSIONS.get(kind, 2)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
        operator.builtinOptions = getattr(schema, f"{options}T")()
        vars(operator.builtinOptions).update(fields)
        self.model.operatorCodes.append(code)
        self.subgraph.operators.append(operator)
        return output

    def build(self, source: int, result: int) -> bytes:
        self.subgraph.inputs, self.subgraph.outputs = [source], [result]
        self.model.subgraphs = [self.subgraph]
        writer = flatbuffers.Builder(1024)
        writer.Finish(self.model.Pack(writer), b"TFL3")
        return bytes(writer.Output())

    def _tensor(
        self, shape: tuple[int, ...], kind: int, scale: list[float] | None, zero_point: int
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = f"layer{len(self.subgraph.tensors)}/value"
        tensor.shape, tensor.type = list(shape), kind
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.array(scale, np.float32)
            tensor.quantization.zeroPoint = np.full(len(scale), zero_point, np.int64)
        self.subgraph.tensors.append(tensor)
        return len(self.subgraph.tensors) - 1
