"""ADD, SUB and MUL as ONNX nodes. Mirror: edgesq/reference/binary.py."""

from collections.abc import Sequence

import numpy as np

from edgesq import arithmetic
from edgesq.combine import SQUARED_LEFT_SHIFT, prelu_multipliers, squared_parameters
from edgesq.formats.onnx.real import FloatModel, clamped
from edgesq.formats.onnx.scope import TO_NCHW, UINT8_OFFSET, Scope, Value, Writers, requantize
from edgesq.graph import Graph
from edgesq.operators import (
    Add,
    Binary,
    Maximum,
    Minimum,
    Mul,
    Prelu,
    SquaredDifference,
    Sub,
)


def add(scope: Scope, graph: Graph, op: Add | Sub, *inputs: str) -> str:
    """Add both operands, rescaled to a common scale by tables, and requantize the sum."""
    parameters = arithmetic.add_parameters(graph, op)
    tables = [
        arithmetic.multiply_by_quantized_multiplier(
            _every(graph, index) << arithmetic.ADD_LEFT_SHIFT, multiplier, shift
        )
        for index, multiplier, shift in zip(
            op.operands, parameters.multiplier, parameters.shift, strict=True
        )
    ]
    scaled = _through_tables(scope, graph, op, inputs, tables)
    return requantize(
        scope.within("requantize"),
        scope.node("Sub" if isinstance(op, Sub) else "Add", "sum", *scaled),
        np.array([parameters.output_multiplier]),
        np.array([parameters.output_shift]),
        bias=np.array([0]),
        zero_point=graph.tensors[op.output].zero_point,
        clamp=op.clamp,
    )


def mul(scope: Scope, graph: Graph, op: Mul, *inputs: str) -> str:
    """Multiply both operands less their zero points, and requantize the product."""
    multiplier, shift = arithmetic.mul_multiplier(graph, op)
    tables = [_every(graph, index) for index in op.operands]
    return requantize(
        scope.within("requantize"),
        scope.node("Mul", "product", *_through_tables(scope, graph, op, inputs, tables)),
        np.array([multiplier]),
        np.array([shift]),
        bias=np.array([0]),
        zero_point=graph.tensors[op.output].zero_point,
        clamp=op.clamp,
    )


def extreme(scope: Scope, graph: Graph, op: Maximum | Minimum, *inputs: str) -> str:
    """Add the greater or the lesser of two levels."""
    table = np.arange(256, dtype=np.int64)
    values = _through_tables(scope, graph, op, inputs, [table, table])
    found = scope.node(_NODES[type(op)], "extreme", *values)
    low, high = (np.int32(end + UINT8_OFFSET) for end in op.clamp)
    cut = scope.node("Min", "high", scope.node("Max", "low", found, low), high)
    return scope.cast("result", cut, np.uint8)


def squared_difference(scope: Scope, graph: Graph, op: SquaredDifference, *inputs: str) -> str:
    """Add both operands' difference at a common scale, and requantize its square."""
    parameters = squared_parameters(graph, op)
    tables = [
        arithmetic.multiply_by_quantized_multiplier(
            _every(graph, index) << SQUARED_LEFT_SHIFT, multiplier, shift
        )
        for index, multiplier, shift in zip(
            op.operands, parameters.multiplier, parameters.shift, strict=True
        )
    ]
    scaled = _through_tables(scope, graph, op, inputs, tables)
    difference = scope.node("Sub", "difference", *scaled)
    return requantize(
        scope.within("requantize"),
        scope.node("Mul", "square", difference, difference),
        np.array([parameters.output_multiplier]),
        np.array([parameters.output_shift]),
        bias=np.array([0]),
        zero_point=graph.tensors[op.output].zero_point,
        clamp=op.clamp,
    )


def prelu(scope: Scope, graph: Graph, op: Prelu, *inputs: str) -> str:
    """Add both rescalings, of values and of products, and choose by the sign."""
    one, two = _through_tables(
        scope, graph, op, inputs, [_every(graph, index) for index in op.operands]
    )
    product = scope.node("Mul", "product", one, two)
    sides = [
        requantize(
            scope.within(label),
            value,
            np.array([multiplier]),
            np.array([shift]),
            bias=np.array([0]),
            zero_point=graph.tensors[op.output].zero_point,
            clamp=op.clamp,
        )
        for label, value, (multiplier, shift) in zip(
            ("above", "below"), (one, product), prelu_multipliers(graph, op), strict=True
        )
    ]
    above, below = sides
    negative = scope.node("Less", "negative", one, np.int32(0))
    return scope.node("Where", "result", negative, below, above)


def _every(graph: Graph, index: int) -> arithmetic.Int64Array:
    """Return all 256 values of a tensor less its zero point."""
    every = np.arange(256, dtype=np.int64) - UINT8_OFFSET
    return every - graph.tensors[index].zero_point


def _through_tables(
    scope: Scope,
    graph: Graph,
    op: Binary,
    inputs: Sequence[str],
    tables: Sequence[arithmetic.Int64Array],
) -> list[str]:
    """Return each operand through a table of 256 int32; constants are taken through it here."""
    pixels, values = iter(inputs), []
    for position, (index, table) in enumerate(zip(op.operands, tables, strict=True)):
        data, label = graph.tensors[index].data, f"scaled{position}"
        if data is None:
            wide = scope.cast(f"index{position}", next(pixels), np.int32)
            values.append(scope.lookup(label, table.astype(np.int32), wide))
        else:
            constants = table[data.astype(np.int64) + UINT8_OFFSET].astype(np.int32)
            shaped = constants.reshape((1,) * (4 - constants.ndim) + constants.shape)
            values.append(scope.constant(label, shaped.transpose(TO_NCHW)))
    return values


def float_binary(scope: Scope, model: FloatModel, op: Binary, *inputs: str) -> str:
    """Add a sum, difference or product; constants are what the int8 model has."""
    given, operands = iter(inputs), list[Value]()
    for index in op.operands:
        tensor = model.result(index)
        if tensor.data is None:
            operands.append(next(given))
            continue
        shape = (1,) * (4 - tensor.data.ndim) + tensor.data.shape
        stored = np.asarray(tensor.data.reshape(shape).transpose(TO_NCHW), np.int8)
        operands.append(model.operand(scope, index, stored))
    if isinstance(op, SquaredDifference):
        difference = scope.node("Sub", "difference", *operands)
        total = scope.node("Mul", "square", difference, difference)
    else:
        total = scope.node(_NODES[type(op)], "binary", *operands)
    return clamped(scope, model.result(op.output), op.clamp, total)


_NODES: dict[type[Binary], str] = {
    Add: "Add",
    Maximum: "Max",
    Minimum: "Min",
    Mul: "Mul",
    Prelu: "PRelu",
    Sub: "Sub",
}

INTEGER: Writers = {
    Add: add,
    Maximum: extreme,
    Minimum: extreme,
    Mul: mul,
    Prelu: prelu,
    SquaredDifference: squared_difference,
    Sub: add,
}
FLOAT: Writers = {Binary: float_binary}
