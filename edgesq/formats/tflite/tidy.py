"""Write a .tflite again with only what the graph has of it: for LiteRT, and for converters.

What was read is what runs: no shape arithmetic, nothing behind the result, no tensor or buffer that
no operator uses, no signatures, no metadata. All numbers stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from edgesq.formats.tflite.check import listed
from edgesq.formats.tflite.edges import HINT
from edgesq.formats.tflite.graph import make_graph
from edgesq.formats.tflite.reader import UINT8, Reader, open_model
from edgesq.formats.tflite.several import wholes
from edgesq.formats.tflite.stand_in import stood_in
from edgesq.formats.tflite.table import READABLES
from edgesq.formats.tflite.uint8 import computes_in_uint8


def for_litert(reader: Reader) -> bytes:
    """Return the model with the file's types of input and output; tensors keep their names.

    Args:
        reader: the file, after `make_graph`.
    """
    operators = [one for one in reader.source.operators if not reader.is_left_out(one)]
    known = stood_in(reader, operators)
    return _written(reader, known, listed(reader.source.inputs), reader.results)


def int8_inside(content: bytes) -> bytes:
    """Return a .tflite whose ends are int8, for tools that take no others.

    Args:
        content: the bytes of a .tflite.

    Raises:
        ModelError: the model is not one that the runtime takes, is of uint8 inside, or a uint8 end
            has another scale than the int8 inside.
    """
    reader = open_model(content, "model")
    _, inside = make_graph(reader, "")
    if computes_in_uint8(content):
        raise reader.error("it computes in uint8, and has no int8 form", "quantize it again")
    if UINT8 in {reader.type(index) for index in (*inside.sources, *inside.results)}:
        raise reader.error("a uint8 end of another scale than the int8 inside", HINT)
    is_left = any(reader.is_left_out(one) for one in reader.source.operators)
    if not is_left and not inside.first and not inside.last:
        return content
    steps = (getattr(one, "steps", ((kind, one),)) for kind, one in inside.operators)
    operators = wholes(step for chain in steps for _, step in chain)
    return _written(reader, operators, inside.sources, inside.results)


def _written(
    reader: Reader, operators: Sequence[Any], sources: Sequence[int], results: Sequence[int]
) -> bytes:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    made = schema.ModelT()
    made.version, made.description = 3, b"edgesq"
    made.buffers = [schema.BufferT()]
    made.operatorCodes = [_code(reader, one, schema) for one in operators]
    graph = schema.SubGraphT()
    graph.inputs, graph.outputs = list(sources), list(results)
    graph.operators = [_operator(one, number, schema) for number, one in enumerate(operators)]
    used = {*sources, *results}
    for one in operators:
        used.update((*one.inputs, *one.outputs, *listed(one.intermediates)))
    graph.tensors = [
        _tensor(reader, index, made, schema) if index in used else _nothing(index, schema)
        for index in range(len(reader.source.tensors))
    ]
    made.subgraphs = [graph]
    writer = flatbuffers.Builder(1024)
    writer.Finish(made.Pack(writer), b"TFL3")
    return bytes(writer.Output())


def _code(reader: Reader, operator: Any, schema: Any) -> Any:
    old, kind = reader.model.operatorCodes[operator.opcodeIndex], reader.kind(operator)
    code = schema.OperatorCodeT()
    code.builtinCode = max(old.builtinCode, old.deprecatedBuiltinCode)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    newest = READABLES[kind].newest if kind in READABLES else None
    code.version = min(old.version, newest or old.version)
    return code


def _operator(operator: Any, number: int, schema: Any) -> Any:
    made = schema.OperatorT()
    made.opcodeIndex = number
    made.inputs, made.outputs = operator.inputs, operator.outputs
    made.intermediates = operator.intermediates
    made.builtinOptionsType = operator.builtinOptionsType
    made.builtinOptions = operator.builtinOptions
    return made


def _nothing(index: int, schema: Any) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type = f"unused{index}", [1], schema.TensorType.INT8
    return tensor


def _tensor(reader: Reader, index: int, model: Any, schema: Any) -> Any:
    old = reader.source.tensors[index]
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type = old.name, list(old.shape), old.type
    tensor.isVariable = old.isVariable
    tensor.quantization = _quantization(old, schema)
    data = reader.data(index)
    if data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
    return tensor


def _quantization(old: Any, schema: Any) -> Any:
    """Return scales as LiteRT wants them: a zero point each, along an axis that there is.

    A tensor of one axis, such as a bias, has no other; nor has one of one scale.
    """
    known = old.quantization
    if known is None or known.scale is None or len(known.scale) == 0:
        return None
    made = schema.QuantizationParametersT()
    made.scale = np.array(known.scale, np.float32)
    point = _first(known.zeroPoint)
    made.zeroPoint = np.full(len(made.scale), point, np.int64)
    is_plain = len(made.scale) == 1 or len(old.shape) == 1
    made.quantizedDimension = 0 if is_plain else known.quantizedDimension
    return made


def _first(values: Iterable[int] | None) -> int:
    return next(iter(() if values is None else map(int, values)), 0)
