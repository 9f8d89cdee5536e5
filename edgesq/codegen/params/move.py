"""The parameters of operators that move values, as C data.

Mirror: struct esq_pick, esq_resize and esq_transpose in firmware/include/esq_values.h.
"""

from collections.abc import Sequence

from edgesq.codegen.params.fields import Params
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, array, struct, structs
from edgesq.kernels.portable import byte_channels, even_step
from edgesq.kernels.row_op import RowOp
from edgesq.operators import (
    OUTSIDE,
    DepthToSpace,
    Pick,
    ResizeBilinear,
    SpaceToDepth,
    Transpose,
)

_OUTSIDE = 0xFFFF
"""Mirror: ESQ_OUTSIDE."""


def _pick(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Pick)
    channels = byte_channels(graph, op)
    inside = [channel for channel in channels if channel != OUTSIDE]
    step = even_step(channels)
    fields: Fields = {
        "rows": f"rows_{index}",
        "columns": f"columns_{index}",
        "channels": "0" if step else f"channels_{index}",
        "before": channels.index(inside[0]),
        "count": len(inside),
        "first": inside[0],
        "step": step,
        "fill": op.fill,
    }
    listed = "" if step else array("uint16_t", f"channels_{index}", inside)
    return (
        listed
        + array("uint16_t", f"rows_{index}", _indices(op.rows), layer=op.name)
        + array("uint16_t", f"columns_{index}", _indices(op.columns))
        + struct("esq_pick", f"params_{index}", fields)
    )


def _indices(places: Sequence[int]) -> list[int]:
    return [_OUTSIDE if place == OUTSIDE else place for place in places]


def _resize_bilinear(_: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, ResizeBilinear)
    fields: Fields = {"rows": f"rows_{index}", "columns": f"columns_{index}"}
    kind = "struct esq_between"
    return (
        structs(kind, f"rows_{index}", [(place.first, place.weight) for place in op.rows])
        + structs(kind, f"columns_{index}", [(place.first, place.weight) for place in op.columns])
        + struct("esq_resize", f"params_{index}", fields, layer=op.name)
    )


def none(_: Graph, __: RowOp, ___: int) -> str:
    """Return the parameters of an operator whose tensors say all."""
    return ""


def _transpose(_: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Transpose)
    fields: Fields = {"order": list(op.order)}
    return struct("esq_transpose", f"params_{index}", fields, layer=op.name)


PARAMS: Params = {
    Pick: _pick,
    ResizeBilinear: _resize_bilinear,
    SpaceToDepth: none,
    DepthToSpace: none,
    Transpose: _transpose,
}
