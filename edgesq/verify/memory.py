"""What a build's plan takes, operator by operator, and what others would."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from edgesq.builds import VERIFY_REPORT, ExportReport, plan_picture
from edgesq.builds import planned as plan_of
from edgesq.errors import EdgesqError
from edgesq.graph import Graph
from edgesq.pages import Picture
from edgesq.plan import curve
from edgesq.plan.usage import OperatorUse, operator_uses
from edgesq.verify.report import read_json


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


def measured(build: Path, facts: ExportReport) -> tuple[int, ...] | None:
    """Return instructions per image of each operator, as a board counted them for this build.

    They are those of the last `verify --profile` whose report lies in the build; None where there
    is none, or where it was of another model or of other kernels.

    Args:
        build: the build folder.
        facts: its report.
    """
    with contextlib.suppress(EdgesqError):
        found = read_json(build / VERIFY_REPORT)
        rows = found.profile or ()
        counts = tuple(row.instructions for row in rows if row.instructions is not None)
        functions = [operator.function for operator in facts.firmware.operators]
        if (
            found.run.model_sha256 == facts.model.sha256
            and functions == [row.function for row in rows]
            and len(counts) == len(functions) > 0
        ):
            return counts
    return None
