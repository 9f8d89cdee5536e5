"""Several operators that together are a function of one value."""

from dataclasses import dataclass

from edgesq.operators.lookup import Lookup

INPUT = -1
"""Operand of a step: what the whole function is given."""


@dataclass(frozen=True)
class Step:
    """One operator of a function.

    Attributes:
        kind: its name in a .tflite.
        operands: each the number of an earlier step, INPUT, or a real constant.
        bounds: the fused activation, or what the operator itself cuts to; None: no limit.
        alpha: the slope of a LEAKY_RELU.
        is_approximate: GELU by tanh, not by erf.
    """

    kind: str
    operands: tuple[int | float, ...]
    bounds: tuple[float | None, float | None] = (None, None)
    alpha: float = 0.0
    is_approximate: bool = False


@dataclass(frozen=True)
class Curve(Lookup, kind="CURVE", holds_levels=True):
    """Operators that take each value by itself, one after the other, as one function.

    The name is none of the schema's. A file has such a function as EXP, or as ADD, RELU6 and MUL.

    Attributes:
        steps: what it computes in reals; the last one's result is the output.
        answers: int8 of what -128, -127, ..., 127 become, with the roundings of every step.
    """

    steps: tuple[Step, ...]
    answers: tuple[int, ...]


STEPS = (
    *("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "GELU", "LOG", "NEG", "ROUND", "RSQRT", "SIGN"),
    *("SIN", "SQRT", "SQUARE", "ZEROS_LIKE"),
    *("DIV", "POW"),
    *("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL"),
    *("LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR", "SELECT", "SELECT_V2"),
)
"""Names in a .tflite that are read as functions only."""
