"""What stands in for ELU, which LiteRT's reference kernels lack.

LiteRT has only the default kernel, of floats: expm1(x), or x where that is not negative. So that a
whole network runs by reference kernels, max(x, 0) + (exp(min(x, 0)) - 1) stands in, which is off by
2^-24 at most, far below a step of the int8 that follows.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np

from edgesq.formats.tflite.reader import FLOAT32, Reader


def stood_in(reader: Reader, operators: Iterable[Any]) -> list[Any]:
    """Return operators with those that LiteRT's reference kernels lack as several others."""
    made: list[Any] = []
    for one in operators:
        lacks = reader.kind(one) == "ELU" and reader.type(one.inputs[0]) == FLOAT32
        made += _elu(reader, one) if lacks else [one]
    return made


def _elu(reader: Reader, operator: Any) -> list[Any]:
    from ai_edge_litert import schema_py_generated as schema

    (source,), (result,) = operator.inputs, operator.outputs
    zero, one = (_added(reader, result, np.array([value], np.float32)) for value in (0, 1))
    above, below, power, less = (_added(reader, result, None) for _ in range(4))
    names = schema.BuiltinOperator
    made = [
        _operator(reader, operator, names.MAXIMUM, [source, zero], above),
        _operator(reader, operator, names.MINIMUM, [source, zero], below),
        _operator(reader, operator, names.EXP, [below], power),
        _operator(reader, operator, names.SUB, [power, one], less),
        _operator(reader, operator, names.ADD, [above, less], result),
    ]
    made[3].builtinOptions = schema.SubOptionsT()
    made[3].builtinOptionsType = schema.BuiltinOptions.SubOptions
    made[4].builtinOptions = schema.AddOptionsT()
    made[4].builtinOptionsType = schema.BuiltinOptions.AddOptions
    return made


def _added(reader: Reader, like: int, values: np.ndarray[Any, Any] | None) -> int:
    """Add a tensor to the file, and return its number."""
    tensor = copy.copy(reader.source.tensors[like])
    tensor.name, tensor.buffer = f"part{len(reader.source.tensors)}", 0
    if values is not None:
        tensor.shape, tensor.shapeSignature = list(values.shape), None
        buffer = copy.copy(reader.model.buffers[0])
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.buffer = len(reader.model.buffers)
        reader.model.buffers.append(buffer)
    reader.source.tensors.append(tensor)
    return len(reader.source.tensors) - 1


def _operator(reader: Reader, like: Any, name: int, inputs: list[int], output: int) -> Any:
    code = copy.copy(reader.model.operatorCodes[like.opcodeIndex])
    code.builtinCode, code.deprecatedBuiltinCode, code.version = name, min(name, 127), 1
    made = copy.copy(like)
    made.opcodeIndex = len(reader.model.operatorCodes)
    reader.model.operatorCodes.append(code)
    made.inputs, made.outputs = inputs, [output]
    made.builtinOptions, made.builtinOptionsType = None, 0
    return made
