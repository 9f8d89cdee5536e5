"""Weights and biases as .tflite has them: zero point 0 for weights, int32 for biases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgesq.importers.network import Weighted
from edgesq.importers.quants import INT8, Array, Constant, Quant, symmetric_weights
from edgesq.importers.scopes import TfliteScope

_BIAS_ERROR = 1e-6
"""Largest relative difference of a bias' scale from input scale times weight scale."""


def int8_weights(scope: TfliteScope, layer: Weighted) -> Constant:
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


def kernel(scope: TfliteScope, layer: Weighted, weights: Constant, axis: int) -> int:
    """Add int8 weights whose axis `axis` has the scales."""
    assert weights.quant is not None
    scales = [float(scale) for scale in weights.quant.scale]
    values = np.ascontiguousarray(weights.values)
    return scope.writer.constant(values, scales, axis, name=f"{layer.name}/weights")


def bias(scope: TfliteScope, layer: Weighted, weights: Constant) -> int:
    """Add the bias in int32, in steps of input scale times weight scale; zeros for none."""
    assert weights.quant is not None
    outputs = len(layer.weights.values)
    source = float(scope.quant(layer.inputs[0]).scale[0])
    steps = source * weights.quant.scale.astype(np.float64)
    scales = np.broadcast_to(steps, outputs)
    given = layer.bias
    if given is None:
        values = np.zeros(outputs, np.int32)
    elif given.quant is not None and np.allclose(
        given.quant.scale, steps, rtol=_BIAS_ERROR, atol=0
    ):
        values = (given.values - given.quant.zero_point).astype(np.int32)
    else:
        values = _rounded(scope, layer, given.real().astype(np.float64).reshape(-1) / scales)
    name = f"{layer.name}/bias"
    return scope.writer.constant(values.reshape(-1), [float(step) for step in steps], name=name)


def _rounded(scope: TfliteScope, layer: Weighted, real: Array) -> NDArray[np.int32]:
    levels: Array = np.round(real)
    limit = np.iinfo(np.int32).max
    if np.abs(levels).max(initial=0) > limit:
        scope.problems.append(("a bias beyond int32", layer.name, "quantize it again"))
    scope.notes.append(("bias rounded to steps of input scale times weight scale", layer.name))
    values: NDArray[np.int32] = np.clip(levels, -limit, limit).astype(np.int32)
    return values
