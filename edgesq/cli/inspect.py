"""`edgesq inspect`."""

from pathlib import Path

from edgesq.cli import terminal
from edgesq.cli.documents import inspect_document
from edgesq.cli.plan import operator_table, print_peak
from edgesq.cli.tables import parity_table, size_table
from edgesq.plan import make_plan


def run(build: Path, json: Path | None) -> None:
    """Print a build's sizes, its operators with their memory, and its parity table."""
    from edgesq.export import TFLITE, read_report
    from edgesq.formats.tflite import read_graph

    terminal.check_json(json)
    report = read_report(build)
    graph = read_graph((build / TFLITE).read_bytes(), str(build / TFLITE))
    bands = {int(height): rows for height, rows in report.get("bands", {}).items()}
    plan = make_plan(graph, bands, report["kernels"], report.get("weights_room_bytes"))
    document = inspect_document(report, graph, plan)
    if not terminal.is_stdout(json):
        terminal.out.print(size_table(document))
        terminal.out.print(operator_table(document))
        print_peak(document)
        terminal.out.print(parity_table(document))
        terminal.say(f"model sha256 {document['model_sha256']}")
    if json is not None:
        terminal.write_json(document, json)
