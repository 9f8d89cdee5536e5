"""Two operands value by value."""

from dataclasses import dataclass

from edgesq.operators.base import Op


@dataclass(frozen=True)
class Binary(Op, is_valuewise=True, rescales=True):
    """Two operands value by value, each with its own scale and zero point.

    One has the output's shape; the other one too, or it is one pixel that all pixels meet, or one
    value. It may be a constant, [C] or [1], or [H, W, C] with 1 where all rows or columns have the
    same.

    Attributes:
        operands: both, in order; `inputs` are those that are not constants.
        clamp: the fused activation.
    """

    operands: tuple[int, int]
    clamp: tuple[int, int]

    @property
    def parameters(self) -> tuple[int, ...]:
        """Both operands."""
        return self.operands


class Add(Binary, kind="ADD"):
    """The first operand plus the second."""


class Sub(Binary, kind="SUB"):
    """The first operand minus the second."""


class Mul(Binary, kind="MUL"):
    """The first operand times the second."""


class Maximum(Binary, kind="MAXIMUM", rescales=False, holds_levels=True):
    """The greater of both operands, which share scale and zero point with the output."""


class Minimum(Binary, kind="MINIMUM", rescales=False, holds_levels=True):
    """The lesser of both operands, which share scale and zero point with the output."""


class SquaredDifference(Binary, kind="SQUARED_DIFFERENCE"):
    """The square of the first operand minus the second."""


class Prelu(Binary, kind="PRELU"):
    """The first operand, times the second where it is negative."""
