"""Operators that move values, as ONNX nodes on [1, C, H, W]."""

import numpy as np

from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import UINT8_OFFSET, Scope, Value, Writers, unsigned
from edgesq.graph import Graph
from edgesq.operators import (
    BETWEEN_STEPS,
    OUTSIDE,
    DepthToSpace,
    Pick,
    ResizeBilinear,
    SpaceToDepth,
    Transpose,
)
from edgesq.sampling import linear_sources

_AXES = {"channels": 1, "rows": 2, "columns": 3}

_PLACES = (2, 3, 1)
"""Of rows, columns and channels in [1, C, H, W]."""


def pick(scope: Scope, graph: Graph, op: Pick, pixels: str) -> str:
    """Add the nodes that take values, and a Pad for what is outside."""
    return _picked(scope, graph, op, pixels, unsigned(op.fill))


def _picked(scope: Scope, graph: Graph, op: Pick, pixels: str, fill: Value) -> str:
    """Add a Slice or a Gather for each axis that is not whole, then a Pad for what is outside."""
    height, width, channels = graph.tensors[op.inputs[0]].hwc
    before, after = [0] * 4, [0] * 4
    for (name, axis), extent, indices in zip(
        _AXES.items(), (channels, height, width), (op.channels, op.rows, op.columns), strict=True
    ):
        inside = [index for index in indices if index != OUTSIDE]
        before[axis] = indices.index(inside[0])
        after[axis] = len(indices) - before[axis] - len(inside)
        pixels = _part(scope.within(name), pixels, axis, inside, extent)
    if not any(before + after):
        return pixels
    return scope.node("Pad", "pad", pixels, np.array(before + after, np.int64), fill)


def _part(scope: Scope, pixels: str, axis: int, inside: list[int], extent: int) -> str:
    """Add the node that takes some places along an axis."""
    if inside == list(range(extent)):
        return pixels
    first, last = inside[0], inside[-1]
    step = inside[1] - first if len(inside) > 1 else 1
    if step > 0 and inside == list(range(first, last + 1, step)):
        bounds = (np.array([value], np.int64) for value in (first, last + 1, axis, step))
        return scope.node("Slice", "slice", pixels, *bounds)
    return scope.node("Gather", "gather", pixels, np.array(inside, np.int64), axis=axis)


def resize_bilinear(scope: Scope, _: Graph, op: ResizeBilinear, pixels: str) -> str:
    """Add two rows by their weights, then two columns, and round once."""
    signed = scope.cast("wide", pixels, np.int32)
    value = scope.node("Sub", "signed", signed, np.int32(UINT8_OFFSET))
    value = _between(scope, op, value)
    sign = scope.node("Sign", "sign", value)
    half = scope.node("Mul", "half", sign, np.int32(BETWEEN_STEPS**2 // 2))
    total = scope.node("Add", "nudged", value, half)
    rounded = scope.node("Div", "rounded", total, np.int32(BETWEEN_STEPS**2))
    offset = scope.node("Add", "offset", rounded, np.int32(UINT8_OFFSET))
    return scope.cast("uint8", offset, np.uint8)


def _between(scope: Scope, op: ResizeBilinear, value: str) -> str:
    """Add each row, then each column, as the sum of two by their weights."""
    for name, axis, places in (("rows", _AXES["rows"], op.rows), ("columns", 3, op.columns)):
        own = scope.within(name)
        shape = [len(places) if place == axis else 1 for place in range(4)]
        weight = np.array([at.weight for at in places], np.int32).reshape(shape)
        parts = []
        for which, by, numbers in (
            ("first", BETWEEN_STEPS - weight, [at.first for at in places]),
            ("last", weight, [at.last for at in places]),
        ):
            taken = own.node("Gather", which, value, np.array(numbers, np.int64), axis=axis)
            parts.append(own.node("Mul", f"{which}_part", taken, by.astype(np.int32)))
        value = own.node("Add", "sum", *parts)
    return value


def space_to_depth(scope: Scope, graph: Graph, op: SpaceToDepth, pixels: str) -> str:
    """Add the nodes that put squares of pixels into one pixel each.

    ONNX has an operator of its own, which ONNX Runtime knows for floats only.
    """
    height, width, channels = graph.tensors[op.inputs[0]].hwc
    block = op.block
    squares = [1, channels, height // block, block, width // block, block]
    result = [1, channels * block * block, height // block, width // block]
    return _moved(scope, pixels, squares, (0, 3, 5, 1, 2, 4), result)


def depth_to_space(scope: Scope, graph: Graph, op: DepthToSpace, pixels: str) -> str:
    """Add the nodes that spread each pixel over a square of pixels."""
    height, width, channels = graph.tensors[op.inputs[0]].hwc
    block = op.block
    squares = [1, block, block, channels // (block * block), height, width]
    result = [1, channels // (block * block), height * block, width * block]
    return _moved(scope, pixels, squares, (0, 3, 4, 1, 5, 2), result)


def _moved(
    scope: Scope, pixels: str, squares: list[int], order: tuple[int, ...], result: list[int]
) -> str:
    taken = scope.node("Reshape", "squares", pixels, np.array(squares, np.int64))
    moved = scope.node("Transpose", "moved", taken, perm=order)
    return scope.node("Reshape", "pixels", moved, np.array(result, np.int64))


def float_pick(scope: Scope, model: FloatModel, op: Pick, pixels: str) -> str:
    """Add a Resize where pixels are repeated, else the nodes of `pick`."""
    tensor = model.result(op.output)
    height, width, channels = model.result(op.inputs[0]).hwc
    factors = (tensor.hwc[0] // height, tensor.hwc[1] // width)
    repeated = tuple(
        tuple(np.arange(extent).repeat(factor).tolist())
        for extent, factor in zip((height, width), factors, strict=True)
    )
    whole = tuple(range(channels))
    if max(factors) > 1 and (op.rows, op.columns, op.channels) == (*repeated, whole):
        scales = np.array([1, 1, *factors], np.float32)
        how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return scope.node("Resize", "resize", pixels, "", scales, mode="nearest", **how)
    fill = np.float32((op.fill - tensor.zero_point) * tensor.scale)
    return _picked(scope, model.graph, op, pixels, fill)


def float_resize_bilinear(scope: Scope, model: FloatModel, op: ResizeBilinear, pixels: str) -> str:
    """Add ONNX's own operator, by the rule that gives these places."""
    image, result = model.result(op.inputs[0]).hwc, model.result(op.output).hwc
    rules = {"half_pixel": (False, True), "align_corners": (True, False), "asymmetric": (0, 0)}
    how = next(
        name
        for name, (corners, halves) in rules.items()
        if all(
            linear_sources(*sizes, align_corners=bool(corners), half_pixel_centers=bool(halves))
            == places
            for *sizes, places in zip(image[:2], result[:2], (op.rows, op.columns), strict=True)
        )
    )
    sizes = np.array([1, result[2], *result[:2]], np.int64)
    attributes = {"mode": "linear", "coordinate_transformation_mode": how}
    return scope.node("Resize", "resize", pixels, "", "", sizes, **attributes)


def float_space_to_depth(scope: Scope, _: FloatModel, op: SpaceToDepth, pixels: str) -> str:
    """Add ONNX's own operator."""
    return scope.node("SpaceToDepth", "depth", pixels, blocksize=op.block)


def float_depth_to_space(scope: Scope, _: FloatModel, op: DepthToSpace, pixels: str) -> str:
    """Add ONNX's own operator."""
    return scope.node("DepthToSpace", "space", pixels, blocksize=op.block, mode="DCR")


def transpose(scope: Scope, _: Graph | FloatModel, op: Transpose, pixels: str) -> str:
    """Add ONNX's own operator, whose axes are [1, C, H, W]."""
    rows, columns, channels = (_PLACES[axis] for axis in op.order)
    return scope.node("Transpose", "moved", pixels, perm=(0, channels, rows, columns))


INTEGER: Writers = {
    Pick: pick,
    ResizeBilinear: resize_bilinear,
    SpaceToDepth: space_to_depth,
    DepthToSpace: depth_to_space,
    Transpose: transpose,
}
FLOAT: Writers = {
    Transpose: transpose,
    Pick: float_pick,
    ResizeBilinear: float_resize_bilinear,
    SpaceToDepth: float_space_to_depth,
    DepthToSpace: float_depth_to_space,
}
