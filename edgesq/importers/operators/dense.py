"""Products by a constant matrix: dense layers, or convolutions of each pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import NO_PADS, Clip, Weighted
from edgesq.importers.operators.conv import Conv
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.places import NHWC
from edgesq.importers.quants import Constant
from edgesq.importers.scopes import KerasScope, TfliteScope
from edgesq.importers.weights import bias, int8_weights, kernel


@dataclass(frozen=True, eq=False)
class Dense(Weighted):
    """Product of all values of the input with weights [O, N], plus bias [O]."""

    kind: ClassVar[str] = "Dense"
    clip: Clip | None = None


def _gemm(lowering: Lowering, node: Node) -> None:
    """Make a dense layer of a Gemm, MatMul or QGemm by a constant."""
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
    """Make a 1 x 1 convolution if it is a product of each pixel of an NHWC map; say whether."""
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


def _to_keras(scope: KerasScope, layer: Dense) -> Any:
    import keras

    source = scope.read(layer)
    if len(source.shape) > 2:
        source = keras.layers.Flatten(name=f"{layer.name}_flatten")(source)
    bias = [] if layer.bias is None else [layer.bias.real()]
    scope.weights[layer.name] = [layer.weights.real().T, *bias]
    made = keras.layers.Dense(
        len(layer.weights.values), use_bias=layer.bias is not None, name=layer.name
    )
    return made(source)


def _write(scope: TfliteScope, layer: Dense) -> None:
    """Add a FULLY_CONNECTED."""
    weights = int8_weights(scope, layer)
    inputs = [
        scope.read(layer),
        kernel(scope, layer, weights, 0),
        bias(scope, layer, weights),
    ]
    scope.writer.op(
        "FULLY_CONNECTED",
        inputs,
        scope.made(layer),
        "FullyConnectedOptions",
        fusedActivationFunction=scope.fused(layer, layer.clip),
    )


ONNX: OnnxOperators = dict.fromkeys(("Gemm", "MatMul"), Taken(_gemm, takes_clip=True))
KERAS: KerasMakers = {Dense: _to_keras}
TFLITE: TfliteWriters = {Dense: _write}
