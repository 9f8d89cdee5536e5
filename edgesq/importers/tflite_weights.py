"""Convolutions and dense layers as .tflite has them: zero point 0 for weights, int32 biases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgesq.importers.layers import Conv, Dense
from edgesq.importers.net import Array, Constant, Quant
from edgesq.importers.quantized import INT8, symmetric_weights
from edgesq.importers.tflite_scope import TfliteScope

_BIAS_ERROR = 1e-6
"""Largest relative difference of a bias' scale from input scale times weight scale."""


def write_conv(scope: TfliteScope, layer: Conv) -> None:
    """Add a CONV_2D or DEPTHWISE_CONV_2D."""
    weights = _weights(scope, layer)
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
        [source, _kernel(scope, layer, weights, axis), _bias(scope, layer, weights)],
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


def write_dense(scope: TfliteScope, layer: Dense) -> None:
    """Add a FULLY_CONNECTED."""
    weights = _weights(scope, layer)
    inputs = [
        scope.read(layer),
        _kernel(scope, layer, weights, 0),
        _bias(scope, layer, weights),
    ]
    scope.writer.op(
        "FULLY_CONNECTED",
        inputs,
        scope.made(layer),
        "FullyConnectedOptions",
        fusedActivationFunction=scope.fused(layer, layer.clip),
    )


def _weights(scope: TfliteScope, layer: Conv | Dense) -> Constant:
    """Return int8 weights with zero point 0."""
    constant = layer.weights
    if constant.quant is None:
        scope.problems.append(("float weights", layer.name, "quantize them to int8 too"))
        unit = Quant(np.ones(1, np.float32), np.zeros(1, np.int64), INT8)
        return Constant(np.zeros(constant.values.shape, np.int8), unit)
    exact, outside = symmetric_weights(constant)
    if outside:
        points = constant.quant.zero_point
        what = f"weights of zero points {points.min()} to {points.max()}"
        scope.problems.append(
            (
                f"{what}, {outside:.1%} of them out of int8 without",
                layer.name,
                "quantize weights symmetrically (weight_type=QuantType.QInt8)",
            )
        )
    elif constant.quant.zero_point.any():
        scope.notes.append(("weights less their zero points, which is exact", layer.name))
    return exact


def _kernel(scope: TfliteScope, layer: Conv | Dense, weights: Constant, axis: int) -> int:
    assert weights.quant is not None
    scales = [float(scale) for scale in weights.quant.scale]
    values = np.ascontiguousarray(weights.values)
    return scope.writer.constant(values, scales, axis, name=f"{layer.name}/weights")


def _bias(scope: TfliteScope, layer: Conv | Dense, weights: Constant) -> int:
    """Add the bias in int32, in steps of input scale times weight scale; zeros for none."""
    assert weights.quant is not None
    outputs = len(layer.weights.values)
    source = float(scope.quant(layer.inputs[0]).scale[0])
    steps = source * weights.quant.scale.astype(np.float64)
    scales = np.broadcast_to(steps, outputs)
    bias = layer.bias
    if bias is None:
        values = np.zeros(outputs, np.int32)
    elif bias.quant is not None and np.allclose(bias.quant.scale, steps, rtol=_BIAS_ERROR, atol=0):
        values = (bias.values - bias.quant.zero_point).astype(np.int32)
    else:
        values = _rounded(scope, layer, bias.real().astype(np.float64).reshape(-1) / scales)
    name = f"{layer.name}/bias"
    return scope.writer.constant(values.reshape(-1), [float(step) for step in steps], name=name)


def _rounded(scope: TfliteScope, layer: Conv | Dense, real: Array) -> NDArray[np.int32]:
    levels: Array = np.round(real)
    limit = np.iinfo(np.int32).max
    if np.abs(levels).max(initial=0) > limit:
        scope.problems.append(("a bias beyond int32", layer.name, "quantize it again"))
    scope.notes.append(("bias rounded to steps of input scale times weight scale", layer.name))
    values: NDArray[np.int32] = np.clip(levels, -limit, limit).astype(np.int32)
    return values
