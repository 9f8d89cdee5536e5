"""What callers may give: paths as text or Path, choices by name, class names."""

import os
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TypeVar

from edgesq.calibrate import Classes, read_classes
from edgesq.calibrate.classes import declared_classes
from edgesq.errors import EdgesqError, ImageError, did_you_mean

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
    """Refuse a number that is out of its range, or is none.

    Raises:
        EdgesqError: it is.
    """
    if value is not None and not low <= value <= high:  # nan is not either
        raise EdgesqError(f"is {value}", where=name, hint=f"from {low:,} to {high:,}")
