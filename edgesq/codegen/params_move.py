"""Parameters of the operators that move values, as C data.

Mirror: struct esq_pick in firmware/include/esq_values.h.
"""

from collections.abc import Sequence

from edgesq.graph import OUTSIDE, Pick
from edgesq.kernels.initializer import Fields, array, struct

_OUTSIDE = 0xFFFF
"""Mirror: ESQ_OUTSIDE."""


def pick_params(op: Pick, index: int) -> str:
    """Return the C text that defines `params_<index>` of an operator that picks values."""
    inside = [channel for channel in op.channels if channel != OUTSIDE]
    fields: Fields = {
        "rows": f"rows_{index}",
        "columns": f"columns_{index}",
        "before": op.channels.index(inside[0]),
        "count": len(inside),
        "first": inside[0],
        "step": inside[1] - inside[0] if len(inside) > 1 else 1,
        "fill": op.fill,
    }
    return (
        array("uint16_t", f"rows_{index}", _indices(op.rows), layer=op.name)
        + array("uint16_t", f"columns_{index}", _indices(op.columns))
        + struct("esq_pick", f"params_{index}", fields)
    )


def _indices(places: Sequence[int]) -> list[int]:
    return [_OUTSIDE if place == OUTSIDE else place for place in places]
