"""The ends of a .tflite that are not int8: uint8 or float32 outside, int8 inside.

The graph begins and ends with the int8 tensors inside, or with uint8 ones where that is inside too.
Float32 becomes int8 by one QUANTIZE, and int8 float32 by one DEQUANTIZE, which are left out: the
board takes and gives int8. A uint8 value is read as the int8 value 128 below, with a zero point 128
below; a QUANTIZE between the two that then changes nothing is left out too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.tflite.check import listed
from edgesq.formats.tflite.reader import FLOAT32, INT8, INT16, UINT8, Reader
from edgesq.graph import Int8Array, Tensor

Operators = list[tuple[str, Any]]
"""Kind and OperatorT of each."""

HINT = "convert with int8 input and output, or with one QUANTIZE or DEQUANTIZE at the end"


@dataclass(frozen=True)
class Inside:
    """What is left of a file without its ends.

    Attributes:
        sources, results: the file's numbers of the int8 inputs and outputs.
        operators: between the two.
        first, last: the operators left out at the ends.
    """

    sources: tuple[int, ...]
    results: tuple[int, ...]
    operators: Operators
    first: tuple[Any, ...]
    last: tuple[Any, ...]


def without_edges(reader: Reader, operators: Operators) -> Inside:
    """Find the int8 network inside a file.

    Raises:
        ModelError: an end of another type is not made int8, or from int8, by one operator.
    """
    sources, results = listed(reader.source.inputs), reader.results
    first = [_first(reader, operators, source) for source in sources]
    last = [_last(reader, operators, result) for result in results]
    out = {id(one) for one in (*first, *last) if one is not None}
    return Inside(
        tuple(
            one.outputs[0] if one else source for one, source in zip(first, sources, strict=True)
        ),
        tuple(one.inputs[0] if one else result for one, result in zip(last, results, strict=True)),
        [(kind, one) for kind, one in operators if id(one) not in out],
        tuple(one for one in first if one is not None),
        tuple(one for one in last if one is not None),
    )


def _first(reader: Reader, operators: Operators, source: int) -> Any | None:
    readers = [(kind, one) for kind, one in operators if source in one.inputs]
    return _edge(reader, source, readers, "QUANTIZE", "input")


def _last(reader: Reader, operators: Operators, result: int) -> Any | None:
    makers = [(kind, one) for kind, one in operators if result in one.outputs]
    last = _edge(reader, result, makers, _MAKERS.get(reader.type(result), ""), "output")
    if last is not None and any(result in one.inputs for _, one in operators):
        raise reader.error(f"the output {reader.name(result)} is read on, and not int8", HINT)
    return last


_MAKERS = {UINT8: "QUANTIZE", FLOAT32: "DEQUANTIZE"}


def _edge(reader: Reader, index: int, beside: Operators, kind: str, end: str) -> Any | None:
    """Return the operator at one end that is left out; None where none is."""
    outside = reader.type(index)
    if outside in (INT8, INT16) or (outside == UINT8 and not _is_edge(reader, beside, kind, end)):
        return None
    if end == "input" and not beside:
        name = reader.name(index)
        raise reader.error(f"the input {name} is read by nothing", "leave it out of the model")
    fits = outside in _MAKERS and beside and all(name == kind for name, _ in beside)
    if not fits or (outside == FLOAT32 and len(beside) > 1):
        raise reader.error(f"the {end} {reader.name(index)} is not int8", HINT)
    operator = beside[0][1]
    inner = _inner(operator, end)
    if reader.type(inner) not in (INT8, UINT8, INT16):
        raise reader.error(f"the {end} {reader.name(index)} does not meet int8", HINT)
    if outside == FLOAT32:
        return operator
    same = reader.read(index).quantization == reader.read(inner).quantization
    return operator if same and len(beside) == 1 else None


def _inner(operator: Any, end: str) -> int:
    return int(operator.outputs[0] if end == "input" else operator.inputs[0])


def _is_edge(reader: Reader, beside: Operators, kind: str, end: str) -> bool:
    """Say whether operators at a uint8 end lead to int8 or from it: inside is no uint8."""
    return any(name == kind and reader.type(_inner(one, end)) == INT8 for name, one in beside)


def to_outside(values: Int8Array, tensor: Tensor, dtype: type[np.generic]) -> NDArray[Any]:
    """Return int8 values as the file's end takes them; a float becomes the same int8 again."""
    if dtype == np.uint8:
        return (values.astype(np.int16) + 128).astype(np.uint8)
    if dtype == np.float32:
        return (values.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)
    return values


def from_outside(values: NDArray[Any], tensor: Tensor) -> Int8Array:
    """Return as int8 what a tensor at a file's end, or an int8 tensor inside, holds."""
    if values.dtype == np.uint8:
        return (values.astype(np.int16) - 128).astype(np.int8)
    if values.dtype == np.float32:
        levels = np.round(values / np.float32(tensor.scale)) + tensor.zero_point
        return np.clip(levels, *tensor.levels).astype(tensor.dtype)
    return values
