"""Functions of each value that take several operators of a .tflite, and slopes per channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Layer
from edgesq.importers.operators.binary import per_channel
from edgesq.importers.operators.lookup import Activation
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.quants import Constant
from edgesq.importers.scopes import KerasScope, TfliteScope
from edgesq.operators import INPUT, Step

Steps = tuple[Step, ...]

_MIN_OF_LOG = 2.0**-20
"""What a logarithm takes at least."""
_SELU_ALPHA, _SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875
"""Source: ONNX, operator Selu, version 6."""


@dataclass(frozen=True, eq=False)
class Function(Layer):
    """A function of each value.

    Attributes:
        steps: operators of a .tflite in float32; the last one's result is the layer's.
    """

    kind: ClassVar[str] = "Function"
    steps: Steps


@dataclass(frozen=True, eq=False)
class Prelu(Layer):
    """What is negative times a slope of its channel.

    Attributes:
        slopes: [C].
    """

    kind: ClassVar[str] = "Prelu"
    slopes: Constant


def _step(kind: str, *operands: int | float, **how: Any) -> Step:
    return Step(kind, operands, **how)


def _elu(alpha: float, gamma: float, narrow: float) -> Steps:
    """Return gamma (alpha (exp(min(x, 0) / narrow) - 1) + max(x, 0))."""
    return (
        _step("MINIMUM", INPUT, 0.0),
        _step("MUL", 0, 1 / narrow),
        _step("EXP", 1),
        _step("SUB", 2, 1.0),
        _step("MUL", 3, alpha * gamma),
        _step("MAXIMUM", INPUT, 0.0),
        _step("MUL", 5, gamma),
        _step("ADD", 4, 6),
    )


_SOFTPLUS: Steps = (
    _step("ABS", INPUT),
    _step("MUL", 0, -1.0),
    _step("EXP", 1),
    _step("ADD", 2, 1.0),
    _step("LOG", 3),
    _step("MAXIMUM", INPUT, 0.0),
    _step("ADD", 4, 5),
)


def _thresholded(alpha: float) -> Steps:
    kept = (_step("GREATER", INPUT, alpha), _step("MUL", INPUT, 0.0))
    return (*kept, _step("SELECT", 0, INPUT, 1))


FUNCTIONS: dict[str, Callable[[dict[str, Any]], Steps]] = {
    "Abs": lambda _: (_step("ABS", INPUT),),
    "Ceil": lambda _: (_step("NEG", INPUT), _step("FLOOR", 0), _step("NEG", 1)),
    "Celu": lambda how: _elu(float(how.get("alpha", 1.0)), 1.0, float(how.get("alpha", 1.0))),
    "Cos": lambda _: (_step("COS", INPUT),),
    "Elu": lambda how: _elu(float(how.get("alpha", 1.0)), 1.0, 1.0),
    "Exp": lambda _: (_step("EXP", INPUT),),
    "Floor": lambda _: (_step("FLOOR", INPUT),),
    "Gelu": lambda how: (
        _step("GELU", INPUT, is_approximate=how.get("approximate", "none") in ("tanh", b"tanh")),
    ),
    "Log": lambda _: (_step("MAXIMUM", INPUT, _MIN_OF_LOG), _step("LOG", 0)),
    "Mish": lambda _: (*_SOFTPLUS, _step("TANH", 6), _step("MUL", INPUT, 7)),
    "Neg": lambda _: (_step("NEG", INPUT),),
    "Reciprocal": lambda _: (_step("DIV", 1.0, INPUT),),
    "Selu": lambda how: _elu(
        float(how.get("alpha", _SELU_ALPHA)), float(how.get("gamma", _SELU_GAMMA)), 1.0
    ),
    "Sign": lambda _: (_step("SIGN", INPUT),),
    "Sin": lambda _: (_step("SIN", INPUT),),
    "Softplus": lambda _: _SOFTPLUS,
    "Softsign": lambda _: (_step("ABS", INPUT), _step("ADD", 0, 1.0), _step("DIV", INPUT, 1)),
    "Sqrt": lambda _: (_step("MAXIMUM", INPUT, 0.0), _step("SQRT", 0)),
    "ThresholdedRelu": lambda how: _thresholded(float(how.get("alpha", 1.0))),
}
"""By ONNX's name: from attributes to steps."""


def _function(lowering: Lowering, node: Node) -> None:
    _emit(lowering, node, FUNCTIONS[node.kind](node.attributes))


def _emit(lowering: Lowering, node: Node, steps: Steps) -> None:
    stored = lowering.source(node)
    layer = Function(node.name, (stored.name,), node.output, steps)
    lowering.emit(layer, stored.place, stored.shape)


def _power(lowering: Lowering, node: Node) -> None:
    exponents = lowering.needs_constant(node, 1).real()
    if exponents.min() != exponents.max() or lowering.net.shapes[node.output] != tuple(
        lowering.net.shapes[node.inputs[0]]
    ):
        raise UnsupportedError("Pow by several exponents", "use one for all values")
    exponent = float(exponents.reshape(-1)[0])
    usual = {1.0: (_step("MUL", INPUT, 1.0),), 2.0: (_step("MUL", INPUT, INPUT),)}
    _emit(lowering, node, usual.get(exponent, (_step("POW", INPUT, exponent),)))


def _slopes(lowering: Lowering, node: Node) -> None:
    """Make a LeakyRelu of a PRelu whose slopes are all the same, else slopes per channel."""
    slopes = lowering.needs_constant(node, 1).real()
    stored = lowering.source(node)
    if slopes.min() == slopes.max() and slopes.min() >= 0:
        alpha = float(slopes.reshape(-1)[0])
        same = Activation(node.name, (stored.name,), node.output, "leaky_relu", alpha)
        lowering.emit(same, stored.place, stored.shape)
        return
    stored, (own,) = per_channel(lowering, node, stored, slopes)
    own = np.broadcast_to(own, stored.shape[-1:]).astype(np.float32)
    layer = Prelu(node.name, (stored.name,), node.output, Constant(own, None))
    lowering.emit(layer, stored.place, stored.shape)


# --- to Keras ---

_OPS = {
    "ABS": "absolute",
    "ADD": "add",
    "COS": "cos",
    "DIV": "divide",
    "EXP": "exp",
    "FLOOR": "floor",
    "GREATER": "greater",
    "LOG": "log",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
    "MUL": "multiply",
    "NEG": "negative",
    "POW": "power",
    "SELECT": "where",
    "SIGN": "sign",
    "SIN": "sin",
    "SQRT": "sqrt",
    "SUB": "subtract",
    "TANH": "tanh",
}
"""Of keras.ops, by the name in a .tflite."""


def _to_keras(scope: KerasScope, layer: Function) -> Any:
    import keras

    source = scope.read(layer)
    made: list[Any] = []
    for step in layer.steps:
        operands = [_operand(source, made, operand) for operand in step.operands]
        if step.kind == "GELU":
            made.append(keras.ops.gelu(*operands, approximate=step.is_approximate))
        else:
            made.append(getattr(keras.ops, _OPS[step.kind])(*operands))
    return made[-1]


def _operand(source: Any, made: list[Any], operand: int | float) -> Any:
    if isinstance(operand, float):
        return np.float32(operand)
    return source if operand == INPUT else made[operand]


def _prelu_to_keras(scope: KerasScope, layer: Prelu) -> Any:
    import keras

    source = scope.read(layer)
    axes = list(range(1, len(source.shape) - 1))
    made = keras.layers.PReLU(shared_axes=axes or None, name=layer.name)
    slopes = layer.slopes.real().astype(np.float32)
    scope.weights[layer.name] = [slopes.reshape((*[1] * len(axes), -1))]
    return made(source)


# --- to .tflite ---


def _write(scope: TfliteScope, layer: Function) -> None:
    """Write steps in float32 between int8 and int8, which are read as one table."""
    writer, shape = scope.writer, scope.network.shapes[layer.output]
    source = writer.value(shape, dtype=np.float32)
    writer.op("DEQUANTIZE", [scope.read(layer)], source, "DequantizeOptions")
    made: list[int] = []
    for step in layer.steps:
        operands = [
            writer.constant(np.array([operand], np.float32))
            if isinstance(operand, float)
            else (source if operand == INPUT else made[operand])
            for operand in step.operands
        ]
        dtype: type[np.generic] = np.bool_ if step.kind == "GREATER" else np.float32
        result = writer.value(shape, dtype=dtype)
        kind = "SELECT_V2" if step.kind == "SELECT" else step.kind
        if kind == "GELU":
            how = {"approximate": step.is_approximate}
            made.append(writer.op(kind, operands, result, "GeluOptions", **how))
        else:
            options = f"{kind.title()}Options" if kind in _FUSING else None
            made.append(writer.op(kind, operands, result, options))
    writer.op("QUANTIZE", [made[-1]], scope.made(layer), "QuantizeOptions")


_FUSING = ("ADD", "DIV", "MUL", "SUB")


def _write_prelu(scope: TfliteScope, layer: Prelu) -> None:
    slopes = scope.operand(layer.slopes, f"{layer.name}/slopes")
    scope.writer.op("PRELU", [scope.read(layer), slopes], scope.made(layer), None)


ONNX: OnnxOperators = {
    **dict.fromkeys(FUNCTIONS, Taken(_function)),
    "PRelu": Taken(_slopes),
    "Pow": Taken(_power),
}
KERAS: KerasMakers = {Function: _to_keras, Prelu: _prelu_to_keras}
TFLITE: TfliteWriters = {Function: _write, Prelu: _write_prelu}
