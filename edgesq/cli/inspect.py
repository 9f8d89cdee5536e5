"""`edgesq inspect`."""

from dataclasses import dataclass, replace
from pathlib import Path

from edgesq.builds import TFLITE, ExportReport, planned, read_model, read_report
from edgesq.cli import terminal
from edgesq.cli.documents import SCHEMA, Planned
from edgesq.cli.plan import operator_table, print_peak
from edgesq.cli.tables import print_parity, size_table
from edgesq.formats.tflite import read_graph
from edgesq.records import plain


@dataclass(frozen=True, kw_only=True)
class InspectDocument:
    """What `edgesq inspect` shows.

    Attributes:
        schema: version of this shape.
        report: the build's report.json.
        plan: made again of the model, not believed; None where TensorFlow Lite Micro computes.
    """

    schema: int = SCHEMA
    report: ExportReport
    plan: Planned | None


def run(build: Path, json: Path | None) -> None:
    """Print a build's sizes, its operators with their memory, and its parity table."""
    terminal.check_json(json)
    report = read_report(build)
    graph = read_graph(read_model(build), str(build / TFLITE))
    chosen = planned(report, graph)
    plan = None if chosen is None else Planned.of(graph, chosen.plan)
    if plan is not None:  # of the arena it is believed, not the report
        firmware = replace(report.firmware, arena_bytes=plan.arena_bytes)
        report = replace(report, firmware=firmware)
    if not terminal.is_stdout(json):
        terminal.out.print(size_table(report))
        if plan is not None:
            terminal.out.print(operator_table(plan))
            print_peak(plan)
        print_parity(report.parity)
        terminal.say(f"model sha256 {report.model.sha256}")
    if json is not None:
        terminal.write_json(plain(InspectDocument(report=report, plan=plan)), json)
