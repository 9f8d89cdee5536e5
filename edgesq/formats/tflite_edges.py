"""The ends of a .tflite that are not int8: uint8 or float32 outside, int8 inside.

The graph begins and ends with the int8 tensors inside. Float32 becomes int8 by one QUANTIZE, and
int8 float32 by one DEQUANTIZE, which are left out: the board takes and gives int8. A uint8 value is
read as the int8 value 128 below, with a zero point 128 below; a QUANTIZE between the two that then
changes nothing is left out too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.tflite_reader import FLOAT32, INT8, UINT8, Reader, open_model
from edgesq.graph import Int8Array, Tensor

Operators = list[tuple[str, Any]]
"""Kind and OperatorT of each."""

_HINT = "convert with int8 input and output, or with one QUANTIZE or DEQUANTIZE at the end"


@dataclass(frozen=True)
class Inside:
    """What is left of a file without its ends.

    Attributes:
        source, result: the file's numbers of the int8 input and output.
        operators: between the two.
    """

    source: int
    result: int
    operators: Operators


def without_edges(reader: Reader, operators: Operators) -> Inside:
    """Find the int8 network inside a file with one input and one output.

    Raises:
        ModelError: an end of another type is not made int8, or from int8, by one operator.
    """
    source, result = reader.source.inputs[0], reader.source.outputs[0]
    readers = [(kind, one) for kind, one in operators if source in one.inputs]
    makers = [(kind, one) for kind, one in operators if result in one.outputs]
    first = _edge(reader, source, readers, "QUANTIZE", "input")
    last = _edge(reader, result, makers, _MAKERS.get(reader.type(result), ""), "output")
    left_out = [one for one in (first, last) if one is not None]
    return Inside(
        first.outputs[0] if first else source,
        last.inputs[0] if last else result,
        [(kind, one) for kind, one in operators if not any(one is other for other in left_out)],
    )


def int8_inside(content: bytes) -> bytes:
    """Return a .tflite whose ends are int8, for who takes no others: the same numbers between them.

    Raises:
        ModelError: a uint8 end has another scale than the int8 inside.
    """
    import flatbuffers

    reader = open_model(content, "model")
    types = {reader.type(index) for index in (*reader.source.inputs, *reader.source.outputs)}
    if types == {INT8}:
        return content
    operators = [(reader.kind(operator), operator) for operator in reader.source.operators]
    inside = without_edges(reader, operators)
    if reader.read_as_int8 & {inside.source, inside.result}:
        raise reader.error("a uint8 end of another scale than the int8 inside", _HINT)
    reader.source.inputs, reader.source.outputs = [inside.source], [inside.result]
    reader.source.operators = [operator for _, operator in inside.operators]
    reader.model.signatureDefs = None
    builder = flatbuffers.Builder(len(content))
    builder.Finish(reader.model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


_MAKERS = {UINT8: "QUANTIZE", FLOAT32: "DEQUANTIZE"}


def _edge(reader: Reader, index: int, beside: Operators, kind: str, end: str) -> Any | None:
    """Return the operator at one end that is to be left out, None where none is."""
    outside = reader.type(index)
    if outside == INT8:
        return None
    fits = outside in _MAKERS and beside and all(name == kind for name, _ in beside)
    if not fits or (outside == FLOAT32 and len(beside) > 1):
        raise reader.error(f"the {end} {reader.name(index)} is not int8", _HINT)
    operator = beside[0][1]
    inner = operator.outputs[0] if end == "input" else operator.inputs[0]
    if reader.type(inner) != INT8:
        raise reader.error(f"the {end} {reader.name(index)} does not meet int8", _HINT)
    if outside == FLOAT32:
        return operator
    reader.read_as_int8.add(index)
    same = reader.read(index).quantization == reader.read(inner).quantization
    return operator if same and len(beside) == 1 else None


def to_outside(values: Int8Array, tensor: Tensor, dtype: type[np.generic]) -> NDArray[Any]:
    """Return int8 values as the file's end takes them; a float becomes the same int8 again."""
    if dtype == np.uint8:
        return (values.astype(np.int16) + 128).astype(np.uint8)
    if dtype == np.float32:
        return (values.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)
    return values


def from_outside(values: NDArray[Any], tensor: Tensor) -> Int8Array:
    """Return what a file's end, or an int8 tensor inside, holds as int8."""
    if values.dtype == np.uint8:
        return (values.astype(np.int16) - 128).astype(np.int8)
    if values.dtype == np.float32:
        levels = np.round(values / np.float32(tensor.scale)) + tensor.zero_point
        return np.clip(levels, -128, 127).astype(np.int8)
    return values
