"""Templates of C files, and texts that go into them."""

from collections.abc import Sequence
from functools import cache
from string import Template

import numpy as np

from edgesq.calibrate import judge_of
from edgesq.graph import Graph
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


def real32(value: float) -> str:
    """Return a float32 as a C literal that reads back as the same; C++ before 17 takes it too."""
    return f"{np.float32(value)!s}f"


def class_names(graph: Graph, names: Sequence[str], prefix: str) -> str:
    """Return how many classes a model tells apart, and their names, as C; nothing without classes.

    Args:
        graph: the model.
        names: by number; classes beyond the last are named by their number, without any none is.
        prefix: what the model's macros begin with.
    """
    judge = judge_of(graph)
    if isinstance(judge, str):
        return ""
    every = [*names, *map(str, range(len(names), judge.classes))]
    named = template("class_names.h").substitute(NAME=prefix, names=row(map(string, every)))
    counted = template("classes.h").substitute(
        NAME=prefix, count=judge.classes, names=named if names else ""
    )
    return f"{counted.rstrip()}\n"
