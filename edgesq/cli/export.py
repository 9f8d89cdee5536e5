"""`edgesq export`."""

from pathlib import Path
from typing import Any

from edgesq.cli import terminal
from edgesq.cli.tables import parity_table, size_table
from edgesq.plan import Goal
from edgesq.project import Format
from edgesq.targets import load_target


def run(
    model: Path | None,
    target: str,
    calibration: Path | None,
    out: Path,
    layout: Format,
    name: str | None,
    goal: Goal,
    ram_limit: int | None,
    strict: bool,
) -> None:
    """Export and show sizes and parity."""
    board = load_target(target)
    from edgesq.export import ExportOptions, export, stage_count

    with terminal.stages(stage_count(model)) as on_stage:
        options = ExportOptions(
            model, calibration, board, out, goal, ram_limit, name, layout, strict
        )
        report = export(options, on_stage)
    _show(report, out)


def _show(report: dict[str, Any], out: Path) -> None:
    terminal.out.print(size_table(report))
    terminal.out.print(parity_table(report))
    for warning in report["warnings"]:
        terminal.err.print(f"[yellow]warning:[/] {warning}", soft_wrap=True)
    if report["format"] != Format.CMAKE.value:
        library = f"The library {report['name']}_model is in {out / report['format']}"
        terminal.out.print(f"{library}; see its README.md.", soft_wrap=True)
    build = "" if str(out) == "build/edgesq" else f" --build {out}"
    terminal.out.print(f"Wrote {out}. Next: edgesq flash{build}", soft_wrap=True)
