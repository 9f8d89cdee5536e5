"""Reports of builds that no export made, and changed ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgesq.builds import REPORT, ExportReport
from edgesq.builds.facts import (
    BandFacts,
    CalibrationFacts,
    FirmwareFacts,
    ModelFacts,
    ParityFacts,
    PlanFacts,
    RequestFacts,
)
from edgesq.builds.operators import operators_of
from edgesq.calibrate import Preprocessing
from edgesq.graph import Graph
from edgesq.plan import Goal, plan_for
from edgesq.project import Layout
from edgesq.targets import load_target

NO_PLAN = PlanFacts(BandFacts({}, {}), None, (), None)


def report_of(target: str = "host", graph: Graph | None = None, **changes: Any) -> ExportReport:
    """Return the report of a build of a model, or of none; `changes` are further fields."""
    facts: dict[str, Any] = {
        "model": ModelFacts("tiny", "my", "0" * 64, (8, 8, 3), 1, 1),
        "firmware": FirmwareFacts(
            target, "portable", 0, PlanFacts(BandFacts({}, {}), None, (), None)
        ),
        "sizes": None,
        "request": RequestFacts(Layout.CMAKE, Goal.BALANCED, None, None),
        "calibration": CalibrationFacts(Preprocessing(), None, None, ()),
        "verify_images": "test images",
        "parity": ParityFacts("noise", ()),
        "files": {},
        "versions": {},
    }
    if graph is not None:
        facts["model"] = ModelFacts(
            "tiny",
            "my",
            graph.sha256,
            graph.tensors[graph.input].hwc,
            graph.total_macs,
            graph.weights_bytes,
        )
        facts["firmware"] = _firmware(target, graph)
    return ExportReport(**{**facts, **changes})


def _firmware(name: str, graph: Graph) -> FirmwareFacts:
    target = load_target(name)
    chosen = plan_for(graph, target)
    operators = operators_of(graph, chosen.plan)
    return FirmwareFacts(
        name, target.kernels, chosen.plan.arena_bytes, PlanFacts.of(chosen), operators
    )


def change(build: Path, edit: Callable[[Any], None]) -> None:
    """Edit the JSON of a build's report, as somebody might."""
    content = json.loads((build / REPORT).read_text())
    edit(content)
    (build / REPORT).write_text(json.dumps(content))


def put(build: Path, path: str, value: Any) -> None:
    """Put a value at a place of a build's report, as in "firmware.plan.bands"."""
    *outer, last = path.split(".")

    def edit(content: Any) -> None:
        for key in outer:
            content = content[key]
        content[last] = value

    change(build, edit)
