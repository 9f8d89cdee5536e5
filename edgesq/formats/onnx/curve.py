"""Functions of one value that take several operators, as float ONNX nodes."""

from collections.abc import Callable

import numpy as np

from edgesq.formats.onnx.real import FloatModel
from edgesq.formats.onnx.scope import Scope, Value, Writers
from edgesq.operators import INPUT, Curve, Step

_NODES = {
    "ABS": "Abs",
    "ADD": "Add",
    "CEIL": "Ceil",
    "COS": "Cos",
    "DIV": "Div",
    "ELU": "Elu",
    "EQUAL": "Equal",
    "EXP": "Exp",
    "FLOOR": "Floor",
    "GREATER": "Greater",
    "GREATER_EQUAL": "GreaterOrEqual",
    "HARD_SWISH": "HardSwish",
    "LESS": "Less",
    "LESS_EQUAL": "LessOrEqual",
    "LOG": "Log",
    "LOGICAL_AND": "And",
    "LOGICAL_NOT": "Not",
    "LOGICAL_OR": "Or",
    "LOGISTIC": "Sigmoid",
    "MAXIMUM": "Max",
    "MINIMUM": "Min",
    "MUL": "Mul",
    "NEG": "Neg",
    "POW": "Pow",
    "RELU": "Relu",
    "ROUND": "Round",
    "SELECT": "Where",
    "SIGN": "Sign",
    "SIN": "Sin",
    "SQRT": "Sqrt",
    "SUB": "Sub",
    "TANH": "Tanh",
}
"""ONNX's operator, by the name in a .tflite."""

_RANGES: dict[str, tuple[float, float]] = {
    "RELU6": (0, 6),
    "RELU_0_TO_1": (0, 1),
    "RELU_N1_TO_1": (-1, 1),
}


def _gelu(scope: Scope, step: Step, x: Value) -> str:
    if step.is_approximate:
        cube = scope.node("Mul", "cube", scope.node("Mul", "square", x, x), x)
        sum_ = scope.node("Add", "sum", x, scope.node("Mul", "part", cube, np.float32(0.044715)))
        inner = scope.node("Mul", "inner", sum_, np.float32(np.sqrt(2 / np.pi)))
        share = scope.node("Tanh", "tanh", inner)
    else:
        share = scope.node("Erf", "erf", scope.node("Mul", "inner", x, np.float32(np.sqrt(0.5))))
    raised = scope.node("Add", "raised", share, np.float32(1))
    return scope.node("Mul", "gelu", scope.node("Mul", "half", x, np.float32(0.5)), raised)


def _leaky_relu(scope: Scope, step: Step, x: Value) -> str:
    return scope.node("LeakyRelu", "leaky", x, alpha=step.alpha)


def _not_equal(scope: Scope, _: Step, one: Value, two: Value) -> str:
    return scope.node("Not", "differ", scope.node("Equal", "equal", one, two))


def _prelu(scope: Scope, _: Step, x: Value, slope: Value) -> str:
    return scope.node("PRelu", "prelu", x, slope)


def _rsqrt(scope: Scope, _: Step, x: Value) -> str:
    return scope.node("Reciprocal", "inverse", scope.node("Sqrt", "root", x))


def _square(scope: Scope, _: Step, x: Value) -> str:
    return scope.node("Mul", "square", x, x)


def _squared_difference(scope: Scope, step: Step, one: Value, two: Value) -> str:
    return _square(scope, step, scope.node("Sub", "difference", one, two))


def _zeros(scope: Scope, _: Step, x: Value) -> str:
    return scope.node("Mul", "zeros", x, np.float32(0))


_COMPOSED: dict[str, Callable[..., str]] = {
    "GELU": _gelu,
    "LEAKY_RELU": _leaky_relu,
    "NOT_EQUAL": _not_equal,
    "PRELU": _prelu,
    "RSQRT": _rsqrt,
    "SQUARE": _square,
    "SQUARED_DIFFERENCE": _squared_difference,
    "ZEROS_LIKE": _zeros,
}


def curve(scope: Scope, _: FloatModel, op: Curve, value: str) -> str:
    """Add each step in reals."""
    made: list[Value] = []
    for number, step in enumerate(op.steps):
        inside = scope.within(f"step{number}")
        operands = [_operand(value, made, operand) for operand in step.operands]
        result = _step(inside, step, operands)
        made.append(_cut(inside, step.bounds, result))
    last = made[-1] if made else value
    assert isinstance(last, str)
    return last


def _operand(value: str, made: list[Value], operand: int | float) -> Value:
    if isinstance(operand, float):
        return np.float32(operand)
    return value if operand == INPUT else made[operand]


def _step(scope: Scope, step: Step, operands: list[Value]) -> str:
    if step.kind in _COMPOSED:
        return _COMPOSED[step.kind](scope, step, *operands)
    if step.kind in _RANGES:
        return scope.node("Clip", "clip", *operands, *map(np.float32, _RANGES[step.kind]))
    return scope.node(_NODES[step.kind], "value", *operands)


def _cut(scope: Scope, bounds: tuple[float | None, float | None], value: str) -> str:
    low, high = bounds
    if low is not None:
        value = scope.node("Max", "low", value, np.float32(low))
    return value if high is None else scope.node("Min", "high", value, np.float32(high))


INTEGER: Writers = {}
FLOAT: Writers = {Curve: curve}
