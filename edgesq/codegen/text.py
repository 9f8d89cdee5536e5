"""Templates of C files, and texts that go into them."""

from collections.abc import Sequence
from functools import cache
from string import Template

from edgesq.kernels.initializer import row
from edgesq.resources import resource

_PLAIN = frozenset(range(ord(" "), ord("~") + 1)) - frozenset(b'"\\?')
"""What a C string literal holds as it is; two question marks could begin a trigraph."""


@cache
def template(name: str) -> Template:
    """Return firmware/template/data/NAME.in."""
    return Template((resource("firmware") / "template" / "data" / f"{name}.in").read_text())


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
