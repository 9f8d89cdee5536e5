"""Numbers as C initialisers, and the templates they go into."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from string import Template

from edgesq.resources import resource

_PER_LINE = 24
_PLAIN = frozenset(range(ord(" "), ord("~") + 1)) - frozenset(b'"\\?')
"""What a C string literal holds as it is; two question marks could begin a trigraph."""


@cache
def template(name: str) -> Template:
    """Return firmware/template/data/NAME.in."""
    return Template((resource("firmware") / "template" / "data" / f"{name}.in").read_text())


def comment(name: str) -> str:
    """Return a model's name for something as text that cannot end a C comment."""
    return re.sub(r"[^ -)+-~]", "_", name)


def string(text: str) -> str:
    """Return a text as a C string literal: UTF-8, what is not plain ASCII in octal."""
    content = text.encode(errors="backslashreplace")
    chars = (chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in content)
    return f'"{"".join(chars)}"'


def class_names(names: Sequence[str], prefix: str) -> str:
    """Return a model's class names as C; nothing without.

    Args:
        names: by number.
        prefix: what the model's macros begin with.
    """
    if not names:
        return ""
    listed = row(map(string, names))
    return template("classes.h").substitute(NAME=prefix, class_count=len(names), class_names=listed)


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
