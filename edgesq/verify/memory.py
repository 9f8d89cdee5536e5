"""What a build's plan takes, operator by operator, and what others would."""

from dataclasses import dataclass

from edgesq.builds import ExportReport, plan_picture
from edgesq.builds import planned as plan_of
from edgesq.graph import Graph
from edgesq.pages import Picture
from edgesq.plan import curve
from edgesq.plan.usage import OperatorUse, operator_uses


@dataclass(frozen=True)
class Memory:
    """What a plan takes.

    Attributes:
        rows: one for each operator.
        curve: instructions against arena, from bands of one row to whole maps.
    """

    rows: tuple[OperatorUse, ...]
    curve: Picture


def planned(graph: Graph, facts: ExportReport | None) -> Memory | None:
    """Return what the plan of a build takes; None where its runtime plans for itself.

    Args:
        graph: the model.
        facts: the build's report; None without one.
    """
    chosen = None if facts is None else plan_of(facts, graph)
    if facts is None or chosen is None:
        return None
    candidates = curve(graph, facts.firmware.kernels)
    drawn = plan_picture(candidates, chosen, facts.request.optimize)
    return Memory(operator_uses(graph, chosen.plan), drawn)
