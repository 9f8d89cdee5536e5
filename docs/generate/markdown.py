"""Markdown: tables, and text that must not become marks."""

from collections.abc import Iterable, Sequence

Row = Sequence[str]


def table(header: Row, rows: Iterable[Row]) -> str:
    """Return a table; cells are Markdown, their lines joined."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines) + "\n"


def cell(text: str) -> str:
    """Return text that may stand in a cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Return text as code, "" for none."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """Return text with the marks of Markdown and HTML as what they are."""
    for mark in "\\*_[]<>#":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else f"&{_NAMES[mark]};")
    return text


_NAMES = {"<": "lt", ">": "gt"}
