"""Sums over an image."""

from edgesq.operators.base import Access, Op


class Mean(Op, kind="MEAN", access=Access.REDUCE, rescales=True):
    """Mean over height and width: [1, H, W, C] to [1, C] or [1, 1, 1, C]; or of [1, W, C]."""
