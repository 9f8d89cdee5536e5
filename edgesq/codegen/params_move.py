"""Parameters of the operators that move values, as C data.

Mirror: struct esq_pick in firmware/include/esq_values.h.
"""

from collections.abc import Sequence

from edgesq.codegen.text import comment, rows, template
from edgesq.graph import OUTSIDE, Pick

_OUTSIDE = 0xFFFF
"""Mirror: ESQ_OUTSIDE."""


def pick_params(op: Pick, index: int) -> str:
    """Return the C text that defines `params_<index>` of an operator that picks values."""
    inside = [channel for channel in op.channels if channel != OUTSIDE]
    return template("pick.c").substitute(
        name=comment(op.name),
        index=index,
        rows=_indices(op.rows),
        columns=_indices(op.columns),
        before=op.channels.index(inside[0]),
        count=len(inside),
        first=inside[0],
        step=inside[1] - inside[0] if len(inside) > 1 else 1,
        fill=op.fill,
    )


def _indices(places: Sequence[int]) -> str:
    return rows(_OUTSIDE if place == OUTSIDE else place for place in places)
