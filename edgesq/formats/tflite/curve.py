"""Read operators that together are a function of one int8 value as one table of 256 answers.

Converters write an activation that they have no operator for as several: SELU as GREATER, MUL, EXP,
SUB, MUL and SELECT. Each rounds to int8, or leaves int8 for float32 and comes back by a QUANTIZE.
All 256 inputs are taken through all of it here, so the one table is exact.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, quantize_multiplier
from edgesq.combine import combine
from edgesq.curves import (
    BINARY,
    COMPARISONS,
    INT8_UNARY,
    UNARY,
    Options,
    compared,
    dequantized,
    quantized,
)
from edgesq.errors import ModelError
from edgesq.fixed_point import quotient, quotient_is_defined
from edgesq.formats.tflite import binary, lookup
from edgesq.formats.tflite.check import operator_problem
from edgesq.formats.tflite.readable import (
    Fits,
    Ranges,
    Readable,
    Readables,
    Steps,
    broadcast_shape,
    same_shape,
)
from edgesq.formats.tflite.reader import BOOL, FLOAT32, FUSED, INT8, Reader
from edgesq.graph import Graph
from edgesq.lookup import lookup_table
from edgesq.operators import INPUT, Binary, Curve, Op, Step

Operators = Sequence[tuple[str, Any]]
Values = NDArray[Any]

CURVE = Curve.kind
_PLAIN: Readables = {**binary.READABLES, **lookup.READABLES}
"""Read as operators of their own where they stand alone."""
_SELECTS = ("SELECT", "SELECT_V2")
_TYPES = (INT8, FLOAT32, BOOL)


class Joined(Steps):
    """Operators from one value to another."""


# --- joining ---


def joined(reader: Reader, operators: Operators) -> list[tuple[str, Any]]:
    """Return the operators; those that are functions of one int8 value are "CURVE"s in them.

    A step that stands alone, and that is an operator of its own, stays what it is.
    """
    makers, sources, kept = _functions(reader, operators)
    made: list[tuple[str, Any]] = []
    for kind, one in operators:
        result = one.outputs[0] if one.outputs else -1
        if makers.get(result) is not one:
            made.append((kind, one))
        elif result in kept:
            made.append(_curve(operators, makers, sources, kept, (kind, one)))
    return made


def _functions(
    reader: Reader, operators: Operators
) -> tuple[dict[int, Any], dict[int, int], set[int]]:
    """Find the steps: by result their operator, the value they begin with, and which are kept."""
    ends = {int(index) for index in reader.source.outputs}
    barred: set[int] = set()
    while True:
        sources: dict[int, int] = {}
        makers: dict[int, Any] = {}
        for kind, one in operators:
            if id(one) not in barred and _is_step(reader, kind, one):
                from_ = {sources.get(i, i) for i in one.inputs if not _has_data(reader, i)}
                if len(from_) == 1 and reader.type(source := from_.pop()) == INT8:
                    sources[one.outputs[0]], makers[one.outputs[0]] = source, one
        within, outside = _uses(operators, makers)
        kept = {result for result in makers if result not in within or result in outside | ends}
        wrong = {id(makers[result]) for result in kept if reader.type(result) != INT8}
        if not wrong:
            return makers, sources, kept
        barred |= wrong


def _uses(operators: Operators, makers: dict[int, Any]) -> tuple[set[int], set[int]]:
    """Return what steps read, and what all others read."""
    within: set[int] = set()
    outside: set[int] = set()
    for _, one in operators:
        is_step = bool(one.outputs) and makers.get(one.outputs[0]) is one
        (within if is_step else outside).update(one.inputs)
    return within, outside


def _is_step(reader: Reader, kind: str, operator: Any) -> bool:
    """Say whether an operator could be a step: its constants are single numbers."""
    readable = READABLES.get(kind) or _PLAIN.get(kind)
    if kind == CURVE or readable is None or len(operator.outputs) != 1 or not operator.inputs:
        return False
    if len(operator.inputs) not in readable.inputs or min(operator.inputs) < 0:
        return False
    indices = (*operator.inputs, *operator.outputs)
    return all(reader.type(index) in _TYPES for index in indices) and all(
        _number(reader, index) is not None for index in operator.inputs if _has_data(reader, index)
    )


def _has_data(reader: Reader, index: int) -> bool:
    data = reader.model.buffers[reader.source.tensors[index].buffer].data
    return data is not None and len(data) > 0


def _number(reader: Reader, index: int) -> float | None:
    """Return a constant's only value, a level of int8 or a float; None where it has several."""
    kind = reader.type(index)
    if kind == BOOL:
        return None
    raw = bytes(reader.model.buffers[reader.source.tensors[index].buffer].data)
    width = 1 if kind == INT8 else 4
    if len(raw) % width or raw != raw[:width] * (len(raw) // width):
        return None
    return float(np.frombuffer(raw[:width], np.int8 if kind == INT8 else "<f4")[0])


def _curve(
    operators: Operators,
    makers: dict[int, Any],
    sources: dict[int, int],
    kept: set[int],
    last: tuple[str, Any],
) -> tuple[str, Any]:
    """Return the steps to a result as one operator, from the nearest value that is there."""
    result = last[1].outputs[0]
    taken, begins = _back(makers, result, kept - {result})
    if len(begins) != 1:
        taken, begins = _back(makers, result, set())
        begins = {sources[result]}
    steps = tuple((kind, one) for kind, one in operators if id(one) in taken)
    if len(steps) == 1 and last[0] in _PLAIN:
        return last
    return CURVE, Joined([begins.pop()], [result], steps)


def _back(makers: dict[int, Any], result: int, stops: set[int]) -> tuple[set[int], set[int]]:
    """Return the operators between a result and where to stop, by id, and where they begin."""
    taken: set[int] = set()
    begins: set[int] = set()
    waiting = [result]
    while waiting:
        index = waiting.pop()
        if index in stops or index not in makers:
            begins.add(index)
        elif id(makers[index]) not in taken:
            taken.add(id(makers[index]))
            waiting += makers[index].inputs
    return taken, begins


# --- reading ---


def read_curve(reader: Reader, operator: Any) -> Op:
    """Read joined operators as one function of each value.

    Raises:
        ModelError: a step is damaged, or TensorFlow Lite's own result is undefined for some input.
    """
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    values: dict[int, Values] = {operator.inputs[0]: np.arange(-128, 128, dtype=np.int64)}
    numbers: dict[int, int] = {operator.inputs[0]: INPUT}
    steps: list[Step] = []
    for kind, one in operator.steps:
        readable = READABLES.get(kind) or _PLAIN[kind]
        reader.refuse(operator_problem(kind, one, readable.options, readable.inputs))
        if reader.shape(one.outputs[0]) != reader.shape(operator.inputs[0]):
            raise reader.error(f"{name}: {kind} widens what it is given")
        values[one.outputs[0]] = _answers(reader, kind, one, values)
        if kind in ("QUANTIZE", "DEQUANTIZE"):
            numbers[one.outputs[0]] = numbers[one.inputs[0]]
        else:
            steps.append(_real_step(reader, kind, one, numbers))
            numbers[one.outputs[0]] = len(steps) - 1
    answers = tuple(int(level) for level in values[operator.outputs[0]])
    return Curve(name, (source,), output, tuple(steps), answers)


def refuse_alone(reader: Reader, operator: Any) -> Op:
    """Refuse an operator that is no function of one value.

    Raises:
        ModelError: it takes several values, or constants that are not the same for all.
    """
    name, kind = reader.name(operator.outputs[0]), reader.kind(operator)
    raise reader.error(
        f"{name}: {kind} is only taken as a function of one int8 value and of single numbers",
        "compute it from one tensor, or leave it out",
    )


def _real_step(reader: Reader, kind: str, operator: Any, numbers: dict[int, int]) -> Step:
    """Return an operator as what it computes in reals."""
    options = operator.builtinOptions
    operands: list[int | float] = []
    for index in operator.inputs:
        number = None if index in numbers else _number(reader, index)
        if number is None:
            operands.append(numbers[index])
        elif reader.type(index) == INT8:
            tensor = reader.read(index)
            operands.append(float((number - tensor.zero_point) * tensor.scale))
        else:
            operands.append(number)
    fused = int(getattr(options, "fusedActivationFunction", 0) or 0)
    return Step(
        "SELECT" if kind in _SELECTS else kind,
        tuple(operands),
        FUSED.get(fused, (None, None)),
        float(getattr(options, "alpha", 0.0) or 0.0),
        bool(getattr(options, "approximate", False)),
    )


def _answers(reader: Reader, kind: str, operator: Any, values: dict[int, Values]) -> Values:
    """Return what an operator makes of what earlier ones made: levels, floats or bools."""
    operands = [
        values[index] if index in values else _constant(reader, index) for index in operator.inputs
    ]
    is_int8 = reader.type(operator.inputs[-1]) == INT8
    output = operator.outputs[0]
    try:
        if kind in _SELECTS:
            return _selected(reader, operator, operands)
        if kind in COMPARISONS and is_int8:
            tensors = [reader.read(index) for index in operator.inputs]
            return np.broadcast_to(compared(kind, operands, tensors), 256)
        if kind == "DEQUANTIZE":
            return dequantized(operands[0], reader.read(operator.inputs[0]))
        if kind == "QUANTIZE" and not is_int8:
            return _cut(quantized(operands[0], reader.read(output)))
        if is_int8:
            return _cut(_levels(reader, kind, operator, operands))
        return _floats(kind, operator, operands)
    except ModelError as error:
        raise reader.error(f"{reader.name(output)}: {error.message}", error.hint) from error


def _constant(reader: Reader, index: int) -> Values:
    number = _number(reader, index)
    dtype = np.int64 if reader.type(index) == INT8 else np.float32
    return np.array([number], dtype)


def _cut(levels: Int64Array) -> Int64Array:
    return np.broadcast_to(np.clip(levels, -128, 127), 256)


def _selected(reader: Reader, operator: Any, operands: list[Values]) -> Values:
    indices = [*operator.inputs[1:], operator.outputs[0]]
    if reader.type(indices[0]) == INT8 and len({reader.read(i).quantization for i in indices}) > 1:
        raise ModelError("SELECT of values of several scales", hint="convert the model again")
    return np.broadcast_to(np.where(*operands), 256)


def _levels(reader: Reader, kind: str, operator: Any, operands: list[Values]) -> Int64Array:
    """Return the levels that an operator of int8 makes, perhaps beyond int8."""
    if kind in INT8_UNARY:
        (source,), result = operator.inputs, operator.outputs[0]
        options = _options(operator)
        return INT8_UNARY[kind](operands[0], reader.read(source), reader.read(result), options)
    if kind == "DIV":
        return _quotient(reader, operator, operands)
    if kind not in _PLAIN:
        raise ModelError(f"TensorFlow Lite has no {kind} of int8")
    apart = copy.copy(reader)
    apart.tensors, apart.index = [], {}
    op = _PLAIN[kind].read(apart, operator)
    assert isinstance(op, Op), "it is one operator, see _PLAIN"
    graph = Graph(tuple(apart.tensors), (op,), op.inputs, (op.output,), "")
    ranges: Ranges = {**binary.RANGES, **lookup.RANGES}
    reader.refuse(next((ranges[cls](graph, op) for cls in type(op).__mro__ if cls in ranges), None))
    if isinstance(op, Binary):
        return np.asarray(np.clip(combine(graph, op, *operands), *op.clamp), np.int64)
    computed = next(values for values in operands if values.size == 256)
    return np.asarray(lookup_table(graph, op)[computed + 128], np.int64)


def _quotient(reader: Reader, operator: Any, operands: list[Values]) -> Int64Array:
    """Return the levels of DIV of int8."""
    first, second = (reader.read(index) for index in operator.inputs)
    result = reader.read(operator.outputs[0])
    one, two = (
        levels - tensor.zero_point for levels, tensor in zip(operands, (first, second), strict=True)
    )
    scales = [np.float32(tensor.scale) for tensor in (first, second, result)]
    multiplier, shift = quantize_multiplier(float(scales[0] / (scales[1] * scales[2])))
    if not quotient_is_defined(one, two, shift):
        hint = "TensorFlow Lite's own result is undefined: give it an output of finer steps"
        raise ModelError("DIV of int8 by these scales", hint=hint)
    levels = quotient(one, two, multiplier, shift) + result.zero_point
    low, high = reader.clamp(
        int(operator.builtinOptions.fusedActivationFunction), reader.tensor(operator.outputs[0])
    )
    return np.asarray(np.clip(levels, low, high), np.int64)


def _floats(kind: str, operator: Any, operands: list[Values]) -> Values:
    with np.errstate(all="ignore"):
        if kind == "LOGICAL_NOT":
            return ~operands[0]
        if kind in UNARY:
            return UNARY[kind](operands[0], _options(operator))
        made = BINARY[kind](*operands)
    fused = int(getattr(operator.builtinOptions, "fusedActivationFunction", 0) or 0)
    if fused not in FUSED:
        raise ModelError(f"fused activation {fused} of {kind} is not supported")
    low, high = FUSED[fused]
    if low is not None or high is not None:
        made = np.clip(
            made,
            None if low is None else np.float32(low),
            None if high is None else np.float32(high),
        )
    return np.broadcast_to(made, 256)


def _options(operator: Any) -> Options:
    options = operator.builtinOptions
    return Options(
        float(getattr(options, "alpha", 0.0) or 0.0), bool(getattr(options, "approximate", False))
    )


def _fits(graph: Graph, op: Curve) -> bool:
    return graph.tensors[op.inputs[0]].hwc == graph.tensors[op.output].hwc


def _alone(kinds: Iterable[str], inputs: int, **how: Any) -> Readables:
    shape = same_shape if inputs == 1 else broadcast_shape
    return {kind: Readable(refuse_alone, shape, (inputs,), **how) for kind in kinds}


READABLES: Readables = {
    CURVE: Readable(read_curve, same_shape),
    **_alone(set(UNARY) - set(_PLAIN), 1, version=1),
    **_alone(["LOGICAL_NOT"], 1, version=1),
    **_alone(set(BINARY) - set(_PLAIN), 2, version=1),
    **_alone(set(COMPARISONS), 2),
    **_alone(set(INT8_UNARY), 1),
    **_alone(["GELU"], 1, options="GeluOptionsT"),
    **_alone(_SELECTS, 3, version=1),
}
FITS: Fits = {Curve: _fits}
RANGES: Ranges = {Curve: lambda _, __: None}
