"""Sums, means and extremes along axes."""

from dataclasses import dataclass

from edgesq.operators.base import Access, Op


class Mean(Op, kind="MEAN", access=Access.REDUCE, rescales=True):
    """Mean over height and width: [1, H, W, C] to [1, C] or [1, 1, 1, C]; or of [1, W, C]."""


@dataclass(frozen=True)
class Reduction(Op):
    """One value of all along some axes; the output has 1 there.

    Attributes:
        axes: of [H, W, C], ascending.
    """

    axes: tuple[int, ...]


class MeanAlong(Reduction, kind="MEAN", rescales=True):
    """Mean along other axes than height and width."""


class Sum(Reduction, kind="SUM", rescales=True):
    """Sum along axes."""


class ReduceMax(Reduction, kind="REDUCE_MAX"):
    """Greatest value along axes."""


class ReduceMin(Reduction, kind="REDUCE_MIN"):
    """Least value along axes."""
