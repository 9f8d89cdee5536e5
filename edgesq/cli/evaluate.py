"""`edgesq evaluate`."""

from pathlib import Path
from typing import Any

from rich.table import Table

from edgesq.accuracy import AccuracyReport, Share
from edgesq.api.evaluating import evaluated
from edgesq.calibrate import Classes
from edgesq.cli import terminal
from edgesq.records import plain

_MAX_CLASSES = 12


def run(build: Path, ports: tuple[str, ...], path: Path | None, **given: Any) -> None:
    """Judge, show, and write the report if asked for; `given` says which images."""
    terminal.check_json(path)
    with terminal.counter("verify" if ports else "evaluate") as on_progress:
        report = evaluated(build, ports, on_progress=on_progress, **given)
    if not terminal.is_stdout(path):
        _show(report)
    for note in report.notes:
        terminal.say(terminal.styled("note:", "yellow"), f" {note}", to=terminal.err)
    if path is not None:
        terminal.write_json(plain(report), path)


def _show(report: AccuracyReport) -> None:
    terminal.out.print(_forms(report))
    if report.classes:
        terminal.out.print(_classes(report))
    if report.layers:
        terminal.out.print(_layers(report))
    if report.class_names:
        terminal.say(f"classes: {Classes(report.class_names, report.classes_by)}")


def _forms(report: AccuracyReport) -> Table:
    table = terminal.table(
        f"{report.images:,} labelled images, 95 % intervals",
        ["form"],
        ["top-1", "", "top-5", "", "float's class", "KL to float"],
    )
    for row in report.forms:
        table.add_row(
            row.form,
            *_share(row.top1),
            *(_share(row.top5) if row.top5 else ("", "")),
            "" if row.agreement is None else f"{row.agreement:.1%}",
            "" if row.kl is None else f"{row.kl:.5f}",
        )
    return table


def _share(value: Share) -> tuple[str, str]:
    return f"{value.share:.1%}", f"{value.low:.1%} to {value.high:.1%}"


def _classes(report: AccuracyReport) -> Table:
    table = terminal.table(
        "classes that change most", ["class"], ["images", "float right", "int8 right", "drop"]
    )
    changed = [row for row in report.classes if row.float_right != row.int8_right]
    for row in changed[:_MAX_CLASSES]:
        drop = (row.float_right - row.int8_right) / row.images
        table.add_row(
            row.name or str(row.label),
            str(row.images),
            str(row.float_right),
            str(row.int8_right),
            f"{drop:+.1%}",
        )
    if not changed:
        table.add_row("none", "", "", "", "")
    return table


def _layers(report: AccuracyReport) -> Table:
    table = terminal.table(
        f"noise by layer, on {report.layer_images} images; {report.hurts} alone costs most",
        ["layer"],
        ["SQNR so far", "SQNR of its own", "KL by it alone", "cut off"],
    )
    for row in report.layers:
        table.add_row(
            row.name,
            *("exact" if db is None else f"{db:.1f} dB" for db in (row.sqnr_db, row.own_sqnr_db)),
            f"{row.own_kl:.6f}",
            f"{row.clipped:.3%}",
            style="bold" if row.name == report.hurts else None,
        )
    return table
