"""Put the pieces together: lower, schedule, place."""

from collections.abc import Mapping

from edgesq.graph import Graph
from edgesq.kernels.row_op import RowOp
from edgesq.plan.arena import peak_bytes, place
from edgesq.plan.lower import lower
from edgesq.plan.pieces import Plan, in_order, packed, standing, working
from edgesq.plan.schedule import make_schedule
from edgesq.plan.stream_planner import StreamPlanner
from edgesq.plan.work import fit_work


def make_plan(
    graph: Graph,
    bands: Mapping[int, int] | int = 1,
    kernels: str = "portable",
    room_bytes: int | None = None,
    streamed: frozenset[int] = frozenset(),
    limit_bytes: int | None = None,
) -> Plan:
    """Plan a graph.

    Args:
        graph: the model.
        bands: rows per step, for all operators or by the height of their output; 1 where a height
            is not named, which takes the least RAM.
        kernels: kernel family, which decides the working memory.
        room_bytes: most bytes by which packed weights may grow to be faster; None for the usual.
        streamed: convolutions, by output, whose weights are decoded once per band.
        limit_bytes: size up to which the arena may be filled with decoded weights; None for not
            beyond what it is anyway.

    Raises:
        ModelError: the model has more operators than the runtime takes.
    """
    if streamed:
        return StreamPlanner(graph, kernels, room_bytes, streamed, limit_bytes).plan(bands)
    lowered = lower(graph, bands)
    schedule = make_schedule(graph, lowered)
    stay = standing(graph, lowered, schedule)

    def arena_bytes_of(ops: tuple[RowOp, ...], enough_bytes: int) -> int:
        blocks = [want.block for want in in_order(stay, working(ops, schedule))]
        if 0 < enough_bytes < (peak := peak_bytes(blocks)):
            return peak
        return place(blocks, enough_bytes)[1]

    ops = fit_work(graph, lowered.ops, kernels, arena_bytes_of, room_bytes)
    return packed(lowered, ops, schedule, stay)
