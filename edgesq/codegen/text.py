"""Numbers as C initialisers, and the templates they go into."""

import re
from collections.abc import Iterable
from functools import cache
from string import Template

from edgesq.resources import resource

_PER_LINE = 24


@cache
def template(name: str) -> Template:
    """Return firmware/template/data/NAME.in."""
    return Template((resource("firmware") / "template" / "data" / f"{name}.in").read_text())


def comment(name: str) -> str:
    """Return a model's name for something as text that cannot end a C comment."""
    return re.sub(r"[^ -)+-~]", "_", name)


def row(values: Iterable[object]) -> str:
    """Return the values on one line, separated by commas."""
    return ", ".join(str(value) for value in values)


def rows(values: Iterable[int]) -> str:
    """Return integers as indented lines of an initialiser."""
    return _lines(str(value) for value in values)


def hex_rows(values: Iterable[int]) -> str:
    """Return words of 32 bits likewise, in hex."""
    return _lines(f"0x{value:08x}" for value in values)


def hex_bytes(values: Iterable[int]) -> str:
    """Return bytes likewise, in hex."""
    return _lines(f"0x{value:02x}" for value in values)


def _lines(values: Iterable[str]) -> str:
    texts = list(values)
    lines = (texts[start : start + _PER_LINE] for start in range(0, len(texts), _PER_LINE))
    return "\n".join(f"    {', '.join(line)}," for line in lines)
