"""Convolutions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Clip, Pads, Pair, Weighted
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


def _conv(lowering: Lowering, node: Node) -> None:
    weights = lowering.needs_constant(node, 1)
    source, axes = lowering.nchw(node)
    if weights.values.ndim != 4:
        raise UnsupportedError(f"{node.kind} with weights of {weights.values.ndim} dimensions")
    image, output = lowering.extents(node)
    strides = node.pair("strides")
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
    by = node.pair("dilations")
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


def _to_keras(scope: KerasScope, layer: Conv) -> Any:
    import keras

    weights = layer.weights.real()
    outputs, height, width, depth = weights.shape
    source, padding = scope.bordered(layer, layer.pads, (height, width), layer.strides)
    bias = [] if layer.bias is None else [layer.bias.real().reshape(-1)]
    how: dict[str, Any] = {
        "padding": padding,
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
    source, padding = scope.bordered(layer, layer.pads, (height, width), layer.strides)
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
        dilationHFactor=1,
        dilationWFactor=1,
        fusedActivationFunction=scope.fused(layer, layer.clip),
        **multiplier,
    )


ONNX: OnnxOperators = {"Conv": Taken(_conv, takes_clip=True, is_nchw=True)}
KERAS: KerasMakers = {Conv: _to_keras}
TFLITE: TfliteWriters = {Conv: _write}
