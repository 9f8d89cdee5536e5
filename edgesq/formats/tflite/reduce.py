"""Read what takes one value of many along axes: MEAN, SUM, REDUCE_MAX, REDUCE_MIN."""

from typing import Any

from edgesq.formats.tflite.check import INT8_SPAN, SUM_LIMIT
from edgesq.formats.tflite.readable import (
    Advice,
    Fits,
    Made,
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
from edgesq.operators import (
    MaxPool2D,
    Mean,
    MeanAlong,
    Op,
    ReduceMax,
    ReduceMin,
    Reduction,
    Reshape,
    Sum,
    Window,
)
from edgesq.reductions import added_values, mean_parameters


def read_mean(reader: Reader, operator: Any) -> Made:
    """Read a MEAN.

    Raises:
        ModelError: it is over the batch alone, or its axes are computed.
    """
    return _read(reader, operator, MeanAlong)


def read_sum(reader: Reader, operator: Any) -> Made:
    """Read a SUM.

    Raises:
        ModelError: as MEAN's.
    """
    return _read(reader, operator, Sum)


def read_reduce_max(reader: Reader, operator: Any) -> Made:
    """Read a REDUCE_MAX, over height and width as a max pool whose window is the image.

    Raises:
        ModelError: as MEAN's; or the scales differ.
    """
    return _read(reader, operator, ReduceMax)


def read_reduce_min(reader: Reader, operator: Any) -> Made:
    """Read a REDUCE_MIN.

    Raises:
        ModelError: as MEAN's; or the scales differ.
    """
    return _read(reader, operator, ReduceMin)


def _read(reader: Reader, operator: Any, cls: type[Reduction]) -> Made:
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    if not cls.rescales:
        reader.same_quantization(name, (source, output))
    image = reader.tensors[source].hwc
    axes = _axes(reader, operator, source)
    height, width, channels = (1 if axis in axes else extent for axis, extent in enumerate(image))
    kept, result = (height, width, channels), output
    if kept != reader.tensors[output].hwc:
        result = reader.reshaped(operator.outputs[0], kept)
    made: Op = cls(name, (source,), result, axes)
    if axes == (0, 1) and cls is MeanAlong:
        made = Mean(name, (source,), result)
    elif axes == (0, 1) and cls is ReduceMax:
        window = Window(*image[:2], 1, 1, 0, 0, 0, 0)
        reader.refuse_window(window, source, result)
        made = MaxPool2D(name, (source,), result, window, (-128, 127))
    return made if result == output else (made, Reshape(name, (result,), output))


def _axes(reader: Reader, operator: Any, source: int) -> tuple[int, ...]:
    """Return which axes of [H, W, C] are reduced; those of one value cost nothing.

    Where width and channels are, and there is one row, so is height: that is the usual mean.
    """
    tensor, axes = reader.tensors[source], reader.data(operator.inputs[1])
    rank = len(tensor.shape)
    over = set() if axes is None else {int(axis) for axis in axes.flat}
    if not over or any(not -rank <= axis < rank for axis in over):
        name = reader.name(operator.outputs[0])
        raise reader.error(f"{name}: {reader.kind(operator)} needs constant axes of {rank}")
    places = {axis % rank - rank - tensor.is_plane + 3 for axis in over if axis % rank}
    if 1 in places and tensor.hwc[0] == 1:
        places.add(0)
    if 0 in places and tensor.hwc[1] == 1:
        places.add(1)
    return tuple(sorted(places))


def _shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    over = {axis_of(axis, len(shape)) for axis in constants(reader, operator.inputs[1])}
    kept = [1 if axis in over else extent for axis, extent in enumerate(shape)]
    if operator.builtinOptions.keepDims:
        return tuple(kept)
    return tuple(extent for axis, extent in enumerate(kept) if axis not in over)


def _reduction_fits(graph: Graph, op: Reduction) -> bool:
    shapes, result = hwc(graph, op)
    kept = (1 if axis in op.axes else extent for axis, extent in enumerate(shapes[0]))
    return tuple(kept) == result


def _fits(graph: Graph, op: Mean) -> bool:
    shapes, (height, width, channels) = hwc(graph, op)
    return shapes[0][2] == channels and (height, width) == (1, 1)


def _problem(graph: Graph, op: Mean | MeanAlong | Sum) -> str | None:
    parameters = mean_parameters(graph, op)
    largest = INT8_SPAN * added_values(graph, op) << max(parameters.shift, 0)
    return None if largest < SUM_LIMIT else f"the output's scale is too fine for {op.kind}"


READABLES: Readables = {
    "MEAN": Readable(read_mean, _shape, (2,), "ReducerOptionsT"),
    "REDUCE_MAX": Readable(read_reduce_max, _shape, (2,), "ReducerOptionsT"),
    "REDUCE_MIN": Readable(read_reduce_min, _shape, (2,), "ReducerOptionsT"),
    "SUM": Readable(read_sum, _shape, (2,), "ReducerOptionsT"),
}
FITS: Fits = {Mean: _fits, Reduction: _reduction_fits}
RANGES: Ranges = {Mean: _problem, MeanAlong: _problem, Sum: _problem}
ADVICE: Advice = {
    "L2_NORMALIZATION": "leave it to the program behind the network",
    "REDUCE_PROD": "multiply two maps at a time: MUL is known",
}
