"""Read what takes one value of a whole map: MEAN and REDUCE_MAX of a .tflite."""

from typing import Any

from edgesq.arithmetic import mean_parameters
from edgesq.formats.tflite.check import INT8_SPAN, SUM_LIMIT
from edgesq.formats.tflite.readable import (
    Advice,
    Fits,
    Ranges,
    Readable,
    Readables,
    Shape,
    axis_of,
    constants,
    hwc,
)
from edgesq.formats.tflite.reader import Reader
from edgesq.graph import Graph
from edgesq.operators import MaxPool2D, Mean, Op, Window


def read_mean(reader: Reader, operator: Any) -> Op:
    """Read a MEAN.

    Raises:
        ModelError: it is not over height and width.
    """
    name, source, output = _reduced(reader, operator)
    return Mean(name, (source,), output)


def read_reduce_max(reader: Reader, operator: Any) -> Op:
    """Read a REDUCE_MAX as a max pool whose window is the image.

    Raises:
        ModelError: it is not over height and width.
    """
    name, source, output = _reduced(reader, operator)
    reader.same_quantization(name, (source, output))
    height, width, _ = reader.tensors[source].hwc
    window = Window(height, width, 1, 1, 0, 0, 0, 0)
    reader.refuse_window(window, source, output)
    return MaxPool2D(name, (source,), output, window, (-128, 127))


def _reduced(reader: Reader, operator: Any) -> tuple[str, int, int]:
    """Return name, input and output of what must reduce all axes but batch and channels."""
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    axes = reader.data(operator.inputs[1])
    rank = len(reader.tensors[source].shape)
    over = set() if axes is None else {int(axis) % rank for axis in axes.flat}
    if over != set(range(1, rank - 1)):
        raise reader.error(f"{name}: {reader.kind(operator)} must be over height and width")
    return name, source, output


def _shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    over = {axis_of(axis, len(shape)) for axis in constants(reader, operator.inputs[1])}
    kept = [1 if axis in over else extent for axis, extent in enumerate(shape)]
    if operator.builtinOptions.keepDims:
        return tuple(kept)
    return tuple(extent for axis, extent in enumerate(kept) if axis not in over)


def _fits(graph: Graph, op: Mean) -> bool:
    shapes, (height, width, channels) = hwc(graph, op)
    return shapes[0][2] == channels and (height, width) == (1, 1)


def _problem(graph: Graph, op: Mean) -> str | None:
    parameters = mean_parameters(graph, op)
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    largest = INT8_SPAN * height * width << max(parameters.shift, 0)
    return None if largest < SUM_LIMIT else "the output's scale is too fine for MEAN"


READABLES: Readables = {
    "MEAN": Readable(read_mean, _shape, (2,), "ReducerOptionsT"),
    "REDUCE_MAX": Readable(read_reduce_max, _shape, (2,), "ReducerOptionsT"),
}
FITS: Fits = {Mean: _fits}
RANGES: Ranges = {Mean: _problem}
ADVICE: Advice = {
    "L2_NORMALIZATION": "leave it to the program behind the network",
}
