"""Maxima and averages over windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from edgesq.formats.tflite.writer import NONE, VALID
from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import NO_PADS, Clip, Layer, Pads, Pair
from edgesq.importers.operators.move import Pad
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.scopes import KerasScope, TfliteScope, covers
from edgesq.importers.windows import effective_pads, same_pads

_LOWEST = -128


@dataclass(frozen=True, eq=False)
class Pool(Layer):
    """Maximum or average over windows; padded places do not count."""

    kind: ClassVar[str] = "Pool"
    keeps_sign: ClassVar[bool] = True
    function: Literal["max", "average"]
    size: Pair
    strides: Pair
    pads: Pads
    clip: Clip | None = None


def _pool(lowering: Lowering, node: Node) -> None:
    node = lowering.planar(node)
    source, axes = lowering.nchw(node)
    image, output = lowering.extents(node)
    size, strides = node.pair("kernel_shape"), node.pair("strides")
    if node.pair("dilations") != (1, 1):
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


def _to_keras(scope: KerasScope, layer: Pool) -> Any:
    import keras

    if _needs_edges(scope, layer):
        source, padding = _edged(scope, layer), "valid"
    else:
        source, padding = scope.bordered(layer, layer.pads, layer.size, layer.strides)
    if padding == "valid" and layer.pads != NO_PADS and layer.function == "average":
        do = "pad as TensorFlow's SAME does, or count the border (count_include_pad)"
        scope.problems.append((f"AveragePool padded by {layer.pads}", layer.name, do))
    layers = keras.layers
    kind = layers.MaxPooling2D if layer.function == "max" else layers.AveragePooling2D
    return kind(layer.size, layer.strides, padding, name=layer.name)(source)


def _needs_edges(scope: KerasScope, layer: Pool) -> bool:
    """Say whether a border of zeros would count in a maximum."""
    _, height, width, _ = scope.network.shapes[layer.inputs[0]]
    same = same_pads(layer.size, layer.strides, (height, width))
    zeros_do = layer.pads in (NO_PADS, same) or layer.inputs[0] in scope.never_negative
    return layer.function == "max" and not zeros_do


def _edged(scope: KerasScope, layer: Pool) -> Any:
    """Return the image with its edges repeated, which changes no maximum over a window there."""
    import keras

    _, height, width, _ = scope.network.shapes[layer.inputs[0]]
    source = scope.read(layer)
    for axis, extent, pads in ((1, height, layer.pads[:2]), (2, width, layer.pads[2:])):
        places = np.clip(np.arange(-pads[0], extent + pads[1]), 0, extent - 1)
        source = keras.ops.take(source, places.astype(np.int32), axis=axis)
    return source


def _write(scope: TfliteScope, layer: Pool) -> None:
    quant = scope.quant(layer.inputs[0])
    source, padding = scope.bordered(layer, layer.pads, layer.size, layer.strides)
    is_max = layer.function == "max"
    if padding == VALID and layer.pads != NO_PADS:
        if is_max and quant.zero_point[0] != _LOWEST:
            source = _lowest_border(scope, layer)
        elif not is_max:
            do = "pad as TensorFlow's SAME does, or count the border (count_include_pad)"
            scope.problems.append((f"AveragePool padded by {layer.pads}", layer.name, do))
    clips = layer.clip is not None and not covers(quant, layer.clip)
    scope.keep(
        layer,
        "MAX_POOL_2D" if is_max else "AVERAGE_POOL_2D",
        [source],
        quant,
        "Pool2DOptions",
        padding=padding,
        filterHeight=layer.size[0],
        filterWidth=layer.size[1],
        strideH=layer.strides[0],
        strideW=layer.strides[1],
        fusedActivationFunction=scope.fused(layer, layer.clip) if clips else NONE,
    )


def _lowest_border(scope: TfliteScope, layer: Pool) -> int:
    """Replace the border of zeros around a maximum's image by one of the lowest value."""
    scope.writer.subgraph.operators.pop()
    padded = scope.border(layer, layer.pads)
    lowest = scope.writer.constant(
        np.full(1, _LOWEST, np.int8),
        [float(scope.quant(layer.inputs[0]).scale[0])],
        zero_point=int(scope.quant(layer.inputs[0]).zero_point[0]),
    )
    inputs = [scope.read(layer), scope.amounts(layer.pads, (0, 0)), lowest]
    return scope.writer.op("PADV2", inputs, padded, "PadV2Options")


_TAKEN = Taken(_pool, keeps_range=True, takes_clip=True, is_nchw=True)

ONNX: OnnxOperators = {"AveragePool": _TAKEN, "MaxPool": _TAKEN}
KERAS: KerasMakers = {Pool: _to_keras}
TFLITE: TfliteWriters = {Pool: _write}
