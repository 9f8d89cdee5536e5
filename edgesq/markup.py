"""HTML of results for notebooks: tables of escaped text, without scripts and without a network."""

from collections.abc import Iterable, Sequence
from html import escape

from edgesq.errors import printable

_LEFT, _RIGHT = ' style="text-align:left"', ' style="text-align:right"'


def table(
    title: str, rows: Iterable[Sequence[object]], columns: Sequence[str] = (), left: int = 1
) -> str:
    """Return a table.

    Args:
        title: above it.
        rows: what stands in each; None leaves a cell empty, whole numbers get their commas.
        columns: their heads; none for a table without.
        left: how many columns hold words, which begin at the left; numbers follow.
    """
    head = "".join(_cell(name, "th", place < left) for place, name in enumerate(columns))
    body = "".join(
        "<tr>"
        + "".join(_cell(cell, "td", place < left) for place, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    caption = f'<caption style="text-align:left;font-weight:bold">{text(title)}</caption>'
    return f"<table>{caption}{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def text(said: object) -> str:
    """Return what a value is called, escaped."""
    if said is None:
        return ""
    is_count = isinstance(said, int) and not isinstance(said, bool)
    return escape(printable(f"{said:,}" if is_count else str(said)))


def lines(said: Iterable[object]) -> str:
    """Return a paragraph of escaped lines; nothing for none."""
    shown = "<br>".join(map(text, said))
    return f"<p>{shown}</p>" if shown else ""


def _cell(said: object, tag: str, is_left: bool) -> str:
    return f"<{tag}{_LEFT if is_left else _RIGHT}>{text(said)}</{tag}>"
