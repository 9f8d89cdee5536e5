"""Let LiteRT add up int8 as it does uint8: its reference kernel of SUM takes the one for the other.

LiteRT 2.3's BUILTIN_REF reads the int8 values of a SUM as uint8, and cuts the result to [0, 255]
before it becomes int8: wrong wherever a value is negative. Its kernel for uint8 is right, as those
of TensorFlow Lite Micro are for int8. So a SUM is handed to it between two QUANTIZEs that only move
the zero point by 128, which changes no number.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

_OFFSET = 128


def with_unsigned_sums(content: bytes) -> bytes:
    """Return a model whose SUMs of int8 are of uint8; tensors keep their numbers."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    if schema.BuiltinOperator.SUM not in kinds:
        return content
    graph, operators = model.subgraphs[0], []
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    code.version = 2
    model.operatorCodes.append(code)
    for one in graph.operators:
        is_sum = kinds[one.opcodeIndex] == schema.BuiltinOperator.SUM
        ends = (int(one.inputs[0]), int(one.outputs[0]))
        if not is_sum or any(graph.tensors[end].type != schema.TensorType.INT8 for end in ends):
            operators.append(one)
            continue
        inside = [_unsigned(graph, end, schema) for end in ends]
        between = copy.copy(one)
        between.inputs, between.outputs = [inside[0], int(one.inputs[1])], [inside[1]]
        first = _quantize(len(model.operatorCodes) - 1, ends[0], inside[0], schema)
        last = _quantize(len(model.operatorCodes) - 1, inside[1], ends[1], schema)
        operators += [first, between, last]
    graph.operators = operators
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _unsigned(graph: Any, index: int, schema: Any) -> int:
    """Add a tensor of the same numbers in uint8."""
    made = copy.deepcopy(graph.tensors[index])
    made.type, made.name = schema.TensorType.UINT8, f"unsigned{len(graph.tensors)}"
    made.quantization.zeroPoint = np.array(made.quantization.zeroPoint, np.int64) + _OFFSET
    graph.tensors.append(made)
    return len(graph.tensors) - 1


def _quantize(code: int, source: int, result: int, schema: Any) -> Any:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, [source], [result]
    return made
