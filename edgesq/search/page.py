"""A study as one HTML page that needs nothing but itself."""

from collections import defaultdict
from collections.abc import Callable
from typing import Literal

from edgesq.pages import Picture
from edgesq.pages.render import render
from edgesq.pages.studies import StudyPoint, study
from edgesq.search.planning import bounds
from edgesq.search.records import Needed, Row, StudyDocument
from edgesq.targets import Target

_Unit = Literal["bytes", "millions"]

_Axis = tuple[str, str, _Unit, Callable[[Needed], float]]

_FLASH: _Axis = (
    "Accuracy against flash",
    "whole firmware in flash",
    "bytes",
    lambda one: one.flash_bytes,
)
_AXES: dict[str, _Axis] = {
    "flash": _FLASH,
    "ram": ("Accuracy against RAM", "whole firmware in RAM", "bytes", lambda one: one.ram_bytes),
    "instructions": (
        "Accuracy against instructions",
        "instructions per image, estimated, millions",
        "millions",
        lambda one: one.instructions,
    ),
}
_CURVES = (
    ("squeeze_ratio", "The best network of each squeeze ratio"),
    ("pct_3x3", "The best network of each share of 3x3 filters"),
)


def page(document: StudyDocument, board: Target) -> str:
    """Return the page of a study."""
    rows = [row for row in document.rows if row.same_as is None]
    trained = _trained(document)
    return render(
        "edgesq.search",
        "study.html.j2",
        study=document,
        there=bounds(board, document.settings.limits),
        trained=trained,
        dropped=sum(row.outcome.state == "dropped" and row not in trained for row in rows),
        failed=[row for row in rows if row.outcome.state == "failed"],
        front=[row for number in document.front if (row := document.row(number))],
        charts=list(fronts(document).values()),
        curves=list(curves(document).values()),
        names=tuple(dict.fromkeys(name for row in trained for name in row.params)),
    )


def _trained(document: StudyDocument) -> list[Row]:
    return [
        row for row in document.rows if row.same_as is None and row.outcome.accuracy is not None
    ]


def fronts(document: StudyDocument) -> dict[str, Picture]:
    """Return accuracy against "flash", "ram" and "instructions"; none of a study without any."""
    trained = _trained(document)
    return {
        name: study(
            heading,
            label,
            unit,
            [_point(row, taken, is_best=row.number in document.front) for row in trained],
        )
        for name, (heading, label, unit, taken) in _AXES.items()
        if trained
    }


def curves(document: StudyDocument) -> dict[str, Picture]:
    """Return the paper's two curves, size against accuracy, of the best network of each value.

    By "squeeze_ratio" and "pct_3x3", as far as the study has more than one value.
    """
    found = {}
    trained = _trained(document)
    _, label, unit, taken = _FLASH
    for name, heading in _CURVES:
        by_value: dict[float, list[Row]] = defaultdict(list)
        for row in trained:
            value = row.params.get(name)
            if isinstance(value, int | float):
                by_value[value].append(row)
        if len(by_value) < 2:
            continue
        best = {value: max(rows, key=_accuracy).number for value, rows in by_value.items()}
        points = [
            _point(row, taken, label=f"{value:g}", is_best=row.number == best[value])
            for value, rows in by_value.items()
            for row in rows
        ]
        found[name] = study(heading, label, unit, points)
    return found


def _accuracy(row: Row) -> float:
    return row.outcome.accuracy or 0.0


def _point(
    row: Row, taken: Callable[[Needed], float], label: str = "", *, is_best: bool
) -> StudyPoint:
    needed = row.outcome.needed
    assert needed is not None
    chosen = ", ".join(f"{name} {value}" for name, value in row.params.items())
    title = (
        f"trial {row.number}: {_accuracy(row):.1%}, flash {needed.flash_bytes:,} B, "
        f"RAM {needed.ram_bytes:,} B, {needed.instructions / 1e6:,.3g} M instructions; {chosen}"
    )
    return StudyPoint(taken(needed), _accuracy(row), title, label, is_best)
