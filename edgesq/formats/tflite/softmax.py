"""Read SOFTMAX of a .tflite."""

import math
from typing import Any

from edgesq.arithmetic import SOFTMAX_DIFF_INTEGER_BITS
from edgesq.formats.tflite.readable import (
    Fits,
    Ranges,
    Readable,
    Readables,
    hwc,
    refuse_output,
    same_shape,
)
from edgesq.formats.tflite.reader import Reader
from edgesq.graph import Graph
from edgesq.operators import Op, Softmax

_MAX_CHANNELS = 4095
"""Sums of that many exponentials stay in Q12.19."""


def read_softmax(reader: Reader, operator: Any) -> Op:
    """Read a SOFTMAX.

    Raises:
        ModelError: its output has not the scale and zero point of a softmax.
    """
    name, output = reader.parts(operator)
    refuse_output(reader, name, Softmax, output)
    source = reader.tensor(operator.inputs[0])
    return Softmax(name, (source,), output, float(operator.builtinOptions.beta))


def _fits(graph: Graph, op: Softmax) -> bool:
    shapes, result = hwc(graph, op)
    return shapes == [result]


def _problem(graph: Graph, op: Softmax) -> str | None:
    scaled = op.beta * graph.tensors[op.inputs[0]].scale
    if graph.tensors[op.output].hwc[2] > _MAX_CHANNELS:
        return f"softmax over more than {_MAX_CHANNELS} channels"
    usable = 2.0 ** (SOFTMAX_DIFF_INTEGER_BITS - 31) < scaled < math.inf
    return None if usable else "beta or the input's scale is not usable"


READABLES: Readables = {"SOFTMAX": Readable(read_softmax, same_shape, options="SoftmaxOptionsT")}
FITS: Fits = {Softmax: _fits}
RANGES: Ranges = {Softmax: _problem}
