"""Read operators on two values of a .tflite."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from edgesq.arithmetic import add_parameters, mul_multiplier
from edgesq.combine import prelu_multipliers, squared_parameters
from edgesq.formats.tflite.check import INT8_SPAN, SUM_LIMIT
from edgesq.formats.tflite.readable import Fits, Ranges, Readable, Readables, broadcast_shape, hwc
from edgesq.formats.tflite.reader import Reader
from edgesq.graph import Graph
from edgesq.operators import Add, Binary, Maximum, Minimum, Mul, Op, Prelu, SquaredDifference, Sub


def read_binary(cls: type[Binary]) -> Callable[[Reader, Any], Op]:
    """Return a reader of an operator on two values; it refuses broadcasting the runtime lacks."""

    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        one, two = (_operand(reader, name, index, output) for index in operator.inputs)
        shape = reader.tensors[output].hwc
        computed = tuple(k for k in (one, two) if reader.tensors[k].data is None)
        if all(reader.tensors[index].hwc != shape for index in computed):
            raise reader.error(f"{name}: no operand of {cls.kind} has the output's shape")
        if cls.holds_levels:
            reader.same_quantization(name, (one, two, output))
        fused = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
        return cls(name, computed, output, (one, two), reader.clamp(fused, output))

    return read


def _operand(reader: Reader, name: str, index: int, output: int) -> int:
    """Return an operand; a constant becomes [C], or [1] where all its values are the same."""
    shape = reader.tensors[output].hwc
    constant = reader.constant_operand(index)
    if constant is None:
        computed = reader.tensor(index)
        if reader.tensors[computed].hwc not in (shape, (1, 1, shape[2])):
            raise reader.error(
                f"{name}: a computed operand of shape {reader.tensors[computed].shape} meets an "
                f"output of {reader.tensors[output].shape}",
                "give it the output's shape, or one pixel of all its channels",
            )
        return computed
    assert constant.data is not None
    values = constant.data.reshape(-1)
    if values.size > 1 and (values.size, constant.shape[-1]) != (shape[2], shape[2]):
        raise reader.error(
            f"{name}: a constant operand of shape {constant.shape}",
            "constants may be one value, or one per channel",
        )
    values = values[:1] if np.all(values == values[0]) else values
    return reader.append(-1, replace(constant, shape=values.shape, data=values))


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
