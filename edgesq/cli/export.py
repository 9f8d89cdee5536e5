"""`edgesq export`."""

from enum import Enum
from pathlib import Path
from typing import Any

from edgesq.cli import terminal
from edgesq.cli.tables import parity_table, size_table, trial_table
from edgesq.project import Format
from edgesq.targets import Target, load_target


class Runtime(Enum):
    """What computes on the board."""

    EDGESQ = "edgesq"
    TFLM = "tflm"


def run(target: str, runtime: Runtime, model: Path | None, out: Path, **options: Any) -> None:
    """Export and show sizes and parity; `options` are further fields of ExportOptions."""
    board = load_target(target)
    from edgesq.export import ExportOptions, around_tflm, export, stage_count

    if runtime is Runtime.TFLM:
        board = around_tflm(board)
    with terminal.stages(stage_count(model, options["optimize_accuracy"])) as on_stage:
        chosen = ExportOptions(model=model, target=board, out=out, **options)
        report = export(chosen, on_stage)
    _show(report, out, board)


def _show(report: dict[str, Any], out: Path, board: Target) -> None:
    terminal.out.print(size_table(report))
    terminal.out.print(parity_table(report))
    for note in report["import"]:
        terminal.out.print(f"import: {note}", soft_wrap=True)
    if report["accuracy"] is not None:
        terminal.out.print(trial_table(report["accuracy"]))
    for warning in report["warnings"]:
        terminal.err.print(f"[yellow]warning:[/] {warning}", soft_wrap=True)
    if report["format"] != Format.CMAKE.value:
        library = f"The library {report['name']}_model is in {out / report['format']}"
        terminal.out.print(f"{library}; see its README.md.", soft_wrap=True)
    build = "" if str(out) == "build/edgesq" else f" --build {out}"
    step = f"edgesq flash{build}"
    if board.is_library:
        step = f"build and flash its verify example, then edgesq verify{build} --port PORT"
    terminal.out.print(f"Wrote {out}. Next: {step}", soft_wrap=True)
