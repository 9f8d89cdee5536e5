"""Functions of one value that take several operators, by TensorFlow, to be differentiated."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgesq.operators import INPUT, Curve, Step


def curve(op: Curve, values: Any) -> Any:
    """Compute each step in float32."""
    import tensorflow as tf

    made: list[Any] = []
    for step in op.steps:
        operands = [_operand(values, made, operand) for operand in step.operands]
        result = _step(step, operands)
        low, high = step.bounds
        if low is not None:
            result = tf.maximum(result, np.float32(low))
        made.append(result if high is None else tf.minimum(result, np.float32(high)))
    return made[-1] if made else values


def _operand(values: Any, made: list[Any], operand: int | float) -> Any:
    if isinstance(operand, float):
        return np.float32(operand)
    return values if operand == INPUT else made[operand]


def _step(step: Step, operands: list[Any]) -> Any:
    import tensorflow as tf

    match step.kind:
        case "GELU":
            return tf.nn.gelu(*operands, step.is_approximate)
        case "HARD_SWISH":
            return operands[0] * tf.nn.relu6(operands[0] + 3) / 6
        case "LEAKY_RELU":
            return tf.nn.leaky_relu(*operands, step.alpha)
        case "PRELU":
            return tf.where(operands[0] < 0, operands[0] * operands[1], operands[0])
        case "RELU_0_TO_1":
            return tf.clip_by_value(*operands, 0.0, 1.0)
        case "RELU_N1_TO_1":
            return tf.clip_by_value(*operands, -1.0, 1.0)
        case kind:
            return _FUNCTIONS[kind](tf)(*operands)


_FUNCTIONS: dict[str, Any] = {
    "ABS": lambda tf: tf.abs,
    "ADD": lambda tf: tf.add,
    "CEIL": lambda tf: tf.math.ceil,
    "COS": lambda tf: tf.cos,
    "DIV": lambda tf: tf.divide,
    "ELU": lambda tf: tf.nn.elu,
    "EQUAL": lambda tf: tf.equal,
    "EXP": lambda tf: tf.exp,
    "FLOOR": lambda tf: tf.floor,
    "GREATER": lambda tf: tf.greater,
    "GREATER_EQUAL": lambda tf: tf.greater_equal,
    "LESS": lambda tf: tf.less,
    "LESS_EQUAL": lambda tf: tf.less_equal,
    "LOG": lambda tf: tf.math.log,
    "LOGICAL_AND": lambda tf: tf.logical_and,
    "LOGICAL_NOT": lambda tf: tf.logical_not,
    "LOGICAL_OR": lambda tf: tf.logical_or,
    "LOGISTIC": lambda tf: tf.sigmoid,
    "MAXIMUM": lambda tf: tf.maximum,
    "MINIMUM": lambda tf: tf.minimum,
    "MUL": lambda tf: tf.multiply,
    "NEG": lambda tf: tf.negative,
    "NOT_EQUAL": lambda tf: tf.not_equal,
    "POW": lambda tf: tf.pow,
    "RELU": lambda tf: tf.nn.relu,
    "RELU6": lambda tf: tf.nn.relu6,
    "ROUND": lambda tf: tf.round,
    "RSQRT": lambda tf: tf.math.rsqrt,
    "SELECT": lambda tf: tf.where,
    "SIGN": lambda tf: tf.sign,
    "SIN": lambda tf: tf.sin,
    "SQRT": lambda tf: tf.sqrt,
    "SQUARE": lambda tf: tf.square,
    "SQUARED_DIFFERENCE": lambda tf: tf.math.squared_difference,
    "SUB": lambda tf: tf.subtract,
    "TANH": lambda tf: tf.tanh,
    "ZEROS_LIKE": lambda tf: tf.zeros_like,
}
"""By the name in a .tflite: from TensorFlow, which takes seconds to import, to its function."""
