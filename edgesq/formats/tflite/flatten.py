"""Flatten maps before dense layers: tf2onnx 1.17 loses the bias of those that read a map."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np


def with_flattened_dense(content: bytes) -> bytes:
    """Return the model with a RESHAPE before each FULLY_CONNECTED that reads more than a row."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    operators = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if (
            code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED
            and not operator.builtinOptions.keepNumDims
            and len(graph.tensors[operator.inputs[0]].shape) > 2
        ):
            operators.append(_reshape(model, operator))
        operators.append(operator)
    graph.operators = operators
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _reshape(model: Any, operator: Any) -> Any:
    """Return a RESHAPE of the input of `operator` to one row; `operator` then reads that row."""
    from ai_edge_litert import schema_py_generated as schema

    tensors = model.subgraphs[0].tensors
    source = int(operator.inputs[0])
    row = copy.copy(tensors[source])
    row.name = f"row{len(tensors)}"
    row.shape = [1, int(np.prod(row.shape))]
    row.shapeSignature = None
    tensors.append(row)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    model.operatorCodes.append(code)
    made = schema.OperatorT()
    made.opcodeIndex = len(model.operatorCodes) - 1
    made.inputs, made.outputs = [source], [len(tensors) - 1]
    made.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    made.builtinOptions = schema.ReshapeOptionsT()
    made.builtinOptions.newShape = row.shape
    operator.inputs = [len(tensors) - 1, *map(int, operator.inputs[1:])]
    return made
