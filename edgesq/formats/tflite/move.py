"""Read the operators of a .tflite that move values: pads, slices, resizing, squares of pixels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgesq.formats.tflite.readable import (
    Advice,
    Fits,
    Ranges,
    Readable,
    Readables,
    Shape,
    constants,
    four,
    hwc,
)
from edgesq.formats.tflite.reader import MAX_AXES, Reader
from edgesq.graph import Graph
from edgesq.operators import (
    OUTSIDE,
    BroadcastTo,
    DepthToSpace,
    Op,
    Pad,
    PadV2,
    Pick,
    ResizeBilinear,
    ResizeNearest,
    Slice,
    SpaceToDepth,
    StridedSlice,
)
from edgesq.sampling import linear_sources, nearest_sources

Indices = Sequence[int]


def read_pad(reader: Reader, operator: Any) -> Op:
    """Read a PAD, which fills with the zero point.

    Raises:
        ModelError: it pads the batch, or its paddings do not fit its shapes.
    """
    zero_point = reader.tensors[reader.tensor(operator.outputs[0])].zero_point
    return _read_pad(reader, operator, Pad, zero_point)


def read_pad_v2(reader: Reader, operator: Any) -> Op:
    """Read a PADV2, whose fill is a constant of the tensors' own scale.

    Raises:
        ModelError: as PAD's; or the fill has another scale.
    """
    fill = reader.read(operator.inputs[2])
    output = reader.tensors[reader.tensor(operator.outputs[0])]
    if fill.data is None or fill.data.size != 1 or fill.quantization != output.quantization:
        raise reader.error(f"{output.name}: PADV2 must fill with a constant of its own scale")
    return _read_pad(reader, operator, PadV2, int(fill.data.reshape(-1)[0]))


def read_slice(reader: Reader, operator: Any) -> Op:
    """Read a SLICE.

    Raises:
        ModelError: its begin or size is computed, or lies outside the input.
    """
    name = reader.name(operator.outputs[0])
    shape = _input_shape(reader, operator)
    begin = _numbers(reader, name, operator.inputs[1], len(shape))
    size = _numbers(reader, name, operator.inputs[2], len(shape))
    ends = [
        extent if count == -1 else first + count
        for first, count, extent in zip(begin, size, shape, strict=True)
    ]
    spans = zip(begin, ends, shape, strict=True)
    if any(not 0 <= first < end <= extent for first, end, extent in spans):
        raise reader.error(f"{name}: SLICE begins at {begin} for {size} of {shape}")
    return _pick(reader, operator, Slice, [range(*ends) for ends in zip(begin, ends, strict=True)])


def read_strided_slice(reader: Reader, operator: Any) -> Op:
    """Read a STRIDED_SLICE.

    Raises:
        ModelError: a bound is computed, a stride is below 1, nothing is left, or axes are added or
            taken away.
    """
    name, options = reader.name(operator.outputs[0]), operator.builtinOptions
    shape = _input_shape(reader, operator)
    others = (options.ellipsisMask, options.newAxisMask, options.shrinkAxisMask, options.offset)
    if any(others):
        raise reader.error(f"{name}: STRIDED_SLICE must keep all axes")
    begin, end, stride = (
        _numbers(reader, name, index, len(shape)) for index in operator.inputs[1:]
    )
    if min(stride) < 1:
        raise reader.error(f"{name}: STRIDED_SLICE has stride {min(stride)}, not 1 or more")
    firsts, lasts = _unless(options.beginMask, begin), _unless(options.endMask, end)
    ranges = [
        range(extent)[first:last:step]
        for extent, first, last, step in zip(shape, firsts, lasts, stride, strict=True)
    ]
    if not all(ranges):
        raise reader.error(f"{name}: STRIDED_SLICE leaves nothing of {shape}")
    return _pick(reader, operator, StridedSlice, ranges)


def read_resize_nearest(reader: Reader, operator: Any) -> Op:
    """Read a RESIZE_NEAREST_NEIGHBOR to the size of its output."""
    options = operator.builtinOptions
    source = reader.tensors[reader.tensor(operator.inputs[0])]
    result = reader.tensors[reader.tensor(operator.outputs[0])]
    axes: list[Indices] = [
        nearest_sources(
            extent,
            count,
            align_corners=bool(options.alignCorners),
            half_pixel_centers=bool(options.halfPixelCenters),
        )
        for extent, count in zip(source.hwc[:2], result.hwc[:2], strict=True)
    ]
    return _pick(reader, operator, ResizeNearest, [range(1), *axes, range(source.hwc[2])])


def read_resize_bilinear(reader: Reader, operator: Any) -> Op:
    """Read a RESIZE_BILINEAR to the size of its output.

    Raises:
        ModelError: its two rules for corners contradict each other, or the output is so much larger
            than the input that TensorFlow Lite's steps lead beside it.
    """
    name, output = reader.parts(operator)
    options, source = operator.builtinOptions, reader.tensor(operator.inputs[0])
    reader.same_quantization(name, (source, output))
    if options.alignCorners and options.halfPixelCenters:
        raise reader.error(f"{name}: aligned corners and half pixel centers", "use one of them")
    rules = {
        "align_corners": bool(options.alignCorners),
        "half_pixel_centers": bool(options.halfPixelCenters),
    }
    shape, result = (reader.tensors[index].hwc[:2] for index in (source, output))
    axes = [linear_sources(*sizes, **rules) for sizes in zip(shape, result, strict=True)]
    if any(axis[-1].last >= extent for axis, extent in zip(axes, shape, strict=True)):
        raise reader.error(
            f"{name}: {shape[0]} x {shape[1]} to {len(axes[0])} x {len(axes[1])} pixels by "
            "RESIZE_BILINEAR reads beside the image",
            "resize in two steps, or with half_pixel_centers",
        )
    return ResizeBilinear(name, (source,), output, *axes)


def read_broadcast_to(reader: Reader, operator: Any) -> Op:
    """Read a BROADCAST_TO."""
    source = reader.tensors[reader.tensor(operator.inputs[0])]
    result = reader.tensors[reader.tensor(operator.outputs[0])]
    pairs = zip(source.hwc, result.hwc, strict=True)
    axes: list[Indices] = [
        range(count) if extent == count else [0] * count for extent, count in pairs
    ]
    return _pick(reader, operator, BroadcastTo, [range(1), *axes])


def read_space_to_depth(reader: Reader, operator: Any) -> Op:
    """Read a SPACE_TO_DEPTH.

    Raises:
        ModelError: its block is below 1.
    """
    name, source, output, block = _read_block(reader, operator)
    return SpaceToDepth(name, (source,), output, block)


def read_depth_to_space(reader: Reader, operator: Any) -> Op:
    """Read a DEPTH_TO_SPACE.

    Raises:
        ModelError: its block is below 1.
    """
    name, source, output, block = _read_block(reader, operator)
    return DepthToSpace(name, (source,), output, block)


def _read_block(reader: Reader, operator: Any) -> tuple[str, int, int, int]:
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    reader.same_quantization(name, (source, output))
    block = int(operator.builtinOptions.blockSize)
    if block < 1:
        raise reader.error(f"{name}: a block of {block} pixels")
    return name, source, output, block


def _read_pad(reader: Reader, operator: Any, cls: type[Pad], fill: int) -> Op:
    name, output = reader.parts(operator)
    shape, result = _input_shape(reader, operator), reader.tensors[output].shape
    pads = _numbers(reader, name, operator.inputs[1], 2 * len(shape))
    axes: list[Indices] = []
    for extent, count, before, after in zip(shape, result, pads[::2], pads[1::2], strict=True):
        if min(before, after) < 0 or before + extent + after != count:
            raise reader.error(f"{name}: {before} and {after} around {extent} do not make {count}")
        axes.append([OUTSIDE] * before + list(range(extent)) + [OUTSIDE] * after)
    return _pick(reader, operator, cls, axes, fill)


def _pick(
    reader: Reader, operator: Any, cls: type[Pick], axes: Sequence[Indices], fill: int = 0
) -> Op:
    """Make a Pick of indices for each axis of the input, the batch first."""
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    reader.same_quantization(name, (source, output))
    if tuple(axes[0]) != (0,):
        raise reader.error(f"{name}: {cls.kind} changes the batch")
    rows, columns, channels = [range(1)] * (4 - len(axes)) + list(axes[1:])
    return cls(name, (source,), output, tuple(rows), tuple(columns), tuple(channels), fill)


def _unless(mask: int, bounds: list[int]) -> list[int | None]:
    """Return the bounds of a STRIDED_SLICE; None where the mask says that there is none."""
    return [None if mask >> axis & 1 else bound for axis, bound in enumerate(bounds)]


def _input_shape(reader: Reader, operator: Any) -> tuple[int, ...]:
    """Return the input's shape, of the output's rank."""
    shape = reader.tensors[reader.tensor(operator.inputs[0])].shape
    result = reader.tensors[reader.tensor(operator.outputs[0])].shape
    if len(shape) != len(result):
        raise reader.error(f"{reader.name(operator.outputs[0])}: shape {shape} to {result}")
    return shape


def _numbers(reader: Reader, name: str, index: int, count: int) -> list[int]:
    values = reader.data(index)
    if values is None or values.dtype != np.int32 or values.size != count:
        raise reader.error(f"{name}: {reader.name(index)} must be {count} int32 constants")
    return [int(value) for value in values.flat]


def _pad_shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    amounts = constants(reader, operator.inputs[1])
    if reader.shape(operator.inputs[1]) != (len(shape), 2) or min(amounts) < 0:
        raise ValueError(f"paddings of {amounts[: 2 * MAX_AXES]}")
    pairs = zip(amounts[::2], amounts[1::2], strict=True)
    return tuple(extent + sum(pair) for extent, pair in zip(shape, pairs, strict=True))


def _slice_shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    begin, size = (constants(reader, index) for index in operator.inputs[1:])
    spans = zip(shape, begin, size, strict=True)
    return tuple(extent - first if count == -1 else count for extent, first, count in spans)


def _strided_slice_shape(reader: Reader, operator: Any) -> Shape:
    shape, options = reader.shape(operator.inputs[0]), operator.builtinOptions
    bounds = [constants(reader, index) for index in operator.inputs[1:]]
    made = []
    for axis, (extent, first, last, step) in enumerate(zip(shape, *bounds, strict=True)):
        start = None if options.beginMask >> axis & 1 else first
        stop = None if options.endMask >> axis & 1 else last
        made.append(len(range(extent)[start:stop:step]))
    return tuple(made)


def _broadcast_to_shape(reader: Reader, operator: Any) -> Shape:
    shape, wanted = reader.shape(operator.inputs[0]), constants(reader, operator.inputs[1])
    if np.broadcast_shapes(shape, tuple(wanted[:MAX_AXES])) != tuple(wanted):
        raise ValueError(f"{list(shape)} to {wanted[:MAX_AXES]}")
    return tuple(wanted)


def _resize_shape(reader: Reader, operator: Any) -> Shape:
    batch, _, _, channels = four(reader.shape(operator.inputs[0]))
    height, width = constants(reader, operator.inputs[1])
    return batch, height, width, channels


def _blocks_shape(reader: Reader, operator: Any, *, to_depth: bool) -> Shape:
    batch, height, width, channels = four(reader.shape(operator.inputs[0]))
    block = int(operator.builtinOptions.blockSize)
    if to_depth:
        return batch, height // block, width // block, channels * block * block
    return batch, height * block, width * block, channels // (block * block)


def _pick_fits(graph: Graph, op: Pick) -> bool:
    _, result = hwc(graph, op)
    return (len(op.rows), len(op.columns), len(op.channels)) == result


def _resize_bilinear_fits(graph: Graph, op: ResizeBilinear) -> bool:
    shapes, result = hwc(graph, op)
    return (len(op.rows), len(op.columns), shapes[0][2]) == result


def _space_to_depth_fits(graph: Graph, op: SpaceToDepth) -> bool:
    shapes, (height, width, channels) = hwc(graph, op)
    block = op.block
    return shapes[0] == (height * block, width * block, channels / (block * block))


def _depth_to_space_fits(graph: Graph, op: DepthToSpace) -> bool:
    shapes, (height, width, channels) = hwc(graph, op)
    rows, columns, deep = shapes[0]
    block = op.block
    return (height, width, channels * block * block) == (rows * block, columns * block, deep)


READABLES: Readables = {
    "BROADCAST_TO": Readable(read_broadcast_to, _broadcast_to_shape, (2,)),
    "DEPTH_TO_SPACE": Readable(
        read_depth_to_space,
        lambda reader, one: _blocks_shape(reader, one, to_depth=False),
        options="DepthToSpaceOptionsT",
        version=1,
        newest=1,
    ),
    "PAD": Readable(read_pad, _pad_shape, (2,)),
    "PADV2": Readable(read_pad_v2, _pad_shape, (3,)),
    "RESIZE_NEAREST_NEIGHBOR": Readable(
        read_resize_nearest, _resize_shape, (2,), "ResizeNearestNeighborOptionsT"
    ),
    "RESIZE_BILINEAR": Readable(
        read_resize_bilinear, _resize_shape, (2,), "ResizeBilinearOptionsT"
    ),
    "SLICE": Readable(read_slice, _slice_shape, (3,)),
    "SPACE_TO_DEPTH": Readable(
        read_space_to_depth,
        lambda reader, one: _blocks_shape(reader, one, to_depth=True),
        options="SpaceToDepthOptionsT",
    ),
    "STRIDED_SLICE": Readable(
        read_strided_slice, _strided_slice_shape, (4,), "StridedSliceOptionsT"
    ),
}
FITS: Fits = {
    DepthToSpace: _depth_to_space_fits,
    Pick: _pick_fits,
    ResizeBilinear: _resize_bilinear_fits,
    SpaceToDepth: _space_to_depth_fits,
}
RANGES: Ranges = {}
ADVICE: Advice = {}
