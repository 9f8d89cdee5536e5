"""Read operators on two values of a .tflite."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from edgesq.arithmetic import add_parameters, mul_multiplier
from edgesq.combine import prelu_multipliers, squared_parameters
from edgesq.formats.tflite.check import INT8_SPAN, SUM_LIMIT
from edgesq.formats.tflite.readable import (
    Fits,
    Made,
    Ranges,
    Readable,
    Readables,
    broadcast_shape,
    hwc,
)
from edgesq.formats.tflite.reader import Reader
from edgesq.graph import Graph, Tensor
from edgesq.operators import (
    Add,
    Binary,
    BroadcastTo,
    Maximum,
    Minimum,
    Mul,
    Op,
    Prelu,
    SquaredDifference,
    Sub,
)


def read_binary(cls: type[Binary]) -> Callable[[Reader, Any], Made]:
    """Return a reader of an operator on two values."""

    def read(reader: Reader, operator: Any) -> Made:
        name, output = reader.parts(operator)
        spread = list[Op]()
        one, two = (_operand(reader, name, index, output, spread) for index in operator.inputs)
        computed = tuple(k for k in (one, two) if reader.tensors[k].data is None)
        if not computed:
            raise reader.error(f"{name}: {cls.kind} of constants")
        if cls.holds_levels:
            reader.same_quantization(name, (one, two, output))
        fused = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
        made = cls(name, computed, output, (one, two), reader.clamp(fused, output))
        return _with_whole_operand(reader, made, spread, operator)

    return read


def _operand(reader: Reader, name: str, index: int, output: int, spread: list[Op]) -> int:
    """Return an operand; a constant becomes [C], [H, W, C], or [1] where all values are the same.

    A computed one of other extents than the output and than one pixel is spread before.
    """
    constant = reader.constant_operand(index)
    if constant is not None:
        return _constant(reader, name, constant, output)
    computed, (height, width, channels) = reader.tensor(index), reader.tensors[output].hwc
    known = reader.tensors[computed].hwc
    to = (1, 1, channels) if known[:2] == (1, 1) else (height, width, channels)
    return computed if known == to else _spread(reader, name, index, to, spread)


def _spread(
    reader: Reader, name: str, index: int, to: tuple[int, int, int], spread: list[Op]
) -> int:
    """Return a tensor in which rows, columns or channels of another are repeated.

    Raises:
        ModelError: that is not how the two differ.
    """
    source = reader.tensor(index)
    known = reader.tensors[source].hwc
    pairs = list(zip(known, to, strict=True))
    if any(extent not in (1, count) for extent, count in pairs):
        raise reader.error(f"{name}: an operand of {known} does not meet {to}")
    rows, columns, channels = (
        tuple(range(count)) if extent == count else (0,) * count for extent, count in pairs
    )
    made = reader.repeated(index, to)
    spread.append(BroadcastTo(name, (source,), made, rows, columns, channels, 0))
    return made


def _with_whole_operand(reader: Reader, op: Binary, spread: list[Op], operator: Any) -> Made:
    """Return an operator one of whose computed operands has the output's shape, and what spreads.

    Where a constant alone has that shape, the other operand is spread too.
    """
    shape = reader.tensors[op.output].hwc
    if all(reader.tensors[index].hwc != shape for index in op.inputs):
        position = op.operands.index(op.inputs[0])
        index = operator.inputs[position]
        whole = _spread(reader, op.name, index, shape, spread)
        operands = (whole, op.operands[1]) if position == 0 else (op.operands[0], whole)
        op = replace(op, inputs=(whole, *op.inputs[1:]), operands=operands)
    return (*spread, op) if spread else op


def _constant(reader: Reader, name: str, constant: Tensor, output: int) -> int:
    """Return a constant operand as the graph has it."""
    shape, data = reader.tensors[output].hwc, constant.data
    assert data is not None
    if data.size and np.all(data == data.flat[0]):
        return reader.append(-1, replace(constant, shape=(1,), data=data.reshape(-1)[:1]))
    whole = data.reshape((1,) * (4 - data.ndim) + data.shape)
    pairs = list(zip(whole.shape, (1, *shape), strict=False))
    if whole.ndim > 4 or any(extent not in (1, count) for extent, count in pairs):
        raise reader.error(f"{name}: a constant operand of shape {constant.shape}")
    values = np.broadcast_to(whole[0], (*whole.shape[1:3], shape[2]))
    values = values[0, 0] if values.shape[:2] == (1, 1) else values
    return reader.append(-1, replace(constant, shape=values.shape, data=values.copy()))


def _fits(graph: Graph, op: Binary) -> bool:
    shapes, (height, width, channels) = hwc(graph, op)
    return all(shape in ((height, width, channels), (1, 1, channels)) for shape in shapes)


def _sum_problem(graph: Graph, op: Add | Sub) -> str | None:
    # TensorFlow Lite itself takes no output scale so fine.
    fits = add_parameters(graph, op).output_shift <= 0
    return None if fits else f"the output's scale is too fine for {op.kind}"


def _product_problem(graph: Graph, op: Mul) -> str | None:
    _, shift = mul_multiplier(graph, op)
    fits = INT8_SPAN**2 << max(shift, 0) < SUM_LIMIT
    return None if fits else "the output's scale is too fine for MUL"


def _squared_problem(graph: Graph, op: SquaredDifference) -> str | None:
    fits = squared_parameters(graph, op).output_shift <= 0
    return None if fits else "the output's scale is too fine for SQUARED_DIFFERENCE"


def _prelu_problem(graph: Graph, op: Prelu) -> str | None:
    (_, above), (_, below) = prelu_multipliers(graph, op)
    spans = (INT8_SPAN << max(above, 0), INT8_SPAN**2 << max(below, 0))
    return None if max(spans) < SUM_LIMIT else "the output's scale is too fine for PRELU"


READABLES: Readables = {
    "ADD": Readable(read_binary(Add), broadcast_shape, (2,), "AddOptionsT"),
    "MUL": Readable(read_binary(Mul), broadcast_shape, (2,), "MulOptionsT"),
    "MAXIMUM": Readable(read_binary(Maximum), broadcast_shape, (2,)),
    "MINIMUM": Readable(read_binary(Minimum), broadcast_shape, (2,)),
    "PRELU": Readable(read_binary(Prelu), broadcast_shape, (2,), version=1),
    "SQUARED_DIFFERENCE": Readable(read_binary(SquaredDifference), broadcast_shape, (2,)),
    "SUB": Readable(read_binary(Sub), broadcast_shape, (2,), "SubOptionsT"),
}
FITS: Fits = {Binary: _fits}
RANGES: Ranges = {
    Add: _sum_problem,
    Mul: _product_problem,
    Prelu: _prelu_problem,
    SquaredDifference: _squared_problem,
    Sub: _sum_problem,
}
