"""`edgesq verify`."""

from pathlib import Path
from typing import Any

import typer

from edgesq.api.verifying import verify_build
from edgesq.cli import terminal
from edgesq.cli.inside import print_inside
from edgesq.cli.terminal import styled
from edgesq.verify import Outlook, VerifyReport

_MOMENT_S = 5.0


def run(
    build: Path, ports: tuple[str, ...], images: Path | None, count: int | None, **options: Any
) -> None:
    """Stream, compare, show; exit 1 where a value differs; `options` as `VerifyArguments` says."""
    with terminal.counter("verify") as on_progress:
        result = verify_build(
            build,
            ports,
            images,
            count,
            on_progress=on_progress,
            on_partial=_leave,
            on_start=_announce,
            **options,
        )
    _show(result)


def _announce(outlook: Outlook) -> None:
    """Before it streams, say how long it will take, where that is more than a moment."""
    if outlook.seconds > _MOMENT_S:
        terminal.say(str(outlook), to=terminal.err)


def _leave(report: VerifyReport, path: Path) -> None:
    """Where it was ended, or the boards went away, say how far it came."""
    terminal.say(
        f"{report.run.images:,} of {report.run.planned:,} images are in {path}; "
        "the same command with --resume goes on from there",
        to=terminal.err,
    )


def _show(result: VerifyReport) -> None:
    for table in result.tables:
        terminal.print_table(table)
    if result.classes.names:
        terminal.say(f"classes: {result.classes}")
    for note in result.notes:
        terminal.say(styled("note:", "yellow"), f" {note}", to=terminal.err)
    for warning in result.warnings:
        terminal.say(styled("It could be faster", "yellow"), f": {warning}.")
    print_inside(result)
    if not result.equal:
        terminal.say(styled("The board differs from the host.", "bold red"))
    else:
        exact = f": {result.device.title} computes exactly what {result.run.expected_by} does."
        terminal.say(styled("0 differing values", "bold green"), exact)
    for one in result.thresholds:
        said = styled("violated:", "bold red") if one.violated else styled("holds:", "green")
        terminal.say(said, f" {one}")
    if not result.passed:
        raise typer.Exit(terminal.EXIT_DIFFERENT)
