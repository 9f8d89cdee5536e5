"""What a report shows as tables, on the command line and in a notebook."""

from collections.abc import Sequence

from edgesq.calibrate import Classes
from edgesq.markup import Cell, Shown, Table
from edgesq.verify.facts import (
    AccuracyFacts,
    BoardShare,
    Comparison,
    DeviceFacts,
    LinkFacts,
    ResultFacts,
    RunFacts,
)
from edgesq.verify.layers import Layers
from edgesq.verify.pace import rate_words
from edgesq.verify.profile import OperatorProfile
from edgesq.verify.thresholds import ThresholdResult

_MAX_CLASSES, _MAX_PAIRS = 12, 6
"""A confusion matrix of more classes is shown as the pairs confused most often."""


def summary(
    run: RunFacts,
    result: ResultFacts,
    accuracy: AccuracyFacts,
    device: DeviceFacts,
    link: LinkFacts,
    *,
    differs: bool = False,
) -> Table:
    """Return what was found; `differs` says that boards that are not alike shared the images."""
    asked, stack = run.asked or 0, device.stack_bytes
    fewer = f" ({asked:,} asked for)" if asked > run.planned else ""
    rows = {
        f"images ({run.images_from})": f"{run.images:,}{fewer}",
        "images equal bit for bit": f"{result.exact_images:,}",
        "values that differ": f"{result.differing_values:,} of {result.values:,}",
        "largest difference": f"{result.max_abs_lsb} LSB",
        "accuracy": _accuracy(accuracy),
        **_counted(device, differs),
        **_time(device, differs),
        "deepest stack": "cannot tell" if stack is None else f"{stack:,} B",
        "arena in use": _arena(device),
        "kernels": device.kernels,
        "compiled by": device.build,
        **({"core": device.core_at_clock} if device.core_at_clock else {}),
        "link": f"{link.bytes_per_s:,.0f} B/s, {link.retries} retries, {link.resets} resets",
        "sent": f"{link.sent_bytes:,} B for {link.image_bytes:,} B of images",
        "line rate": _line(link),
        "image bytes": f"{link.pace.image_bytes_per_s:,.0f} B/s",
        "where the time went": link.pace.why,
    }
    title = f"{device.title} against {run.expected_by}"
    return Table(title, ("what",), ("value",), tuple(rows.items()))


def comparisons(compared: Sequence[Comparison]) -> Table:
    """Return the board against every form of the model."""
    rows: list[tuple[Cell, ...]] = []
    for row in compared:
        if not row.outputs:
            rows.append((row.against, Shown(row.note, "dim")))
        shares = row.top1_agreement, row.top5_agreement
        tops = ["" if share is None else f"{share:.1%}" for share in shares]
        for item in row.outputs:
            cells = (
                row.against if item is row.outputs[0] else "",
                item.output,
                f"{item.differing:,} of {item.values:,}",
                str(item.max_abs_lsb),
                f"{item.rmse:.2g}",
                "" if item.cosine is None else f"{item.cosine:.6f}",
                "exact" if item.sqnr_db is None else f"{item.sqnr_db:.1f} dB",
                *(tops if item is row.outputs[0] else ()),
            )
            rows.append(cells)
    return Table(
        "the board against every form of the model",
        ("form", "values"),
        ("differ", "max LSB", "RMSE", "cosine", "SQNR", "top-1", "top-5"),
        tuple(rows),
    )


def boards(shares: Sequence[BoardShare]) -> Table:
    """Return what each of several boards did."""
    rows = tuple(
        (
            row.port,
            row.board or "",
            row.state if row.error is None else f"{row.state}: {row.error}",
            f"{row.images:,}",
            "" if row.device_us is None else f"{row.device_us / 1000:,.1f}",
            str(row.retries),
            str(row.resets),
        )
        for row in shares
    )
    return Table(
        "boards that shared the images",
        ("port", "board", "state"),
        ("images", "ms per image", "retries", "resets"),
        rows,
    )


def confusion(accuracy: AccuracyFacts, classes: Classes) -> Table | None:
    """Return images by class and the board's class; None without labels."""
    if not accuracy.confusion:
        return None
    count = 1 + max(max(pair[:2]) for pair in accuracy.confusion)
    if count > _MAX_CLASSES:
        return _confused(accuracy, classes)
    counts = {pair[:2]: pair[2] for pair in accuracy.confusion}
    rows: list[tuple[Cell, ...]] = []
    for label in range(count):
        name = classes.name_of(label)
        cells: list[Cell] = [str(label) if name == str(label) else f"{label} {name}"]
        for said in range(count):
            images = counts.get((label, said), 0)
            cells.append(Shown(str(images), "bold") if said == label else str(images or ""))
        rows.append(tuple(cells))
    heads = tuple(map(str, range(count)))
    return Table("class, and what the board says", ("class",), heads, tuple(rows))


def _confused(accuracy: AccuracyFacts, classes: Classes) -> Table | None:
    if not accuracy.mistaken:
        return None
    name_of = classes.name_of
    rows = tuple(
        (name_of(label), name_of(said), str(images))
        for label, said, images in accuracy.mistaken[:_MAX_PAIRS]
    )
    return Table("confused most often", ("class", "the board says"), ("images",), rows)


def thresholds(results: Sequence[ThresholdResult]) -> Table:
    """Return what became of thresholds."""
    rows = tuple(
        (Shown("violated", "bold") if one.violated else "holds", str(one)) for one in results
    )
    return Table("thresholds", ("", "what is not to be"), (), rows)


def difference(layers: Layers) -> Table:
    """Return the first operator that differs; there is one."""
    found = layers.difference
    assert found is not None
    place = (
        "none when it was run again" if found.first_index is None else str(list(found.first_index))
    )
    rows = {
        "operator": f"{found.name}, {found.kind}, number {found.operator} of {layers.operators}",
        "runs": found.function,
        "in image": str(found.image),
        "values that differ": f"{found.differing:,} of {found.values:,}",
        "largest difference": f"{found.max_abs_lsb} LSB",
        "first at [y, x, channel]": place,
    }
    if found.first_index is not None:
        rows |= {"  expected": str(found.expected), "  got": str(found.got)}
    return Table("the first operator that differs", ("what",), ("value",), tuple(rows.items()))


def profile(operators: Sequence[OperatorProfile]) -> Table:
    """Return what every operator takes."""
    first = operators[0]
    counts = first.instructions is not None or first.cycles is not None
    what = "microseconds"
    costs: list[float | None] = [operator.us for operator in operators]
    if first.instructions is not None:
        what, costs = "instructions", [operator.instructions for operator in operators]
    elif first.cycles is not None:
        what, costs = "cycles", [operator.cycles for operator in operators]
    per_mac = "per MAC" if counts else "ns per MAC"
    rows: list[tuple[Cell, ...]] = [
        (operator.kind, operator.name, *_cells(operator.macs, cost, operator.share, counts))
        for operator, cost in zip(operators, costs, strict=True)
    ]
    macs = sum(operator.macs for operator in operators)
    known = [cost for cost in costs if cost is not None]
    total = ("all", "", *_cells(macs, sum(known) if known else None, 1.0, counts))
    rows.append(tuple(Shown(cell, "bold") for cell in total))
    heads = ("MACs", what, "share", per_mac)
    return Table("operators on the board, medians", ("operator", "layer"), heads, tuple(rows))


def _cells(
    macs: int, cost: float | None, share: float | None, counts: bool
) -> tuple[str, str, str, str]:
    if cost is None or share is None:
        return f"{macs:,}" if macs else "", "cannot count", "", ""
    if not macs:
        return "", f"{cost:,.0f}", f"{share:.1%}", ""
    per_mac = cost / macs if counts else 1000 * cost / macs
    return f"{macs:,}", f"{cost:,.0f}", f"{share:.1%}", f"{per_mac:.3f}"


def _line(link: LinkFacts) -> str:
    refused = [rate_words(rate) for rate in link.pace.rates if rate.outcome != "held"]
    if link.pace.line is None:
        said = "the line has no rate"
    else:
        said = f"image bytes at {link.line_share:.1%} of {link.baud:,} baud"
    return "; ".join([said, *refused])


def _accuracy(accuracy: AccuracyFacts) -> str:
    return f"none: {accuracy.why_not}" if accuracy.top1 is None else f"{accuracy.top1:.1%}"


def _arena(device: DeviceFacts) -> str:
    used, planned = device.arena_bytes, device.arena_planned_bytes
    said = "cannot tell" if used is None else f"{used:,} B"
    return said if planned is None else f"{said} of {planned:,} B"


def _time(device: DeviceFacts, differs: bool) -> dict[str, str]:
    """Return the row of the time; none where an emulator's count stands for it."""
    if device.us is not None and device.us_p95 is not None:
        said = f"{device.us / 1000:,.1f} ms, 95 % in {device.us_p95 / 1000:,.1f} ms"
    elif device.estimated is not None:
        return {"time per image": device.estimated.words}
    elif device.instructions is not None or device.cycles is not None:
        return {}
    else:
        said = "differs by board, see below" if differs else "cannot tell"
    return {"time per image on the board": said}


def _counted(device: DeviceFacts, differs: bool) -> dict[str, str]:
    """Return the row of what the board counts."""
    if device.cycles is not None:
        return {"cycles per image, measured": f"{device.cycles:,}"}
    said = "differ by board" if differs else "cannot count"
    if device.instructions is not None:
        said = f"{device.instructions:,}"
    return {"instructions per image": said}
