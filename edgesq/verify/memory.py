"""What a build's plan takes, operator by operator, and what others would."""

from dataclasses import dataclass

from edgesq.builds import ExportReport
from edgesq.builds import planned as plan_of
from edgesq.graph import Graph
from edgesq.plan import curve
from edgesq.plan.usage import OperatorUse, operator_uses
from edgesq.verify import charts


@dataclass(frozen=True)
class Memory:
    """What a plan takes.

    Attributes:
        rows: one for each operator.
        curve: instructions against arena, from bands of one row to whole maps.
    """

    rows: tuple[OperatorUse, ...]
    curve: charts.Curve


def planned(graph: Graph, facts: ExportReport | None) -> Memory | None:
    """Return what the plan of a build takes; None where its runtime plans for itself.

    Args:
        graph: the model.
        facts: the build's report; None without one.
    """
    chosen = None if facts is None else plan_of(facts, graph)
    if facts is None or chosen is None:
        return None
    *banded, whole = curve(graph, facts.firmware.kernels)
    labels = [str(max(one.bands.by_height.values())) for one in banded]
    plans = zip([*banded, whole], [*labels, "whole maps"], strict=True)
    drawn = charts.curve(
        [(one.plan.arena_bytes, one.instructions, label) for one, label in plans],
        (chosen.plan.arena_bytes, chosen.instructions),
    )
    return Memory(operator_uses(graph, chosen.plan), drawn)
