"""Read and write `report.json` of a build folder.

A build may come from somebody else, so nothing in it is believed: each value is held against its
type and range, and what is not as it must be is one line of error that names its place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from edgesq.builds.facts import SCHEMA_VERSION, ExportReport
from edgesq.builds.operators import Operator, check_operators
from edgesq.calibrate import Preprocessing
from edgesq.codegen import check_name
from edgesq.errors import EdgesqError
from edgesq.files import read_json, write_whole
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.flash import codable
from edgesq.plan import Candidate, PlanRequest, can_be, judge
from edgesq.records import json_text, made, plain
from edgesq.targets import TFLM_KERNELS

REPORT = "report.json"

_KERNELS = (*FAMILIES, TFLM_KERNELS)


def read_report(build: Path) -> ExportReport:
    """Return the report of a build folder.

    Raises:
        EdgesqError: there is none, it is damaged, or of another version of edgesq.
    """
    try:
        content = read_json(build / REPORT)
        if not isinstance(content, dict):
            raise ValueError("is no JSON object")
        if content.get("schema") != SCHEMA_VERSION:
            raise EdgesqError(
                f"{REPORT} is of another version of edgesq", where=str(build), hint="export again"
            )
        report = made(ExportReport, content)
        _check(report)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EdgesqError(
            "not a build folder", where=str(build), hint="run `edgesq export` first"
        ) from error
    except OSError as error:
        raise _damaged(f"cannot be read: {error.strerror}", str(build)) from error
    except ValueError as error:
        raise _damaged(str(error), str(build)) from error
    return report


def write_report(build: Path, report: ExportReport) -> None:
    """Write the report of a build folder, whole or not at all."""
    write_whole(build / REPORT, json_text(report))


def planned(report: ExportReport, graph: Graph) -> Candidate | None:
    """Return the plan that a build's firmware has; None where its runtime plans for itself.

    Raises:
        EdgesqError: the report says one that the model cannot have.
    """
    firmware, plan = report.firmware, report.firmware.plan
    if plan is None:
        return None
    coded = frozenset(plan.coded)
    if coded - codable(graph, firmware.kernels):
        raise _damaged("key 'firmware.plan.coded': no such convolutions")
    request = PlanRequest(
        firmware.kernels,
        report.request.optimize,
        limit_bytes=plan.limit_bytes,
        growth_bytes=plan.growth_bytes,
        coded=coded,
    )
    bands = plan.bands.bands
    if not can_be(graph, bands):
        raise _damaged("key 'firmware.plan.bands': no such operators")
    chosen = judge(graph, request, bands)
    if plan.in_ram and max(plan.in_ram) >= len(chosen.plan.ops):
        raise _damaged("key 'firmware.plan.in_ram': no such operators")
    return chosen.with_in_ram(frozenset(plan.in_ram))


def read_operators(report: ExportReport, graph: Graph) -> tuple[Operator, ...]:
    """Return the runtime's table as a report says it.

    Raises:
        EdgesqError: there is none, or it is not of this model.
    """
    operators = report.firmware.operators
    check_operators(operators, graph)
    return operators


def _damaged(why: str, where: str | None = None) -> EdgesqError:
    return EdgesqError(f"{REPORT} is damaged: {why}", where=where, hint="export again")


def _check(report: ExportReport) -> None:
    """Hold what a type does not say.

    Raises:
        ValueError: a value is not as it must be; the message is a clause.
    """
    kernels, plan = report.firmware.kernels, report.firmware.plan
    if kernels not in _KERNELS:
        raise ValueError("key 'firmware.kernels': no such family")
    if (plan is None) != (kernels == TFLM_KERNELS):
        raise ValueError("key 'firmware.plan': edgesq's runtime has one, and no other")
    if "\0" in (report.request.tflm_dir or ""):
        raise ValueError("key 'request.tflm_dir': holds a zero byte")
    for name in report.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"key 'files': {name} is not in the folder")
    with _at("model.c_name"):
        check_name(report.model.c_name)
    calibration = report.calibration
    for place in ("preprocessing", "declared_preprocessing"):
        found: Preprocessing | None = getattr(calibration, place)
        with _at(f"calibration.{place}"):
            Preprocessing.from_json({} if found is None else plain(found))
    with _at("calibration.classes"):
        report.classes.check()
    for row in report.parity.rows:
        has_run = row.differing is not None
        if has_run != (row.max_lsb is not None) or (row.top1_agreement is not None and not has_run):
            raise ValueError("key 'parity.rows': a row holds results in part")


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Name the place in errors raised within."""
    try:
        yield
    except EdgesqError as error:
        raise ValueError(f"key '{place}': {error.message}") from error
    except ValueError as error:
        raise ValueError(f"key '{place}': {error}") from error
