"""Functions of each value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Net, Node
from edgesq.importers.network import Layer
from edgesq.importers.operators.binary import BROADCAST, of_two_each
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.quants import PROBABILITY, prescribed
from edgesq.importers.scopes import KerasScope, TfliteScope
from edgesq.operators import Tanh

_TANH = prescribed(Tanh.output_steps or (1, 0))


@dataclass(frozen=True, eq=False)
class Activation(Layer):
    """A function of each value.

    Attributes:
        function: clip(alpha, beta), or ONNX's operator with its alpha and beta.
        alpha: first parameter.
        beta: second parameter.
    """

    kind: ClassVar[str] = "Activation"
    function: Literal["clip", "leaky_relu", "sigmoid", "hard_sigmoid", "hard_swish", "tanh"]
    alpha: float = 0.0
    beta: float = 0.0

    @property
    def is_never_negative(self) -> bool:
        """Whether it is a sigmoid, or clips at zero or above."""
        if self.function == "clip":
            return self.alpha >= 0
        return self.function in ("sigmoid", "hard_sigmoid")


@dataclass(frozen=True, eq=False)
class Requantize(Layer):
    """The same reals with another scale."""

    kind: ClassVar[str] = "Requantize"


def clip_range(net: Net, node: Node) -> tuple[float, float]:
    """Return lowest and highest real value that a Relu, or a Clip by constants, lets through."""
    ends = [0.0 if node.kind == "Relu" else -np.inf, np.inf]
    if node.kind == "Clip" and net.opset < 11:
        ends = [
            float(node.attributes.get(name, end))
            for name, end in zip(("min", "max"), ends, strict=True)
        ]
    elif node.kind == "Clip":
        for position, name in enumerate(node.inputs[1:3]):
            if name in net.constants:
                ends[position] = float(net.constants[name].real().reshape(-1)[0])
    quant = net.quants.get(node.inputs[0])
    if quant is not None and node.on_integers:
        scale, point = float(quant.scale[0]), int(quant.zero_point[0])
        ends = [(end - point) * scale for end in ends]
    return ends[0], ends[1]


def _bound(lowering: Lowering, node: Node) -> None:
    """Make a Clip of a Max or Min of one activation and single numbers, else one of two values."""
    constants = [name for name in node.inputs if name in lowering.net.constants]
    values = [lowering.net.constants[name].real() for name in constants]
    others = [place for place, name in enumerate(node.inputs) if name not in constants]
    if len(others) != 1 or any(value.min() != value.max() for value in values):
        of_two_each(lowering, node)
        return
    stored = lowering.source(node, others[0])
    if lowering.net.shapes[node.output] != stored.place.shape:
        raise UnsupportedError(f"{node.kind} that widens an activation", BROADCAST)
    ends = [float(value.reshape(-1)[0]) for value in values]
    low, high = (max(ends), np.inf) if node.kind == "Max" else (-np.inf, min(ends))
    layer = Activation(node.name, (stored.name,), node.output, "clip", low, high)
    lowering.emit(layer, stored.place, stored.shape)


def _activation(lowering: Lowering, node: Node) -> None:
    stored = lowering.source(node)
    alpha = beta = 0.0
    function: Any
    if node.kind in ("Relu", "Clip"):
        for position in range(1, len(node.inputs)):
            lowering.optional_constant(node, position)
        function, (alpha, beta) = "clip", clip_range(lowering.net, node)
        if not alpha <= beta:
            raise UnsupportedError(f"{node.kind} from {alpha:g} to {beta:g}", "order its bounds")
    else:
        usual = {"LeakyRelu": (0.01, 0.0), "HardSigmoid": (0.2, 0.5)}.get(node.kind, (0.0, 0.0))
        alpha = float(node.attributes.get("alpha", usual[0]))
        beta = float(node.attributes.get("beta", usual[1]))
        function = {
            "HardSigmoid": "hard_sigmoid",
            "HardSwish": "hard_swish",
            "LeakyRelu": "leaky_relu",
            "Sigmoid": "sigmoid",
            "Tanh": "tanh",
        }[node.kind]
    layer = Activation(node.name, (stored.name,), node.output, function, alpha, beta)
    lowering.emit(layer, stored.place, stored.shape)


def _requantize(lowering: Lowering, node: Node) -> None:
    stored = lowering.source(node)
    layer = Requantize(node.name, (stored.name,), node.output)
    lowering.emit(layer, stored.place, stored.shape)


def _to_keras(scope: KerasScope, layer: Activation) -> Any:
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
    """Clip a x + b to [0, 1] by a RELU6, which fuses with the sum and so costs no operator."""
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


def _write(scope: TfliteScope, layer: Activation) -> None:
    writer, source = scope.writer, scope.read(layer)
    match layer.function:
        case "clip":
            _write_clip(scope, layer)
        case "leaky_relu":
            made = scope.made(layer)
            writer.op("LEAKY_RELU", [source], made, "LeakyReluOptions", alpha=layer.alpha)
        case "hard_swish":
            writer.op("HARD_SWISH", [source], scope.made(layer), "HardSwishOptions")
        case "tanh":
            scope.keep(layer, "TANH", [source], _TANH, None)
        case "sigmoid":
            write_probability(scope, layer, "LOGISTIC", None)
        case _:
            do = "leave it and its neighbours in float and let edgesq quantize the model"
            scope.problems.append((f"{layer.function} in int8", layer.name, do))


def _write_clip(scope: TfliteScope, layer: Activation) -> None:
    """Write a RELU; where int8 ends at the bounds anyway, only a change of scale."""
    bounds = (layer.alpha, layer.beta)
    kind = ("QUANTIZE", "RELU", "RELU_N1_TO_1", "RELU6")[scope.fused(layer, bounds)]
    if kind == "QUANTIZE":
        _write_requantize(scope, layer)
    else:
        scope.writer.op(kind, [scope.read(layer)], scope.made(layer), None)


def _write_requantize(scope: TfliteScope, layer: Layer) -> None:
    if scope.quant(layer.output).same(scope.quant(layer.inputs[0])):
        scope.index[layer.output] = scope.read(layer)
    else:
        scope.writer.op("QUANTIZE", [scope.read(layer)], scope.made(layer), "QuantizeOptions")


def write_probability(
    scope: TfliteScope, layer: Layer, kind: str, options: str | None, **fields: float
) -> None:
    """Write an operator whose output has steps of 1/256; an output unread keeps them."""
    wanted = scope.quant(layer.output)
    if layer.output in scope.only_given and not wanted.same(PROBABILITY):
        step, point = float(wanted.scale[0]), int(wanted.zero_point[0])
        what = f"the output is in steps of 1/256 from -128, {kind}'s only ones, not of {step:.6g}"
        scope.notes.append((f"{what} from {point}", layer.name))
        made = scope.made(layer, PROBABILITY)
        scope.writer.op(kind, [scope.read(layer)], made, options, **fields)
        return
    scope.keep(layer, kind, [scope.read(layer)], PROBABILITY, options, **fields)


_VALUE = Taken(_activation)
_IN_RANGE = Taken(_activation, keeps_range=True)

ONNX: OnnxOperators = {
    "Clip": _IN_RANGE,
    "HardSigmoid": _VALUE,
    "HardSwish": _VALUE,
    "LeakyRelu": _IN_RANGE,
    "Max": Taken(_bound, keeps_range=True),
    "Min": Taken(_bound, keeps_range=True),
    "Relu": _IN_RANGE,
    "Requantize": Taken(_requantize),
    "Sigmoid": Taken(_activation, has_one_scale=True),
    "Tanh": _VALUE,
}
KERAS: KerasMakers = {Activation: _to_keras}
TFLITE: TfliteWriters = {Activation: _write, Requantize: _write_requantize}
