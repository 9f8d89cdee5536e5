"""Build a Keras model from a float network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesq.errors import ModelError
from edgesq.importers.layers import (
    NO_PADS,
    Activation,
    Affine,
    Binary,
    Blocks,
    Concat,
    Conv,
    Dense,
    Layer,
    Mean,
    Network,
    Pad,
    Pads,
    Pair,
    Pool,
    Reshape,
    Resize,
    Slice,
    Softmax,
)
from edgesq.importers.net import Constant
from edgesq.importers.supported import refusal
from edgesq.importers.windows import same_pads
from edgesq.quantize import captured_output

if TYPE_CHECKING:
    import keras


def build_keras(network: Network, name: str, where: str) -> keras.Model:
    """Return a Keras model of one input [None, H, W, C] that computes the same.

    Raises:
        ModelError: layers that Keras cannot express, all of which are named, or too many of them.
    """
    with captured_output():
        import keras

        source = keras.Input(network.shapes[network.input.name][1:], name="image")
        scope = _Scope(network, {network.input.name: source})
        for layer in network.layers:
            scope.values[layer.output] = _RULES[type(layer)](scope, layer)
            if _is_never_negative(scope, layer):
                scope.never_negative.add(layer.output)
        if scope.problems:
            raise refusal(scope.problems, where)
        try:
            model = keras.Model(source, scope.values[network.output.name], name=name)
        except RecursionError as error:  # Keras walks from the result to the image
            what = f"{len(network.layers):,} layers behind each other are too many for Keras"
            raise ModelError(what, where=where) from error
    for layer_name, weights in scope.weights.items():
        model.get_layer(layer_name).set_weights(weights)
    return model


@dataclass(eq=False)
class _Scope:
    """The model in the making: symbolic values by the network's names, weights by layer."""

    network: Network
    values: dict[str, Any]
    weights: dict[str, list[Any]] = field(default_factory=dict)
    never_negative: set[str] = field(default_factory=set)
    problems: list[tuple[str, str, str]] = field(default_factory=list)

    def read(self, layer: Layer, position: int = 0) -> Any:
        return self.values[layer.inputs[position]]

    def bordered(self, layer: Layer, pads: Pads, size: Pair, strides: Pair) -> tuple[Any, str]:
        """Return the input, with zeros around it where Keras has no word for it, and the word."""
        import keras

        source = self.read(layer)
        shape = self.network.shapes[layer.inputs[0]]
        if pads == NO_PADS:
            return source, "valid"
        if pads == same_pads(size, strides, (shape[1], shape[2])):
            return source, "same"
        border = ((pads[0], pads[1]), (pads[2], pads[3]))
        return keras.layers.ZeroPadding2D(border, name=f"{layer.name}_pad")(source), "valid"


def _is_never_negative(scope: _Scope, layer: Layer) -> bool:
    inherits = isinstance(layer, Pool | Mean | Concat | Blocks | Reshape | Resize | Slice)
    if inherits and all(name in scope.never_negative for name in layer.inputs):
        return True
    if isinstance(layer, Activation):
        return layer.function in ("sigmoid", "hard_sigmoid") or (
            layer.function == "clip" and layer.alpha >= 0
        )
    return isinstance(layer, Softmax)


def _conv(scope: _Scope, layer: Conv) -> Any:
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


def _dense(scope: _Scope, layer: Dense) -> Any:
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


def _pool(scope: _Scope, layer: Pool) -> Any:
    import keras

    source, padding = scope.bordered(layer, layer.pads, layer.size, layer.strides)
    if padding == "valid" and layer.pads != NO_PADS:
        if layer.function == "average":
            do = "pad as TensorFlow's SAME does, or count the border (count_include_pad)"
            scope.problems.append((f"AveragePool padded by {layer.pads}", layer.name, do))
        elif layer.inputs[0] not in scope.never_negative:
            do = "put a Relu before it, or pad as TensorFlow's SAME does"
            what = f"MaxPool padded by {layer.pads} over values that may be negative"
            scope.problems.append((what, layer.name, do))
    layers = keras.layers
    kind = layers.MaxPooling2D if layer.function == "max" else layers.AveragePooling2D
    return kind(layer.size, layer.strides, padding, name=layer.name)(source)


def _mean(scope: _Scope, layer: Mean) -> Any:
    import keras

    pool = keras.layers.GlobalAveragePooling2D(keepdims=True, name=layer.name)
    return pool(scope.read(layer))


def _concat(scope: _Scope, layer: Concat) -> Any:
    import keras

    values = [scope.read(layer, position) for position in range(len(layer.inputs))]
    return keras.layers.Concatenate(layer.axis, name=layer.name)(values)


def _binary(scope: _Scope, layer: Binary) -> Any:
    import keras

    values = [scope.read(layer, position) for position in range(len(layer.inputs))]
    if isinstance(layer.constant, Constant):
        constant = layer.constant.real().astype(np.float32)
        values = [constant, *values] if layer.swapped else [*values, constant]
    ops = keras.ops
    function = {"add": ops.add, "sub": ops.subtract, "mul": ops.multiply}[layer.function]
    return function(*values)


def _affine(scope: _Scope, layer: Affine) -> Any:
    import keras

    made = keras.layers.BatchNormalization(epsilon=0.0, name=layer.name)
    channels = len(layer.scale)
    scope.weights[layer.name] = [
        layer.scale,
        layer.offset,
        np.zeros(channels, np.float32),
        np.ones(channels, np.float32),
    ]
    return made(scope.read(layer))


def _activation(scope: _Scope, layer: Activation) -> Any:
    import keras

    layers, source = keras.layers, scope.read(layer)
    match layer.function:
        case "clip":
            return _clip(layer, source)
        case "leaky_relu":
            return layers.LeakyReLU(layer.alpha, name=layer.name)(source)
        case "hard_sigmoid":
            return _hard_sigmoid(layer, source)
        case "hard_swish":
            return layers.Activation("hard_silu", name=layer.name)(source)
        case function:
            return layers.Activation(function, name=layer.name)(source)


def _hard_sigmoid(layer: Activation, source: Any) -> Any:
    """Clip a x + b to 0 and 1 by the RELU6 that is fused with a sum, which takes no operator."""
    import keras

    if layer.alpha != np.float32(1 / 6):
        source = source * np.float32(6 * layer.alpha)
    clipped = keras.layers.ReLU(6.0, name=layer.name)(source + np.float32(6 * layer.beta))
    return clipped * np.float32(1 / 6)


def _clip(layer: Activation, source: Any) -> Any:
    import keras

    low, high = layer.alpha, layer.beta
    if low == 0:
        limit = None if high == np.inf else high
        return keras.layers.ReLU(max_value=limit, name=layer.name)(source)
    if low > -np.inf:
        source = keras.ops.maximum(source, np.float32(low))
    return source if high == np.inf else keras.ops.minimum(source, np.float32(high))


def _softmax(scope: _Scope, layer: Softmax) -> Any:
    import keras

    return keras.layers.Softmax(name=layer.name)(scope.read(layer))


def _pad(scope: _Scope, layer: Pad) -> Any:
    import keras

    source = scope.read(layer)
    if layer.value == 0 and layer.channels == (0, 0):
        border = (layer.pads[:2], layer.pads[2:])
        return keras.layers.ZeroPadding2D(border, name=layer.name)(source)
    amounts = ((0, 0), layer.pads[:2], layer.pads[2:], layer.channels)
    return keras.ops.pad(source, amounts, constant_values=layer.value)


def _resize(scope: _Scope, layer: Resize) -> Any:
    import keras

    return keras.layers.UpSampling2D(layer.factors, name=layer.name)(scope.read(layer))


def _blocks(scope: _Scope, layer: Blocks) -> Any:
    from edgesq.importers.keras_blocks import BlocksLayer

    return BlocksLayer(layer.block, layer.to_depth, name=layer.name)(scope.read(layer))


def _slice(scope: _Scope, layer: Slice) -> Any:
    ranges = zip(layer.begin, layer.end, layer.strides, strict=True)
    _, rows, columns, channels = (slice(*ends) for ends in ranges)
    return scope.read(layer)[:, rows, columns, channels]


def _reshape(scope: _Scope, layer: Reshape) -> Any:
    import keras

    shape = scope.network.shapes[layer.output][1:]
    return keras.layers.Reshape(shape, name=layer.name)(scope.read(layer))


_RULES: dict[type[Layer], Callable[[_Scope, Any], Any]] = {
    Activation: _activation,
    Affine: _affine,
    Binary: _binary,
    Blocks: _blocks,
    Concat: _concat,
    Conv: _conv,
    Dense: _dense,
    Mean: _mean,
    Pad: _pad,
    Pool: _pool,
    Reshape: _reshape,
    Resize: _resize,
    Slice: _slice,
    Softmax: _softmax,
}
