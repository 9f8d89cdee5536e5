"""Read the operators of a .tflite that move values: pads, slices, resizing, squares of pixels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgesq.arithmetic import nearest_sources
from edgesq.formats.tflite.reader import Reader
from edgesq.graph import (
    OUTSIDE,
    DepthToSpace,
    Op,
    Pad,
    PadV2,
    Pick,
    ResizeNearest,
    Slice,
    SpaceToDepth,
    StridedSlice,
)

Indices = Sequence[int]


def read_pad(reader: Reader, operator: Any) -> Op:
    """Read a PAD: the zero point all around.

    Raises:
        ModelError: it pads the batch, or its paddings do not fit its shapes.
    """
    zero_point = reader.tensors[reader.tensor(operator.outputs[0])].zero_point
    return _pad(reader, operator, Pad, zero_point)


def read_pad_v2(reader: Reader, operator: Any) -> Op:
    """Read a PADV2, whose fill is a constant of the tensors' own scale.

    Raises:
        ModelError: as PAD's; or the fill has another scale.
    """
    fill = reader.read(operator.inputs[2])
    output = reader.tensors[reader.tensor(operator.outputs[0])]
    if fill.data is None or fill.data.size != 1 or fill.quantization != output.quantization:
        raise reader.error(f"{output.name}: PADV2 must fill with a constant of its own scale")
    return _pad(reader, operator, PadV2, int(fill.data.reshape(-1)[0]))


def read_slice(reader: Reader, operator: Any) -> Op:
    """Read a SLICE.

    Raises:
        ModelError: its begin or size is computed, or lies outside the input.
    """
    name = reader.name(operator.outputs[0])
    shape = _input_shape(reader, operator)
    begin = _constants(reader, name, operator.inputs[1], len(shape))
    size = _constants(reader, name, operator.inputs[2], len(shape))
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
        _constants(reader, name, index, len(shape)) for index in operator.inputs[1:]
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


def read_space_to_depth(reader: Reader, operator: Any) -> Op:
    """Read a SPACE_TO_DEPTH.

    Raises:
        ModelError: its block is below 1.
    """
    name, source, output, block = _block(reader, operator)
    return SpaceToDepth(name, (source,), output, block)


def read_depth_to_space(reader: Reader, operator: Any) -> Op:
    """Read a DEPTH_TO_SPACE.

    Raises:
        ModelError: its block is below 1.
    """
    name, source, output, block = _block(reader, operator)
    return DepthToSpace(name, (source,), output, block)


def _block(reader: Reader, operator: Any) -> tuple[str, int, int, int]:
    name, output = reader.parts(operator)
    source = reader.tensor(operator.inputs[0])
    reader.same_quantization(name, (source, output))
    block = int(operator.builtinOptions.blockSize)
    if block < 1:
        raise reader.error(f"{name}: a block of {block} pixels")
    return name, source, output, block


def _pad(reader: Reader, operator: Any, cls: type[Pad], fill: int) -> Op:
    name, output = reader.parts(operator)
    shape, result = _input_shape(reader, operator), reader.tensors[output].shape
    pads = _constants(reader, name, operator.inputs[1], 2 * len(shape))
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


def _constants(reader: Reader, name: str, index: int, count: int) -> list[int]:
    values = reader.data(index)
    if values is None or values.dtype != np.int32 or values.size != count:
        raise reader.error(f"{name}: {reader.name(index)} must be {count} int32 constants")
    return [int(value) for value in values.flat]
