"""`edgesq inspect`."""

from pathlib import Path

from edgesq.cli import terminal
from edgesq.cli.documents import inspect_document
from edgesq.cli.plan import operator_table, print_peak
from edgesq.cli.tables import print_parity, size_table


def run(build: Path, json: Path | None) -> None:
    """Print a build's sizes, its operators with their memory, and its parity table."""
    from edgesq.export import TFLITE, planned, read_model, read_report
    from edgesq.formats.tflite import read_graph

    terminal.check_json(json)
    report = read_report(build)
    graph = read_graph(read_model(build), str(build / TFLITE))
    chosen = planned(report, graph)
    document = inspect_document(report, graph, None if chosen is None else chosen.plan)
    if not terminal.is_stdout(json):
        terminal.out.print(size_table(report))
        if chosen is not None:
            terminal.out.print(operator_table(document))
            print_peak(document)
        print_parity(report.parity)
        terminal.say(f"model sha256 {report.model.sha256}")
    if json is not None:
        terminal.write_json(document, json)
