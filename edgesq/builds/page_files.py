"""The page and the pictures of a build as files: by-products, made again where a build changes."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from edgesq.builds.byproducts import ByProducts
from edgesq.builds.curve import plan_picture
from edgesq.builds.facts import ExportReport
from edgesq.builds.folder import TFLITE, read_model
from edgesq.builds.report import planned, read_report
from edgesq.calibrate import Sheet, cut
from edgesq.errors import EdgesqError
from edgesq.files import read_bytes, write_output, write_whole
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, digest
from edgesq.plan import Candidate, curve

PAGE, PLAN_PICTURE, SHEET = "report.html", "plan.svg", "calibration.jpg"


def write_page(build: Path, path: Path, measured: Sequence[int] | None = None) -> None:
    """Write the page of a build, whole or not at all.

    Args:
        build: a build folder.
        path: the file.
        measured: instructions per image of each operator, as a board counted them; None for the
            estimate.

    Raises:
        EdgesqError: it is no build folder, or a damaged one.
        OSError: the file cannot be written.
    """
    report = read_report(build)
    graph = read_graph(read_model(build), str(build / TFLITE))
    write_output(path, _text(build, report, graph, planned(report, graph), (), measured))


def draw_sheet(extras: ByProducts, sheet: Sheet | None) -> None:
    """Write the contact sheet of the calibration images, if there are any."""
    if sheet is not None:
        extras.make(SHEET, partial(write_whole, content=sheet.jpeg))


def draw_page(
    extras: ByProducts,
    report: ExportReport,
    graph: Graph,
    chosen: Candidate | None,
    candidates: Sequence[Candidate] = (),
) -> bool:
    """Write the page of a build that has its other files; say whether it could be made.

    Args:
        extras: makes it.
        report: of the build.
        graph: the model.
        chosen: its plan; None where its runtime plans for itself.
        candidates: plans to compare it with; empty where they are not made yet.
    """

    def write(path: Path) -> bool:
        write_whole(path, _text(extras.folder, report, graph, chosen, candidates))
        return True

    return bool(extras.make(PAGE, write))


def refreshed(build: Path, report: ExportReport) -> ExportReport:
    """Make page and plan picture anew after a build was compiled or laid out for another board.

    Files that somebody changed stay as they are.

    Returns:
        the report with the hashes of what was written.
    """
    names = [name for name in (PAGE, PLAN_PICTURE) if _is_unchanged(build, name, report.files)]
    if not names:
        return report
    graph = read_graph(read_model(build), str(build / TFLITE))
    chosen = planned(report, graph)
    candidates = []
    if chosen is not None:
        candidates = curve(graph, report.firmware.kernels, goal=chosen.request.goal)
    extras = ByProducts(build)
    if PLAN_PICTURE in names:
        (build / PLAN_PICTURE).unlink()
        if chosen is not None:
            picture = partial(plan_picture, candidates, chosen, report.request.optimize)
            extras.make(PLAN_PICTURE, lambda path: picture().write(path))
    if PAGE in names:
        draw_page(extras, report, graph, chosen, candidates)
    files = {name: value for name, value in report.files.items() if name not in names}
    for name in names:
        with contextlib.suppress(OSError):
            files[name] = digest(read_bytes(build / name))
    return replace(report, files=dict(sorted(files.items())))


def _is_unchanged(build: Path, name: str, files: Mapping[str, str]) -> bool:
    with contextlib.suppress(OSError):
        return name in files and digest(read_bytes(build / name)) == files[name]
    return False


def _text(
    build: Path,
    report: ExportReport,
    graph: Graph,
    chosen: Candidate | None,
    candidates: Sequence[Candidate],
    measured: Sequence[int] | None = None,
) -> str:
    from edgesq.builds.page import export_page  # it loads a template engine

    shown = report.calibration.shown
    cells: tuple[str, ...] = ()
    with contextlib.suppress(OSError, EdgesqError):
        cells = cut(read_bytes(build / SHEET), len(shown)) if shown else ()
    return export_page(report, graph, chosen, candidates, cells, measured)
