"""Read the operators of a .tflite that take a part along one axis: SPLIT, UNPACK, GATHER."""

from collections.abc import Sequence
from typing import Any

from edgesq.formats.tflite.readable import (
    Fits,
    Made,
    Ranges,
    Readable,
    Readables,
    Shape,
    axis_of,
    constants,
)
from edgesq.formats.tflite.reader import MAX_AXES, Reader
from edgesq.operators import Gather, Pick, Reshape, Slice


def read_split(reader: Reader, part: Any) -> Made:
    """Read one output of a SPLIT.

    Raises:
        ModelError: it is along the batch.
    """
    axis, source = part.inputs
    extent, place = _axis(reader, source, _told(reader, axis)[0])
    size = extent // len(part.whole.outputs)
    return _picked(reader, part, source, place, range(size * part.number, size * (part.number + 1)))


def read_split_v(reader: Reader, part: Any) -> Made:
    """Read one output of a SPLIT_V.

    Raises:
        ModelError: it is along the batch, or its sizes do not make the extent.
    """
    source, listed, axis = part.inputs
    extent, place = _axis(reader, source, _told(reader, axis)[0])
    sizes = _without_open(_told(reader, listed), extent)
    start = sum(sizes[: part.number])
    size = (*sizes, *[0] * len(part.whole.outputs))[part.number]
    return _picked(reader, part, source, place, range(start, start + size))


def read_unpack(reader: Reader, part: Any) -> Made:
    """Read one output of an UNPACK.

    Raises:
        ModelError: it is along the batch.
    """
    (source,) = part.inputs
    _, place = _axis(reader, source, int(part.builtinOptions.axis))
    return _picked(reader, part, source, place, [part.number])


def read_gather(reader: Reader, operator: Any) -> Made:
    """Read a GATHER.

    Raises:
        ModelError: its indices are computed or outside, or it is along the batch.
    """
    source, chosen = operator.inputs
    _, place = _axis(reader, source, int(operator.builtinOptions.axis))
    indices = _told(reader, chosen)
    return _picked(reader, operator, source, place, indices, Gather)


def _axis(reader: Reader, source: int, axis: int) -> tuple[int, int]:
    """Return the extent along an axis of one of the file's tensors, and its place in [H, W, C].

    Raises:
        ModelError: it is the batch, or no axis at all.
    """
    tensor = reader.tensors[reader.tensor(source)]
    rank = len(tensor.shape)
    if not -rank <= axis < rank or axis % rank == 0:
        raise reader.error(
            f"{tensor.name}: axis {axis} of {list(tensor.shape)} cannot be taken apart"
        )
    place = axis % rank - rank - tensor.is_plane + 3
    return tensor.hwc[place], place


def _told(reader: Reader, index: int) -> list[int]:
    """Return the numbers of a constant, at least one.

    Raises:
        ModelError: it is none.
    """
    values = reader.data(index)
    if values is None or not values.size or not reader.is_integer(index):
        raise reader.error(f"{reader.name(index)} must be constant", "choose parts by constants")
    return [int(value) for value in values.flat]


def _picked(
    reader: Reader,
    operator: Any,
    source: int,
    place: int,
    indices: Sequence[int],
    cls: type[Pick] = Slice,
) -> Made:
    """Make a Pick along one place of [H, W, C], and a Reshape where axes go or come."""
    name, output = reader.parts(operator)
    number = reader.tensor(source)
    reader.same_quantization(name, (number, output))
    axes = [tuple(range(extent)) for extent in reader.tensors[number].hwc]
    axes[place] = tuple(indices)
    extent = reader.tensors[number].hwc[place]
    if not indices or min(indices) < 0 or max(indices) >= extent:
        raise reader.error(f"{name}: {cls.kind} ends outside of {extent}")
    height, width, channels = map(len, axes)
    rows, columns, depths = axes
    if (height, width, channels) == reader.tensors[output].hwc:
        return cls(name, (number,), output, rows, columns, depths, 0)
    between = reader.reshaped(operator.outputs[0], (height, width, channels))
    return (
        cls(name, (number,), between, rows, columns, depths, 0),
        Reshape(name, (between,), output),
    )


def _without_open(sizes: list[int], extent: int) -> list[int]:
    """Return the sizes of a SPLIT_V, one of which may be left open."""
    if sizes.count(-1) != 1:
        return sizes
    rest = extent - sum(sizes) - 1
    return [rest if size == -1 else size for size in sizes]


def _split_shape(reader: Reader, part: Any) -> Shape:
    axis, source = part.inputs
    shape, count = reader.shape(source), len(part.whole.outputs)
    place = axis_of(constants(reader, axis)[0], len(shape))
    if part.builtinOptions.numSplits != count or shape[place] % count:
        raise ValueError(f"{shape[place]} into {count}")
    return (*shape[:place], shape[place] // count, *shape[place + 1 :])


def _split_v_shape(reader: Reader, part: Any) -> Shape:
    source, _, axis = part.inputs
    shape = reader.shape(source)
    place = axis_of(constants(reader, axis)[0], len(shape))
    sizes = _without_open(constants(reader, part.inputs[1]), shape[place])
    if len(sizes) != len(part.whole.outputs) or min(sizes) < 1 or sum(sizes) != shape[place]:
        raise ValueError(f"{shape[place]} into {sizes[:MAX_AXES]}")
    return (*shape[:place], sizes[part.number], *shape[place + 1 :])


def _unpack_shape(reader: Reader, part: Any) -> Shape:
    shape, count = reader.shape(part.inputs[0]), len(part.whole.outputs)
    place = axis_of(int(part.builtinOptions.axis), len(shape))
    if not shape[place] == part.builtinOptions.num == count:
        raise ValueError(f"{shape[place]} into {count}")
    return (*shape[:place], *shape[place + 1 :])


def _gather_shape(reader: Reader, operator: Any) -> Shape:
    shape, options = reader.shape(operator.inputs[0]), operator.builtinOptions
    place = axis_of(int(options.axis), len(shape))
    if options.batchDims:
        raise ValueError("it has batch dimensions")
    return (*shape[:place], *reader.shape(operator.inputs[1]), *shape[place + 1 :])


READABLES: Readables = {
    "GATHER": Readable(read_gather, _gather_shape, (2,), "GatherOptionsT"),
    "SPLIT": Readable(read_split, _split_shape, (2,), "SplitOptionsT"),
    "SPLIT_V": Readable(read_split_v, _split_v_shape, (3,), "SplitVOptionsT"),
    "UNPACK": Readable(read_unpack, _unpack_shape, (1,), "UnpackOptionsT"),
}
FITS: Fits = {}
RANGES: Ranges = {}
