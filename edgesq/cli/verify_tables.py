"""The tables of `edgesq verify`."""

from rich.table import Table

from edgesq.cli import terminal
from edgesq.cli.terminal import styled
from edgesq.verify import VerifyReport

_MAX_CLASSES, _MAX_PAIRS = 12, 6
"""A confusion matrix of more classes is shown as the pairs confused most often."""


def summary(result: VerifyReport) -> Table:
    """Return what was found, in one column."""
    table = terminal.table(f"{result.board} against {result.expected_by}", ["what"], ["value"])
    asked = result.images_asked or 0
    fewer = f" ({asked:,} asked for)" if asked > result.images_planned else ""
    stack = result.device_stack_bytes
    rows = {
        f"images ({result.images_from})": f"{result.images:,}{fewer}",
        "images equal bit for bit": f"{result.bit_exact_images:,}",
        "values that differ": f"{result.differing_values:,} of {result.values:,}",
        "largest difference": f"{result.max_abs_lsb} LSB",
        "accuracy": _accuracy(result),
        "instructions per image": _instructions(result),
        "time per image on the board": _time(result),
        "deepest stack": "cannot tell" if stack is None else f"{stack:,} B",
        "arena in use": _arena(result),
        "kernels": result.kernels,
        "compiled by": result.build,
        "core": f"{result.core} at {result.clock_hz / 1e6:g} MHz" if result.core else "no Cortex-M",
        "link": f"{result.link_bytes_per_s:,.0f} B/s, {result.retries} retries, "
        f"{result.resets} resets",
        "line rate": _line(result),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _line(result: VerifyReport) -> str:
    if result.line_share > 1:
        return f"the line is not held to {result.baud:,} baud"
    return f"{result.line_share:.1%} of {result.baud:,} baud carried image bytes"


def comparisons(result: VerifyReport) -> Table:
    """Return the board against every form of the model."""
    table = terminal.table(
        "the board against every form of the model",
        ["form", "values"],
        ["differ", "max LSB", "RMSE", "cosine", "SQNR", "top-1", "top-5"],
    )
    for row in result.comparisons:
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


def boards(result: VerifyReport) -> Table:
    """Return what each of several boards did."""
    table = terminal.table(
        "boards that shared the images",
        ["port", "board", "state"],
        ["images", "ms per image", "retries", "resets"],
    )
    for row in result.boards:
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


def confusion(result: VerifyReport) -> Table | None:
    """Return images by class and the board's class; None without labels."""
    if not result.confusion:
        return None
    classes = 1 + max(max(pair[:2]) for pair in result.confusion)
    if classes > _MAX_CLASSES:
        return _confused(result)
    counts = {pair[:2]: pair[2] for pair in result.confusion}
    shown = range(classes)
    table = terminal.table("class, and what the board says", ["class"], list(map(str, shown)))
    for label in shown:
        cells = [(counts.get((label, said), 0), said == label) for said in shown]
        name = result.class_name(label)
        table.add_row(
            str(label) if name == str(label) else f"{label} {name}",
            *(styled(str(n), "bold") if right else str(n or "") for n, right in cells),
        )
    return table


def _confused(result: VerifyReport) -> Table | None:
    wrong = sorted((pair for pair in result.confusion if pair[0] != pair[1]), key=lambda p: -p[2])
    if not wrong:
        return None
    table = terminal.table("confused most often", ["class", "the board says"], ["images"])
    for label, said, images in wrong[:_MAX_PAIRS]:
        table.add_row(result.class_name(label), result.class_name(said), str(images))
    return table


def _accuracy(result: VerifyReport) -> str:
    if result.accuracy is None:
        return f"none: {result.no_accuracy}"
    return f"{result.accuracy:.1%}"


def _arena(result: VerifyReport) -> str:
    used, planned = result.device_arena_bytes, result.arena_planned_bytes
    said = "cannot tell" if used is None else f"{used:,} B"
    return said if planned is None else f"{said} of {planned:,} B"


def _time(result: VerifyReport) -> str:
    if result.device_us is None or result.device_us_p95 is None:
        return "differs by board, see below"
    return f"{result.device_us / 1000:,.1f} ms, 95 % in {result.device_us_p95 / 1000:,.1f} ms"


def _instructions(result: VerifyReport) -> str:
    if result.device_instructions is None:
        return "see the boards" if result.device_us is None else "cannot count"
    return f"{result.device_instructions:,}"
