"""What moves pixels: borders, parts, blocks of pixels as channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Layer, Pads, Pair
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.scopes import KerasScope, TfliteScope
from edgesq.integers import ceil_div

_INT_MAX = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Pad(Layer):
    """A constant border around rows, columns and channels (before, after)."""

    kind: ClassVar[str] = "Pad"
    pads: Pads
    channels: Pair
    value: float


@dataclass(frozen=True, eq=False)
class Blocks(Layer):
    """SPACE_TO_DEPTH or DEPTH_TO_SPACE."""

    kind: ClassVar[str] = "Blocks"
    keeps_sign: ClassVar[bool] = True
    to_depth: bool
    block: int


@dataclass(frozen=True, eq=False)
class Slice(Layer):
    """Part of a [1, H, W, C] map; `end` is exclusive."""

    kind: ClassVar[str] = "Slice"
    keeps_sign: ClassVar[bool] = True
    begin: tuple[int, ...]
    end: tuple[int, ...]
    strides: tuple[int, ...]


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


def _blocks(lowering: Lowering, node: Node) -> None:
    source, axes = lowering.nchw(node)
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


def _pad_to_keras(scope: KerasScope, layer: Pad) -> Any:
    import keras

    source = scope.read(layer)
    if layer.value == 0 and layer.channels == (0, 0):
        border = (layer.pads[:2], layer.pads[2:])
        return keras.layers.ZeroPadding2D(border, name=layer.name)(source)
    amounts = ((0, 0), layer.pads[:2], layer.pads[2:], layer.channels)
    return keras.ops.pad(source, amounts, constant_values=layer.value)


def _blocks_to_keras(scope: KerasScope, layer: Blocks) -> Any:
    from edgesq.importers.keras_blocks import BlocksLayer

    if layer.block == 1:  # TensorFlow takes no block of one pixel
        return scope.read(layer)
    return BlocksLayer(layer.block, layer.to_depth, name=layer.name)(scope.read(layer))


def _slice_to_keras(scope: KerasScope, layer: Slice) -> Any:
    ranges = zip(layer.begin, layer.end, layer.strides, strict=True)
    _, rows, columns, channels = (slice(*ends) for ends in ranges)
    return scope.read(layer)[:, rows, columns, channels]


def _write_pad(scope: TfliteScope, layer: Pad) -> None:
    quant = scope.quant(layer.inputs[0])
    inputs = [scope.read(layer), scope.amounts(layer.pads, layer.channels)]
    if layer.value == 0:
        scope.keep(layer, "PAD", inputs, quant, "PadOptions")
        return
    scale, point = float(quant.scale[0]), int(quant.zero_point[0])
    level = int(np.clip(np.round(layer.value / scale) + point, -128, 127))
    filler = scope.writer.constant(np.full(1, level, np.int8), [scale], zero_point=point)
    scope.keep(layer, "PADV2", [*inputs, filler], quant, "PadV2Options")


def _write_blocks(scope: TfliteScope, layer: Blocks) -> None:
    kind, options = "DEPTH_TO_SPACE", "DepthToSpaceOptions"
    if layer.to_depth:
        kind, options = "SPACE_TO_DEPTH", "SpaceToDepthOptions"
    quant = scope.quant(layer.inputs[0])
    scope.keep(layer, kind, [scope.read(layer)], quant, options, blockSize=layer.block)


def _write_slice(scope: TfliteScope, layer: Slice) -> None:
    ends = [scope.numbers(values) for values in (layer.begin, layer.end, layer.strides)]
    quant = scope.quant(layer.inputs[0])
    inputs = [scope.read(layer), *ends]
    scope.keep(layer, "STRIDED_SLICE", inputs, quant, "StridedSliceOptions")


_BLOCKS = Taken(_blocks, keeps_range=True, is_nchw=True)

ONNX: OnnxOperators = {
    "DepthToSpace": _BLOCKS,
    "Pad": Taken(_pad, keeps_range=True),
    "Slice": Taken(_slice, keeps_range=True),
    "SpaceToDepth": _BLOCKS,
}
KERAS: KerasMakers = {
    Blocks: _blocks_to_keras,
    Pad: _pad_to_keras,
    Slice: _slice_to_keras,
}
TFLITE: TfliteWriters = {
    Blocks: _write_blocks,
    Pad: _write_pad,
    Slice: _write_slice,
}
