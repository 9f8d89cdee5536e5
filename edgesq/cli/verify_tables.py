"""The tables of `edgesq verify`."""

from rich.table import Table

from edgesq.cli import terminal
from edgesq.cli.terminal import styled
from edgesq.verify import VerifyReport
from edgesq.verify.facts import DeviceFacts
from edgesq.verify.pace import rate_words
from edgesq.verify.report import LinkFacts

_MAX_CLASSES, _MAX_PAIRS = 12, 6
"""A confusion matrix of more classes is shown as the pairs confused most often."""


def summary(report: VerifyReport) -> Table:
    """Return what was found, in one column."""
    run, result, device, link = report.run, report.result, report.device, report.link
    table = terminal.table(f"{device.board} against {run.expected_by}", ["what"], ["value"])
    asked, stack = run.asked or 0, device.stack_bytes
    fewer = f" ({asked:,} asked for)" if asked > run.planned else ""
    clock = f"{device.core} at {device.clock_hz / 1e6:g} MHz"
    rows = {
        f"images ({run.images_from})": f"{run.images:,}{fewer}",
        "images equal bit for bit": f"{result.exact_images:,}",
        "values that differ": f"{result.differing_values:,} of {result.values:,}",
        "largest difference": f"{result.max_abs_lsb} LSB",
        "accuracy": _accuracy(report),
        "instructions per image": _instructions(report),
        "time per image on the board": _time(report),
        "deepest stack": "cannot tell" if stack is None else f"{stack:,} B",
        "arena in use": _arena(device),
        "kernels": device.kernels,
        "compiled by": device.build,
        "core": clock if device.core else "no Cortex-M",
        "link": f"{link.bytes_per_s:,.0f} B/s, {link.retries} retries, {link.resets} resets",
        "sent": f"{link.sent_bytes:,} B for {link.image_bytes:,} B of images",
        "line rate": _line(link),
        "image bytes": f"{link.pace.image_bytes_per_s:,.0f} B/s",
        "where the time went": link.pace.why,
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _line(link: LinkFacts) -> str:
    refused = [rate_words(rate) for rate in link.pace.rates if rate.outcome != "held"]
    if link.pace.line is None:
        said = "the line has no rate"
    else:
        said = f"image bytes at {link.line_share:.1%} of {link.baud:,} baud"
    return "; ".join([said, *refused])


def comparisons(report: VerifyReport) -> Table:
    """Return the board against every form of the model."""
    table = terminal.table(
        "the board against every form of the model",
        ["form", "values"],
        ["differ", "max LSB", "RMSE", "cosine", "SQNR", "top-1", "top-5"],
    )
    for row in report.comparisons:
        if not row.outputs:
            table.add_row(row.against, styled(row.note, "dim"))
        shares = row.top1_agreement, row.top5_agreement
        tops = ["" if share is None else f"{share:.1%}" for share in shares]
        for item in row.outputs:
            table.add_row(
                row.against if item is row.outputs[0] else "",
                item.output,
                f"{item.differing:,} of {item.values:,}",
                str(item.max_abs_lsb),
                f"{item.rmse:.2g}",
                "" if item.cosine is None else f"{item.cosine:.6f}",
                "exact" if item.sqnr_db is None else f"{item.sqnr_db:.1f} dB",
                *(tops if item is row.outputs[0] else ()),
            )
    return table


def boards(report: VerifyReport) -> Table:
    """Return what each of several boards did."""
    table = terminal.table(
        "boards that shared the images",
        ["port", "board", "state"],
        ["images", "ms per image", "retries", "resets"],
    )
    for row in report.boards:
        state = row.state if row.error is None else f"{row.state}: {row.error}"
        table.add_row(
            row.port,
            row.board or "",
            state,
            f"{row.images:,}",
            "" if row.device_us is None else f"{row.device_us / 1000:,.1f}",
            str(row.retries),
            str(row.resets),
        )
    return table


def confusion(report: VerifyReport) -> Table | None:
    """Return images by class and the board's class; None without labels."""
    if not report.accuracy.confusion:
        return None
    classes = 1 + max(max(pair[:2]) for pair in report.accuracy.confusion)
    if classes > _MAX_CLASSES:
        return _confused(report)
    counts = {pair[:2]: pair[2] for pair in report.accuracy.confusion}
    shown = range(classes)
    table = terminal.table("class, and what the board says", ["class"], list(map(str, shown)))
    for label in shown:
        cells = [(counts.get((label, said), 0), said == label) for said in shown]
        name = report.classes.name_of(label)
        table.add_row(
            str(label) if name == str(label) else f"{label} {name}",
            *(styled(str(n), "bold") if right else str(n or "") for n, right in cells),
        )
    return table


def _confused(report: VerifyReport) -> Table | None:
    if not report.accuracy.mistaken:
        return None
    name_of = report.classes.name_of
    table = terminal.table("confused most often", ["class", "the board says"], ["images"])
    for label, said, images in report.accuracy.mistaken[:_MAX_PAIRS]:
        table.add_row(name_of(label), name_of(said), str(images))
    return table


def _accuracy(report: VerifyReport) -> str:
    if report.accuracy.top1 is None:
        return f"none: {report.accuracy.why_not}"
    return f"{report.accuracy.top1:.1%}"


def _arena(device: DeviceFacts) -> str:
    used, planned = device.arena_bytes, device.arena_planned_bytes
    said = "cannot tell" if used is None else f"{used:,} B"
    return said if planned is None else f"{said} of {planned:,} B"


def _time(report: VerifyReport) -> str:
    device = report.device
    if device.us is None or device.us_p95 is None:
        return "differs by board, see below" if report.boards else "cannot tell"
    return f"{device.us / 1000:,.1f} ms, 95 % in {device.us_p95 / 1000:,.1f} ms"


def _instructions(report: VerifyReport) -> str:
    device = report.device
    if device.instructions is None:
        is_mixed = device.us is None and report.boards
        return "see the boards" if is_mixed else "cannot count"
    return f"{device.instructions:,}"
