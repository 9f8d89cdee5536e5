"""Write an int8 .tflite operator by operator, with whatever scales the caller wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edgesq.formats.tflite.table import READABLES

SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3
"""schema.fbs, enums Padding and ActivationFunctionType."""

_TYPES = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int16): schema.TensorType.INT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.uint8): schema.TensorType.UINT8,
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.bool_): schema.TensorType.BOOL,
}


class TfliteWriter:
    """A model with one subgraph in the making; values are indices of its tensors."""

    def __init__(self) -> None:
        self.subgraph = schema.SubGraphT()
        self.subgraph.tensors, self.subgraph.operators = [], []
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes, self.model.buffers = [], [schema.BufferT()]

    def value(
        self,
        shape: Sequence[int],
        scale: float = 1.0,
        zero_point: int = 0,
        name: str | None = None,
        dtype: type[np.generic] = np.int8,
    ) -> int:
        """Add an activation and return its index, as the methods below do."""
        return self._tensor(shape, _TYPES[np.dtype(dtype)], [scale], zero_point, name)

    def variable(
        self, shape: Sequence[int], dtype: type[np.generic], scale: float, zero_point: int = 0
    ) -> int:
        """Add a tensor that keeps its values from one call to the next."""
        index = self._tensor(shape, _TYPES[np.dtype(dtype)], [scale], zero_point, None)
        self.subgraph.tensors[index].isVariable = True
        return index

    def constant(
        self,
        data: NDArray[Any],
        scale: Sequence[float] | None = None,
        axis: int = 0,
        zero_point: int = 0,
        name: str | None = None,
    ) -> int:
        """Add int8, int16 or int32 constants; `axis` is the dimension that has several scales."""
        index = self._tensor(data.shape, _TYPES[data.dtype], scale, zero_point, name)
        if scale is not None:
            self.subgraph.tensors[index].quantization.quantizedDimension = axis
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        self.subgraph.tensors[index].buffer = len(self.model.buffers)
        self.model.buffers.append(buffer)
        return index

    def op(
        self, kind: str, inputs: Sequence[int], output: int, options: str | None, **fields: Any
    ) -> int:
        """Add operator `kind` with options of class `options`; return `output`."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(kind)
        operator.inputs, operator.outputs = list(inputs), [output]
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, f"{options}T")()
            vars(operator.builtinOptions).update(fields)
        self.subgraph.operators.append(operator)
        return output

    def build(self, source: int | Sequence[int], result: int | Sequence[int]) -> bytes:
        """Return the file of a model from one or several tensors to one or several."""
        self.subgraph.inputs = [source] if isinstance(source, int) else list(source)
        self.subgraph.outputs = [result] if isinstance(result, int) else list(result)
        self.model.subgraphs = [self.subgraph]
        writer = flatbuffers.Builder(1024)
        writer.Finish(self.model.Pack(writer), b"TFL3")
        return bytes(writer.Output())

    def _code(self, kind: str) -> int:
        """Return the index of an operator's code, adding it on first use."""
        value = getattr(schema.BuiltinOperator, kind)
        for index, known in enumerate(self.model.operatorCodes):
            if known.builtinCode == value:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode = value, min(value, 127)
        code.version = READABLES[kind].version if kind in READABLES else 2
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def _tensor(
        self,
        shape: Sequence[int],
        kind: int,
        scale: Sequence[float] | None,
        zero_point: int,
        name: str | None,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = name or f"layer{len(self.subgraph.tensors)}/value"
        tensor.shape, tensor.type = [int(extent) for extent in shape], kind
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = np.array(scale, np.float32)
            tensor.quantization.zeroPoint = np.full(len(scale), zero_point, np.int64)
        self.subgraph.tensors.append(tensor)
        return len(self.subgraph.tensors) - 1
