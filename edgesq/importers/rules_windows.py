"""ONNX's operators over maps: convolutions, dense layers, pools, and what moves pixels."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from edgesq.importers.layers import (
    NO_PADS,
    Blocks,
    Conv,
    Dense,
    Layer,
    Mean,
    Pad,
    Pair,
    Pool,
    Resize,
    Slice,
)
from edgesq.importers.lowering import Lowering, Rule, UnsupportedError
from edgesq.importers.net import Array, Constant, Node
from edgesq.importers.places import NCHW, NHWC, Axes, Stored
from edgesq.importers.windows import effective_pads
from edgesq.integers import ceil_div
from edgesq.limits import MAX_VALUES

_INT_MAX = np.iinfo(np.int64).max


def _conv(lowering: Lowering, node: Node) -> None:
    weights = lowering.needs_constant(node, 1)
    source, axes = _nchw(lowering, node)
    if weights.values.ndim != 4:
        raise UnsupportedError(f"{node.kind} with weights of {weights.values.ndim} dimensions")
    image, output = _extents(lowering, node)
    strides = _pair(node, "strides")
    weights = _dilated(lowering, node, weights)
    reach = (weights.values.shape[2], weights.values.shape[3])
    pads = effective_pads(node.attributes, reach, strides, image, output)
    ohwi = replace(weights, values=weights.values.transpose(0, 2, 3, 1))
    groups = int(node.attributes.get("group", 1))
    bias = lowering.optional_constant(node, 2)
    layer = Conv(
        node.name,
        (source.name,),
        node.output,
        ohwi,
        bias,
        strides,
        pads,
        groups,
        node.clip,
    )
    lowering.emit_map(layer, (1, *output, weights.values.shape[0]), axes)


def _dilated(lowering: Lowering, node: Node, weights: Constant) -> Constant:
    """Return weights [O, I, H, W] with zeros where dilation skips: the runtime has none."""
    by = _pair(node, "dilations")
    values = weights.values
    outputs, depth, height, width = values.shape
    shape = (outputs, depth, (height - 1) * by[0] + 1, (width - 1) * by[1] + 1)
    if shape == values.shape:
        return weights
    if math.prod(shape) > MAX_VALUES:
        raise UnsupportedError(f"{node.kind} dilated by {by}", "use dilation 1")
    zero: Array = np.zeros(1, values.dtype)
    if weights.quant is not None:
        zero = weights.quant.spread(values.ndim)[1].astype(values.dtype)
    wide = np.broadcast_to(zero, shape).copy()
    wide[:, :, :: by[0], :: by[1]] = values
    lowering.net.notes.append((f"dilated by {by[0]} x {by[1]}: zeros between weights", node.name))
    return replace(weights, values=wide)


def _gemm(lowering: Lowering, node: Node) -> None:
    """Take Gemm, MatMul and QGemm by a constant as a dense layer over all values of a row."""
    attributes = node.attributes
    matrix = lowering.needs_constant(node, 1)
    stored = lowering.source(node)
    rows = int(np.prod(stored.place.shape[:-1]))
    if rows > 1 and node.kind != "QGemm" and _of_pixels(lowering, node, matrix):
        return
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    if rows != 1 or matrix.values.ndim != 2 or attributes.get("transA", 0):
        raise UnsupportedError(
            f"{node.kind} of {list(stored.place.shape)} by {list(matrix.values.shape)}",
            "one row times a constant matrix is supported",
        )
    if (alpha != 1 or beta != 1) and matrix.quant is not None:
        raise UnsupportedError(f"{node.kind} with alpha {alpha}, beta {beta}", "fold them")
    values = matrix.values if attributes.get("transB", 0) else matrix.values.T
    moved = np.empty_like(values)
    moved[:, stored.place.reshape(-1)] = values
    quant = replace(matrix.quant, axis=0) if matrix.quant else None
    weights = Constant(moved if alpha == 1 else (moved * alpha).astype(values.dtype), quant)
    bias = lowering.optional_constant(node, 2) if node.kind == "Gemm" else None
    if bias is not None:
        bias = _row_bias(bias, len(values), beta)
    layer = Dense(node.name, (stored.name,), node.output, weights, bias, node.clip)
    shape = lowering.net.shapes[node.output]
    lowering.emit(layer, np.arange(len(values)).reshape(shape), (1, len(values)))


def _of_pixels(lowering: Lowering, node: Node, matrix: Constant) -> bool:
    """Take a product of each pixel of an NHWC map as a convolution of 1 x 1, if it is one."""
    stored = lowering.source(node)
    found = stored.as_map(NHWC)
    if found is None or found[1] != NHWC or matrix.values.ndim != 2:
        return False
    values = matrix.values.T[:, np.newaxis, np.newaxis, :]
    quant = replace(matrix.quant, axis=0) if matrix.quant else None
    bias = lowering.optional_constant(node, 2)
    source = lowering.reshaped(node, stored, found[0])
    layer = Conv(
        node.name,
        (source.name,),
        node.output,
        Constant(values, quant),
        None if bias is None else _row_bias(bias, len(values), 1),
        (1, 1),
        NO_PADS,
        1,
        node.clip,
    )
    lowering.emit_map(layer, (*found[0][:3], len(values)), NHWC)
    return True


def _row_bias(bias: Constant, count: int, beta: float) -> Constant:
    values = np.broadcast_to(bias.values.reshape(-1), (count,))
    return replace(bias, values=values if beta == 1 else (values * beta).astype(values.dtype))


def _pool(lowering: Lowering, node: Node) -> None:
    source, axes = _nchw(lowering, node)
    image, output = _extents(lowering, node)
    size, strides = _pair(node, "kernel_shape"), _pair(node, "strides")
    if _pair(node, "dilations") != (1, 1):
        raise UnsupportedError(f"dilated {node.kind}", "train with dilation 1")
    pads = effective_pads(node.attributes, size, strides, image, output)
    name, channels = source.name, source.shape[3]
    if node.kind == "AveragePool" and node.attributes.get("count_include_pad", 0) and any(pads):
        if node.attributes.get("ceil_mode", 0):
            raise UnsupportedError(
                "AveragePool with ceil_mode and count_include_pad", "leave one of them out"
            )
        shape = (1, image[0] + pads[0] + pads[1], image[1] + pads[2] + pads[3], channels)
        border = f"{node.output}/padded"
        padding = Pad(f"{node.name}_pad", (name,), border, pads, (0, 0), 0.0)
        lowering.emit_map(padding, shape, axes)
        if name in lowering.quants:
            lowering.quants[border] = lowering.quants[name]
        name, pads = border, NO_PADS
    function: Any = "max" if node.kind == "MaxPool" else "average"
    layer = Pool(node.name, (name,), node.output, function, size, strides, pads, node.clip)
    lowering.emit_map(layer, (1, *output, channels), axes)


def _global(lowering: Lowering, node: Node) -> None:
    if node.attributes.get("channels_last", 0):
        raise UnsupportedError(f"{node.kind} with channels_last", "leave it 0")
    source, axes = _nchw(lowering, node)
    lowering.emit_map(_whole(node, source), (1, 1, 1, source.shape[3]), axes)


def _reduce(lowering: Lowering, node: Node) -> None:
    """Take ReduceMean and ReduceMax over height and width."""
    over = lowering.numbers(node, "axes", 1) or []
    source, axes = lowering.map(node)
    if {axes[axis % 4] for axis in over} != {1, 2}:
        source, axes = lowering.map(node, like=NHWC)
    if {axes[axis % 4] for axis in over} != {1, 2}:
        raise UnsupportedError(f"{node.kind} over {over}", "height and width are supported")
    channels = source.shape[3]
    place = np.arange(channels).reshape(lowering.net.shapes[node.output])
    lowering.emit(_whole(node, source), place, (1, 1, 1, channels))


def _whole(node: Node, source: Stored) -> Layer:
    """Return the layer that takes the average or maximum of a whole map."""
    if "Max" not in node.kind:
        return Mean(node.name, (source.name,), node.output)
    size = (source.shape[1], source.shape[2])
    return Pool(node.name, (source.name,), node.output, "max", size, size, NO_PADS)


def _pad(lowering: Lowering, node: Node) -> None:
    mode = node.attributes.get("mode", "constant")
    source, axes = lowering.map(node)
    listed = _of_all_axes(lowering, node, lowering.numbers(node, "pads", 1) or [])
    own = lowering.constant(node, 2)
    value = float(node.attributes.get("value", 0.0) if own is None else own.real().reshape(-1)[0])
    quant = lowering.net.quants.get(node.inputs[0])
    if quant is not None and node.on_integers:
        value = (value - int(quant.zero_point[0])) * float(quant.scale[0])
    if len(listed) != 8 or mode != "constant" or min(listed) < 0:
        raise UnsupportedError(f"Pad in mode {mode} by {listed}", "pad with a constant, outwards")
    pads = {axes[axis]: (listed[axis], listed[axis + 4]) for axis in range(4)}
    if pads[0] != (0, 0):
        raise UnsupportedError("Pad of the batch")
    shape = tuple(source.shape[axis] + sum(pads[axis]) for axis in range(4))
    border = (*pads[1], *pads[2])
    layer = Pad(node.name, (source.name,), node.output, border, pads[3], value)
    lowering.emit_map(layer, shape, axes)


def _of_all_axes(lowering: Lowering, node: Node, pads: list[int]) -> list[int]:
    """Return pads before and after all four axes; since opset 18 a Pad may name those it means."""
    axes = lowering.numbers(node, "axes", 3)
    if axes is None:
        return pads
    listed = [0] * 8
    for position, axis in enumerate(axes):
        listed[axis % 4] = pads[position]
        listed[axis % 4 + 4] = pads[position + len(axes)]
    return listed


def _resize(lowering: Lowering, node: Node) -> None:
    source, axes = lowering.map(node)
    mode = node.attributes.get("mode", "nearest")
    to = [lowering.net.shapes[node.output][axes.index(axis)] for axis in (1, 2, 3)]
    factors = (to[0] // source.shape[1], to[1] // source.shape[2])
    exact = (factors[0] * source.shape[1], factors[1] * source.shape[2], source.shape[3])
    if mode != "nearest" or tuple(to) != exact or not _repeats(node, factors):
        raise UnsupportedError(
            f"{node.kind} in mode {mode} to {to}",
            "nearest by whole factors, each pixel repeated, is supported",
        )
    layer = Resize(node.name, (source.name,), node.output, factors)
    lowering.emit_map(layer, (1, *to), axes)


def _repeats(node: Node, factors: Pair) -> bool:
    """Say whether pixel i of the output is pixel i // factor of the input."""
    how = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    if node.kind == "Upsample":
        return True
    rounding = node.attributes.get("nearest_mode", "round_prefer_floor")
    for factor in factors:
        index = np.arange(factor * 4)
        places = {
            "asymmetric": index / factor,
            "half_pixel": (index + 0.5) / factor - 0.5,
            "pytorch_half_pixel": (index + 0.5) / factor - 0.5,
            "tf_half_pixel_for_nn": (index + 0.5) / factor,
        }
        at = places.get(how)
        if at is None:
            return False
        nearest = {
            "floor": np.floor(at),
            "ceil": np.ceil(at),
            "round_prefer_floor": np.ceil(at - 0.5),
            "round_prefer_ceil": np.floor(at + 0.5),
        }.get(rounding, at)
        if not np.array_equal(np.clip(nearest, 0, 3), index // factor):
            return False
    return True


def _blocks(lowering: Lowering, node: Node) -> None:
    source, axes = _nchw(lowering, node)
    block = int(node.attributes["blocksize"])
    if node.attributes.get("mode", "DCR") != "DCR":
        raise UnsupportedError("DepthToSpace in mode CRD", "export it in mode DCR")
    to_depth = node.kind == "SpaceToDepth"
    height, width, channels = source.shape[1:]
    if to_depth:
        shape = (1, height // block, width // block, channels * block * block)
    else:
        shape = (1, height * block, width * block, channels // (block * block))
    layer = Blocks(node.name, (source.name,), node.output, to_depth, block)
    lowering.emit_map(layer, shape, axes)


def _slice(lowering: Lowering, node: Node) -> None:
    source, axes = lowering.map(node)
    starts = lowering.numbers(node, "starts", 1)
    ends = lowering.numbers(node, "ends", 2)
    if starts is None or ends is None:
        raise UnsupportedError("Slice by computed ends", "use constants there")
    over = lowering.numbers(node, "axes", 3) or list(range(len(starts)))
    steps = lowering.numbers(node, "steps", 4) or [1] * len(starts)
    begin, end, strides = [0] * 4, list(source.shape), [1] * 4
    for axis, start, stop, step in zip(over, starts, ends, steps, strict=True):
        if step < 1:
            raise UnsupportedError("Slice backwards", "slice forwards")
        where = axes[axis % 4]
        extent = source.shape[where]
        begin[where], end[where], _ = slice(start, min(stop, _INT_MAX), step).indices(extent)
        strides[where] = step
    sizes = [
        ceil_div(last - first, step) for first, last, step in zip(begin, end, strides, strict=True)
    ]
    layer = Slice(node.name, (source.name,), node.output, tuple(begin), tuple(end), tuple(strides))
    lowering.emit_map(layer, tuple(sizes), axes)


def _nchw(lowering: Lowering, node: Node) -> tuple[Any, Axes]:
    """Return the input of an operator that ONNX defines on NCHW only."""
    source, axes = lowering.map(node)
    if axes == NHWC:
        raise UnsupportedError(f"{node.kind} across height", "transpose maps to NCHW before it")
    return source, NCHW


def _extents(lowering: Lowering, node: Node) -> tuple[Pair, Pair]:
    """Return rows and columns of input and output."""
    image, output = lowering.net.shapes[node.inputs[0]], lowering.net.shapes[node.output]
    return (image[2], image[3]), (output[2], output[3])


def _pair(node: Node, attribute: str) -> Pair:
    listed = node.attributes.get(attribute, (1, 1))
    return int(listed[0]), int(listed[1])


RULES: dict[str, Rule] = {
    "AveragePool": _pool,
    "Conv": _conv,
    "DepthToSpace": _blocks,
    "Gemm": _gemm,
    "GlobalAveragePool": _global,
    "GlobalMaxPool": _global,
    "MatMul": _gemm,
    "MaxPool": _pool,
    "Pad": _pad,
    "ReduceMax": _reduce,
    "ReduceMean": _reduce,
    "Resize": _resize,
    "Slice": _slice,
    "SpaceToDepth": _blocks,
    "Upsample": _resize,
}
