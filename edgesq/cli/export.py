"""`edgesq export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesq.calibrate import read_classes
from edgesq.choices import Layout
from edgesq.cli import terminal
from edgesq.cli.choices import Fit, Runtime
from edgesq.cli.sizes import parse_size
from edgesq.cli.tables import compression_table, print_parity, size_table, trial_table
from edgesq.targets import Target, load_target

if TYPE_CHECKING:
    from edgesq.builds import CompressionFacts, ExportReport


def run(
    target: str,
    runtime: Runtime,
    model: Path | None,
    out: Path,
    *,
    classes: Path | None,
    fit: Fit | None,
    compress: str | None,
    max_drop: float,
    **options: Any,
) -> None:
    """Export and show sizes and parity; `options` are further fields of ExportOptions."""
    board = load_target(target)
    from edgesq.builds import Compression, ExportOptions, around_tflm, export

    options["classes"] = None if classes is None else read_classes(classes)
    options["fit"] = None if fit is None else fit.value
    wanted = None if compress is None else Compression(parse_size(compress), max_drop)

    if runtime is Runtime.TFLM:
        board = around_tflm(board)
    chosen = ExportOptions(model=model, target=board, out=out, compress=wanted, **options)
    with terminal.steps() as show:
        report = export(chosen, lambda stage: show(stage.number, stage.total, str(stage)))
    _show(report, out, board)


def _show(report: "ExportReport", out: Path, board: Target) -> None:
    terminal.out.print(size_table(report))
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
    step = terminal.on_build("flash", out)
    if board.is_library:
        verify = terminal.on_build("verify", out, "--port", "PORT")
        step = f"build and flash its verify example, then {verify}"
    terminal.say(f"Wrote {out}. Next: {step}")


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
