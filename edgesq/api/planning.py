"""What a model takes on a board, and which boards it fits, before anything is exported."""

from collections.abc import Callable
from pathlib import Path

from edgesq.api.documents import FitsDocument, InspectDocument, PlanDocument, Planned
from edgesq.api.documents import plan_document as document_of
from edgesq.builds import TFLITE, load_graph, plan_picture, planned, read_model, read_report
from edgesq.choices import Goal
from edgesq.formats.tflite import read_graph
from edgesq.plan import curve, plan_for
from edgesq.plan import fits as fits_of
from edgesq.project import measure
from edgesq.targets import Target


def plan_model(
    model: Path | None,
    board: Target,
    goal: Goal,
    ram_limit: int | None,
    picture: Path | None,
    on_stage: Callable[[str], None],
) -> PlanDocument:
    """Plan a model for a board, compile it where that can be done, and draw RAM against speed.

    Args:
        model: its file; None for the bundled one.
        board: the target.
        goal: what the plan is best at.
        ram_limit: RAM in bytes to plan for; None for the board's.
        picture: SVG to draw; None for none.
        on_stage: is told what begins.

    Raises:
        ModelError: the model cannot be used.
        FitError: it does not fit.
        ToolError: a compiler failed.
    """
    graph = load_graph(model, on_stage)
    on_stage("plan")
    chosen = plan_for(graph, board, goal, ram_limit)
    on_stage(f"compile for {board.name}")
    sizes = measure(graph, chosen.plan, board)
    candidates = curve(graph, board.kernels, chosen.tried, goal)
    if picture is not None:
        plan_picture(candidates, chosen, goal).write(picture)
    return document_of(graph, model, board, chosen, sizes, candidates)


def fits(model: Path, on_stage: Callable[[str], None]) -> FitsDocument:
    """Say which boards a model fits, and by how much.

    Raises:
        ModelError: the model cannot be used.
    """
    graph = load_graph(model, on_stage)
    return FitsDocument(model=str(model), targets=fits_of(graph))


def inspected(build: Path) -> InspectDocument:
    """Return what a build holds; of its plan and arena the model is believed, not the report.

    Raises:
        EdgesqError: not a build folder, or a damaged one.
    """
    report = read_report(build)
    graph = read_graph(read_model(build), str(build / TFLITE))
    chosen = planned(report, graph)
    plan = None if chosen is None else Planned.of(graph, chosen.plan)
    return InspectDocument.of(report, plan)
