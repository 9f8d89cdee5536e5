"""Put the pieces together: lower, schedule, place."""

from edgesq.graph import Graph
from edgesq.kernels.row_op import RowOp
from edgesq.plan.arena import peak_bytes, place
from edgesq.plan.lower import lower
from edgesq.plan.pieces import Plan, in_order, packed, standing, working
from edgesq.plan.request import Bands, PlanRequest
from edgesq.plan.schedule import make_schedule
from edgesq.plan.stream_planner import StreamPlanner
from edgesq.plan.work import fit_work


def make_plan(graph: Graph, request: PlanRequest | None = None, bands: Bands | None = None) -> Plan:
    """Plan a graph.

    Args:
        graph: the model.
        request: what the plan is for; None for portable kernels. Its goal is not looked at: bands
            decide that.
        bands: rows per step; None for one row each, which takes the least RAM.

    Raises:
        ModelError: the model has more operators than the runtime takes.
    """
    bands, request = bands or Bands(), request or PlanRequest()
    if request.coded:
        return StreamPlanner(graph, request).plan(bands)
    lowered = lower(graph, bands)
    schedule = make_schedule(graph, lowered)
    stay = standing(graph, lowered, schedule)

    def arena_bytes_of(ops: tuple[RowOp, ...], enough_bytes: int) -> int:
        blocks = [want.block for want in in_order(stay, working(ops, schedule))]
        if 0 < enough_bytes < (peak := peak_bytes(blocks)):
            return peak
        return place(blocks, enough_bytes)[1]

    ops = fit_work(graph, lowered.ops, request.kernels, arena_bytes_of, request.growth_bytes)
    return packed(lowered, ops, schedule, stay)
