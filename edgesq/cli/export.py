"""`edgesq export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesq.choices import Layout
from edgesq.cli import terminal
from edgesq.cli.next_steps import next_steps
from edgesq.cli.tables import compression_table, print_parity, print_sizes, trial_table
from edgesq.extras import hide_unused
from edgesq.targets import Target, load_target

if TYPE_CHECKING:
    from edgesq.builds import CompressionFacts, ExportReport


def run(target: str, model: Path | None, out: Path, **options: Any) -> None:
    """Export and show sizes and parity; `options` are further ones of `edgesq.export`."""
    board = load_target(target)
    hide_unused()
    from edgesq.api.export import export

    with terminal.steps() as show:
        build = export(
            model,
            target=board,
            out=out,
            on_progress=lambda now: show(now.number, now.total, now.stage),
            **options,
        )
    _show(build.report, out, board)


def _show(report: "ExportReport", out: Path, board: Target) -> None:
    print_sizes(report)
    _show_compression(report.compression)
    print_parity(report.parity)
    if report.classes.names:
        terminal.say(f"classes: {report.classes}")
    for note in report.notes:
        terminal.say(f"import: {note}")
    if report.accuracy is not None:
        terminal.out.print(trial_table(report.accuracy))
    for warning in report.warnings:
        terminal.say(terminal.styled("warning:", "yellow"), f" {warning}", to=terminal.err)
    layout = report.request.layout
    if layout is not Layout.CMAKE:
        library = f"The library {report.model.c_name}_model is in {out / layout}"
        terminal.say(f"{library}; see its README.md.")
    first, *more = next_steps(layout, out / layout, out, board)
    terminal.say(f"Wrote {out}. Next: {first}")
    for step in more:
        terminal.say(f"then: {step}")


def _show_compression(facts: "CompressionFacts | None") -> None:
    if facts is None:
        return
    if facts.chosen is not None:
        terminal.out.print(compression_table(facts, facts.chosen))
        return
    terminal.say(
        f"Not compressed: it takes {facts.plain_bytes:,} B as it is, "
        f"{facts.goal_bytes:,} B are there"
    )
