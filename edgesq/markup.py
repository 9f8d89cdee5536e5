"""Tables of results: data that the command line prints, and that a notebook shows as HTML.

The HTML is escaped text with inline style: no scripts, and nothing is fetched.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from edgesq.errors import printable


@dataclass(frozen=True)
class Shown:
    """A text with a style.

    Attributes:
        text: what is shown.
        style: "bold", "dim" or "green".
    """

    text: str
    style: str

    def __str__(self) -> str:
        return self.text


Cell = str | Shown

_STYLES = {"bold": "font-weight:bold", "dim": "opacity:0.6", "green": "color:green"}


@dataclass(frozen=True)
class Table:
    """A table: columns of text, then columns of numbers.

    Attributes:
        title: above it.
        left: heads of the columns of text.
        right: heads of the columns of numbers.
        rows: cells; a row may have fewer than there are columns.
    """

    title: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def _repr_html_(self) -> str:
        heads = (Shown(name, "bold") for name in (*self.left, *self.right))
        rows = "".join(map(self._row, ((*heads,), *self.rows)))
        title = f"<caption style='text-align:left'><b>{text(self.title)}</b></caption>"
        return f"<table>{title}{rows}</table>"

    def _row(self, cells: tuple[Cell, ...]) -> str:
        missing = len(self.left) + len(self.right) - len(cells)
        shown = (
            _cell(cell, "left" if place < len(self.left) else "right")
            for place, cell in enumerate((*cells, *[""] * missing))
        )
        return f"<tr>{''.join(shown)}</tr>"


def text(said: str) -> str:
    """Return a text of others, escaped."""
    return escape(printable(said))


def lines(said: Iterable[str]) -> str:
    """Return a paragraph of escaped lines; nothing for none."""
    shown = "<br>".join(map(text, said))
    return f"<p>{shown}</p>" if shown else ""


def shown_html(*parts: Table | None) -> str:
    """Return tables one below the other; None is left out."""
    return "".join(part._repr_html_() for part in parts if part is not None)


def _cell(cell: Cell, align: str) -> str:
    style = f"text-align:{align}"
    if isinstance(cell, Shown):
        style, cell = f"{style};{_STYLES[cell.style]}", cell.text
    return f"<td style='{style}'>{text(cell)}</td>"
