"""Read the operators of a .tflite that take each value by itself."""

import math
from collections.abc import Callable
from typing import Any

from edgesq.formats.tflite.check import INT8_SPAN, SUM_LIMIT
from edgesq.formats.tflite.readable import (
    Advice,
    Fits,
    Ranges,
    Readable,
    Readables,
    hwc,
    refuse_output,
    same_shape,
)
from edgesq.formats.tflite.reader import Reader, quantized_range
from edgesq.graph import Graph
from edgesq.lookup import hard_swish_fits
from edgesq.operators import (
    HardSwish,
    LeakyRelu,
    Logistic,
    Lookup,
    Op,
    Quantize,
    Rectifier,
    Relu,
    Relu0To1,
    Relu6,
    ReluN1To1,
    Tanh,
)

_BOUNDS: dict[type[Rectifier], tuple[float, float | None]] = {
    Relu: (0.0, None),
    Relu0To1: (0.0, 1.0),
    Relu6: (0.0, 6.0),
    ReluN1To1: (-1.0, 1.0),
}


def read_quantize(reader: Reader, operator: Any) -> Op:
    """Read a QUANTIZE from int8 to int8."""
    name, output = reader.parts(operator)
    return Quantize(name, (reader.tensor(operator.inputs[0]),), output)


def read_dequantize(reader: Reader, operator: Any) -> Op:
    """Refuse a DEQUANTIZE: the one that may be, at the output, is left out before."""
    name = reader.name(operator.outputs[0])
    raise reader.error(
        f"{name}: DEQUANTIZE before the end of the network", "quantize the model fully to int8"
    )


def read_rectifier(cls: type[Rectifier]) -> Callable[[Reader, Any], Op]:
    """Return a reader of RELU or one of its like."""

    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        clamp = quantized_range(reader.tensors[output], *_BOUNDS[cls])
        return cls(name, (reader.tensor(operator.inputs[0]),), output, clamp)

    return read


def read_leaky_relu(reader: Reader, operator: Any) -> Op:
    """Read a LEAKY_RELU."""
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    return LeakyRelu(name, (source,), output, float(operator.builtinOptions.alpha))


def read_curve(
    cls: type[HardSwish] | type[Logistic] | type[Tanh],
) -> Callable[[Reader, Any], Op]:
    """Return a reader of a function without parameters."""

    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        refuse_output(reader, name, cls, output)
        return cls(name, (reader.tensor(operator.inputs[0]),), output)

    return read


def _fits(graph: Graph, op: Lookup) -> bool:
    shapes, result = hwc(graph, op)
    return shapes == [result]


def _table_problem(graph: Graph, op: Lookup, slope: float = 1.0) -> str | None:
    growth = graph.tensors[op.inputs[0]].scale / graph.tensors[op.output].scale
    fits = INT8_SPAN * growth * slope < SUM_LIMIT / 2
    return None if fits else f"the output's scale is too fine for {op.kind}"


def _leaky_problem(graph: Graph, op: LeakyRelu) -> str | None:
    if not 0 <= op.alpha < math.inf:
        return f"alpha {op.alpha} is not a usable slope"
    return _table_problem(graph, op, max(op.alpha, 1))


def _hard_swish_problem(graph: Graph, op: HardSwish) -> str | None:
    if not hard_swish_fits(graph, op):
        return "the output's scale is too fine or too coarse for HARD_SWISH"
    return _table_problem(graph, op)


READABLES: Readables = {
    "DEQUANTIZE": Readable(read_dequantize, same_shape),
    "HARD_SWISH": Readable(read_curve(HardSwish), same_shape, version=1),
    "LEAKY_RELU": Readable(read_leaky_relu, same_shape, options="LeakyReluOptionsT"),
    "LOGISTIC": Readable(read_curve(Logistic), same_shape),
    "QUANTIZE": Readable(read_quantize, same_shape),
    "RELU": Readable(read_rectifier(Relu), same_shape),
    "RELU6": Readable(read_rectifier(Relu6), same_shape),
    "RELU_0_TO_1": Readable(read_rectifier(Relu0To1), same_shape, version=1),
    "RELU_N1_TO_1": Readable(read_rectifier(ReluN1To1), same_shape, version=1),
    "TANH": Readable(read_curve(Tanh), same_shape),
}
FITS: Fits = {Lookup: _fits}
RANGES: Ranges = {
    HardSwish: _hard_swish_problem,
    LeakyRelu: _leaky_problem,
    Lookup: _table_problem,
}
ADVICE: Advice = {}
