"""`edgesq inspect`."""

from pathlib import Path

from edgesq.cli import terminal
from edgesq.cli.plan import operator_table, print_peak
from edgesq.cli.tables import parity_table, size_table
from edgesq.plan import make_plan


def run(build: Path) -> None:
    """Print a build's sizes, its operators with their memory, and its parity table."""
    from edgesq.export import TFLITE, read_report
    from edgesq.formats.tflite import read_graph

    report = read_report(build)
    graph = read_graph((build / TFLITE).read_bytes(), str(build / TFLITE))
    bands = {int(height): rows for height, rows in report.get("bands", {}).items()}
    plan = make_plan(graph, bands, report["kernels"], report.get("weights_room_bytes"))
    terminal.out.print(size_table(report))
    terminal.out.print(operator_table(graph, plan))
    print_peak(plan)
    terminal.out.print(parity_table(report))
    terminal.out.print(f"model sha256 {report['model_sha256']}", soft_wrap=True)
