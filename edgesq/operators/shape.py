"""What gives values another shape."""

from edgesq.operators.base import Access, Op


class Reshape(Op, kind="RESHAPE", access=Access.RESHAPE):
    """The same values in the same order under another shape."""
