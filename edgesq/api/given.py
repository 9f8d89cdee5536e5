"""What callers may give: paths as text or Path, choices by name, class names."""

import os
from collections.abc import Iterable, Sequence
from enum import Enum
from numbers import Integral, Real
from pathlib import Path
from typing import TypeVar

from edgesq.calibrate import Classes, read_classes
from edgesq.calibrate.classes import declared_classes
from edgesq.errors import EdgesqError, ImageError, did_you_mean
from edgesq.limits import MAX_COUNT

StrPath = str | os.PathLike[str]
ClassNames = StrPath | Sequence[str]
"""A file of class names, as `--classes` takes it, or the names in the model's order."""

Choice = TypeVar("Choice", bound=Enum)


def path_of(path: StrPath | None) -> Path | None:
    """Return a path as Path; None for none."""
    return None if path is None else Path(path)


def classes_of(given: ClassNames | None) -> Classes | None:
    """Return what classes are declared; None for none.

    Raises:
        ImageError: the file cannot be read, or they are no class names.
    """
    if given is None:
        return None
    if isinstance(given, str | os.PathLike):
        return read_classes(Path(given))
    try:
        return declared_classes(list(given), "by the caller")
    except ValueError as error:
        raise ImageError(f"are no classes: {error}", where="classes") from error


def chosen(kind: type[Choice], given: Choice | str, name: str) -> Choice:
    """Return a choice by its value.

    Raises:
        EdgesqError: there is none of that value.
    """
    values = {one.value: one for one in kind}
    value = given.value if isinstance(given, kind) else given
    if value not in values:
        raise EdgesqError(f"is not {given!r}", where=name, hint=did_you_mean(str(given), values))
    return values[value]


def within(value: float | None, low: float, high: float, name: str) -> None:
    """Refuse what is no number, or out of its range.

    Raises:
        EdgesqError: it is.
    """
    if value is not None and not (isinstance(value, Real) and low <= value <= high):  # nan is not
        raise EdgesqError(f"is {value!r}", where=name, hint=f"from {low:,} to {high:,}")


def check_count(value: int | None, name: str) -> None:
    """Refuse what is no whole number from 1 on, or too large.

    Raises:
        EdgesqError: it is.
    """
    if value is not None and not isinstance(value, Integral):
        raise EdgesqError(f"is {value!r}", where=name, hint="a whole number, from 1 on")
    within(value, 1, MAX_COUNT, name)


def several(texts: Sequence[str], name: str) -> tuple[str, ...]:
    """Return texts; one alone is refused, since its characters would be taken for them.

    Raises:
        EdgesqError: it is one alone, or something else.
    """
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise EdgesqError(f"is {texts!r}", where=name, hint="give a list of them")
    found = tuple(texts)
    for one in found:
        if not isinstance(one, str):
            raise EdgesqError(f"holds {one!r}", where=name, hint="give texts")
    return found
