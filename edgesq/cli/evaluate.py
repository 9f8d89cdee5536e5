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
    if report.forms:
        terminal.out.print(_forms(report))
    if report.classes:
        terminal.out.print(_classes(report))
    if report.maps:
        terminal.out.print(_maps(report))
        terminal.out.print(_map_classes(report))
    if report.outputs:
        terminal.out.print(_outputs(report))
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


def _maps(report: AccuracyReport) -> Table:
    table = terminal.table(
        f"{report.images:,} images with label maps",
        ["form"],
        ["mean IoU", "pixels right", "float's class"],
    )
    for row in report.maps:
        shares = (row.mean_iou, row.pixels_right, row.agreement)
        table.add_row(row.form, *map(_percent, shares))
    return table


def _map_classes(report: AccuracyReport) -> Table:
    table = terminal.table("IoU by class", ["class"], ["pixels", "float", "int8"])
    for row in report.map_classes[:_MAX_CLASSES]:
        name = row.name or str(row.label)
        table.add_row(name, f"{row.pixels:,}", *map(_percent, (row.float_iou, row.int8_iou)))
    return table


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _outputs(report: AccuracyReport) -> Table:
    table = terminal.table(
        f"raw outputs of {report.images:,} images",
        ["output", "form", "against"],
        ["values", "same level", "mean steps", "most", "SQNR"],
    )
    for row in report.outputs:
        table.add_row(
            *(row.output, row.form, row.against, f"{row.values:,}"),
            *(_percent(row.equal), f"{row.mean_steps:.3f}", f"{row.max_steps:.1f}"),
            "" if row.sqnr_db is None else f"{row.sqnr_db:.1f} dB",
        )
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
