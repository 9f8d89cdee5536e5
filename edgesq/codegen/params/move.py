"""The parameters of operators that move values, as C data.

Mirror: struct esq_pick in firmware/include/esq_values.h.
"""

from collections.abc import Sequence

from edgesq.codegen.params.fields import Params
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, array, struct
from edgesq.kernels.row_op import RowOp
from edgesq.operators import OUTSIDE, DepthToSpace, Pick, SpaceToDepth

_OUTSIDE = 0xFFFF
"""Mirror: ESQ_OUTSIDE."""


def _pick(_: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Pick)
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


def none(_: Graph, __: RowOp, ___: int) -> str:
    """Return the parameters of an operator whose tensors say all."""
    return ""


PARAMS: Params = {Pick: _pick, SpaceToDepth: none, DepthToSpace: none}
