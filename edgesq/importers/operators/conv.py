"""Convolutions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import NO_PADS, Clip, Pads, Pair, Weighted
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.quants import Array, Constant
from edgesq.importers.scopes import KerasScope, TfliteScope
from edgesq.importers.weights import bias, int8_weights, kernel
from edgesq.importers.windows import effective_pads
from edgesq.limits import MAX_VALUES


@dataclass(frozen=True, eq=False)
class Conv(Weighted):
    """Convolution with weights [O, H, W, I / groups] and bias [O]."""

    kind: ClassVar[str] = "Conv"
    strides: Pair
    pads: Pads
    groups: int
    clip: Clip | None = None
    dilations: Pair = (1, 1)

    @property
    def reach(self) -> Pair:
        """Rows and columns from the first tap to the last one."""
        _, height, width, _ = self.weights.values.shape
        return (height - 1) * self.dilations[0] + 1, (width - 1) * self.dilations[1] + 1


def _conv(lowering: Lowering, node: Node) -> None:
    node = lowering.planar(node)
    weights = lowering.needs_constant(node, 1)
    source, axes = lowering.nchw(node)
    if weights.values.ndim == 3:
        weights = replace(weights, values=weights.values[:, :, np.newaxis])
    if weights.values.ndim != 4:
        raise UnsupportedError(f"{node.kind} with weights of {weights.values.ndim} dimensions")
    image, output = lowering.extents(node)
    layer = Conv(
        node.name,
        (source.name,),
        node.output,
        replace(weights, values=weights.values.transpose(0, 2, 3, 1)),
        lowering.optional_constant(node, 2),
        node.pair("strides"),
        NO_PADS,
        int(node.attributes.get("group", 1)),
        node.clip,
        node.pair("dilations"),
    )
    if len(weights.values) * weights.values.shape[1] * math.prod(layer.reach) > MAX_VALUES:
        raise UnsupportedError(f"Conv dilated by {layer.dilations}", "use dilation 1")
    pads = effective_pads(node.attributes, layer.reach, layer.strides, image, output)
    shape = (1, *output, weights.values.shape[0])
    lowering.emit_map(replace(layer, pads=pads), shape, axes)


def _spread(layer: Conv) -> tuple[Array, Pair]:
    """Return real weights for Keras, and a dilation; zeros where it takes none beside strides."""
    weights = layer.weights.real()
    if layer.strides == (1, 1) or layer.dilations == (1, 1):
        return weights, layer.dilations
    outputs, _, _, depth = weights.shape
    wide = np.zeros((outputs, *layer.reach, depth), weights.dtype)
    wide[:, :: layer.dilations[0], :: layer.dilations[1]] = weights
    return wide, (1, 1)


def _to_keras(scope: KerasScope, layer: Conv) -> Any:
    import keras

    weights, dilations = _spread(layer)
    outputs, height, width, depth = weights.shape
    source, padding = scope.bordered(layer, layer.pads, layer.reach, layer.strides)
    bias = [] if layer.bias is None else [layer.bias.real().reshape(-1)]
    how: dict[str, Any] = {
        "padding": padding,
        "dilation_rate": dilations,
        "use_bias": layer.bias is not None,
        "name": layer.name,
    }
    if layer.groups > 1 and depth == 1:
        kernel = weights[..., 0].transpose(1, 2, 0).reshape(height, width, layer.groups, -1)
        scope.weights[layer.name] = [kernel, *bias]
        if layer.strides[0] != layer.strides[1]:
            scope.problems.append(
                ("depthwise Conv with two strides", layer.name, "use one for both directions")
            )
        each = outputs // layer.groups
        made = keras.layers.DepthwiseConv2D(
            (height, width), layer.strides, depth_multiplier=each, **how
        )
        return made(source)
    scope.weights[layer.name] = [weights.transpose(1, 2, 3, 0), *bias]
    made = keras.layers.Conv2D(outputs, (height, width), layer.strides, groups=layer.groups, **how)
    return made(source)


def _write(scope: TfliteScope, layer: Conv) -> None:
    """Add a CONV_2D or DEPTHWISE_CONV_2D."""
    weights = int8_weights(scope, layer)
    outputs, height, width, depth = weights.values.shape
    source, padding = scope.bordered(layer, layer.pads, layer.reach, layer.strides)
    is_depthwise = layer.groups > 1 and depth == 1
    axis = 0
    if is_depthwise:
        axis = 3
        values = np.moveaxis(weights.values, 0, 3).reshape(1, height, width, outputs)
        weights = Constant(values, weights.quant)
    kind, options, multiplier = "CONV_2D", "Conv2DOptions", {}
    if is_depthwise:
        kind, options = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions"
        multiplier = {"depthMultiplier": outputs // layer.groups}
    scope.writer.op(
        kind,
        [source, kernel(scope, layer, weights, axis), bias(scope, layer, weights)],
        scope.made(layer),
        options,
        padding=padding,
        strideH=layer.strides[0],
        strideW=layer.strides[1],
        dilationHFactor=layer.dilations[0],
        dilationWFactor=layer.dilations[1],
        fusedActivationFunction=scope.fused(layer, layer.clip),
        **multiplier,
    )


ONNX: OnnxOperators = {"Conv": Taken(_conv, takes_clip=True, is_nchw=True)}
KERAS: KerasMakers = {Conv: _to_keras}
TFLITE: TfliteWriters = {Conv: _write}
