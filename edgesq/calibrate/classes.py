"""Which number a class has: as somebody declares, else by the names of the class folders as text.

Text is how Keras' `image_dataset_from_directory` and torchvision's `ImageFolder` sort them.
"""

import difflib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgesq.errors import ImageError, printable
from edgesq.files import read_bytes
from edgesq.limits import MAX_TEXT_BYTES

_MAX_SHOWN = 12
_MAX_NAME_LENGTH = 1024
_BY_TEXT = "by the names of the class folders, sorted as text"
_HINT = 'one name a line, or JSON: a list of names, or {"name": number} from 0 on'


@dataclass(frozen=True)
class Classes:
    """The classes of a model, or of a set of images. The field names are the report's keys.

    Attributes:
        names: by number; empty where nobody says. Each is printable and on one line.
        said_by: who says so, in words.
        is_declared: whether somebody declared them, so that they are not folder names alone.
    """

    names: tuple[str, ...] = ()
    said_by: str = ""
    is_declared: bool = False

    def __str__(self) -> str:
        """Return the mapping in a line, shortened where there are many."""
        shown = [f"{number} {name}" for number, name in enumerate(self.names)]
        if len(shown) > _MAX_SHOWN:
            shown = [*shown[: _MAX_SHOWN - 2], "...", shown[-1]]
        return f"{', '.join(shown)} ({self.said_by})"

    def name_of(self, number: int) -> str:
        """Return the name of a class, or its number where nobody says."""
        return self.names[number] if number < len(self.names) else str(number)

    def check(self) -> None:
        """Hold names of others against what an export writes.

        Raises:
            ValueError: they are no such names; the message is a clause.
        """
        if self.names:
            _names(self.names)
        if any(printable(text) != text for text in (*self.names, self.said_by)):
            raise ValueError("names of classes are not printable")


def declared_classes(value: Any, said_by: str) -> Classes:
    """Return the classes that JSON declares: names in order, or numbers by name.

    Raises:
        ValueError: it declares none; the message is a clause.
    """
    return Classes(_names(value), said_by, is_declared=True)


def read_classes(path: Path) -> Classes:
    """Read a file of class names: one a line, or JSON as `declared_classes` takes it.

    Raises:
        ImageError: it cannot be read, or declares no classes.
    """
    text = read_text(path, _HINT)
    try:
        value = json.loads(text) if text.lstrip()[:1] in ("{", "[") else _lines(text)
        return declared_classes(value, f"by {printable(path.name)}")
    except RecursionError as error:
        raise ImageError("is nested too deeply", where=str(path), hint=_HINT) from error
    except ValueError as error:
        raise ImageError(f"declares no classes: {error}", where=str(path), hint=_HINT) from error


def read_text(path: Path, hint: str) -> str:
    """Return a small UTF-8 text file.

    Raises:
        ImageError: it is missing, no file, too large, or not UTF-8.
    """
    try:
        content = read_bytes(path)
        if len(content) > MAX_TEXT_BYTES:
            raise ImageError(f"is larger than {MAX_TEXT_BYTES:,} B", where=str(path), hint=hint)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImageError("is not UTF-8 text", where=str(path), hint=hint) from error
    except OSError as error:
        raise ImageError(
            f"cannot be read: {error.strerror}", where=str(path), hint="check the path"
        ) from error


def number_folders(
    folders: Sequence[str], declared: Classes, built: Classes, root: Path
) -> tuple[Classes, tuple[str, ...]]:
    """Say which classes the class folders of an image folder are.

    Args:
        folders: their names, printable, sorted as text; all of them, empty ones too.
        declared: by an option, a manifest or the build; none where nobody did.
        built: those of a build's calibration folders, which hold where these folders are among
            them; none without.
        root: the image folder.

    Returns:
        The classes, and what to know of them.

    Raises:
        ImageError: a folder is none of the declared classes.
    """
    for name in folders if declared.names else ():
        if name not in declared.names:
            near = difflib.get_close_matches(name, declared.names, 1)
            raise ImageError(
                f"class folder {name} is none of the {len(declared.names):,} classes declared "
                f"{declared.said_by}",
                where=str(root),
                hint=f"is it {near[0]}?" if near else f"they are {declared}",
            )
    if declared.names:
        return declared, ()
    if built.names and set(folders) <= set(built.names):
        return built, ()
    notes = []
    if built.names:
        notes.append(
            "the class folders are not named as those that the model was calibrated with, so they "
            "are numbered by their own names"
        )
    natural = sorted(folders, key=_natural)
    if natural != list(folders):
        notes.append(
            f"class folders are numbered as text, as Keras and torchvision do: "
            f"{_first(folders)}; by value it would be {_first(natural)}: if the model was trained "
            "that way, declare it with --classes FILE"
        )
    return Classes(tuple(folders), _BY_TEXT), tuple(notes)


def check_count(classes: Classes, outputs: int) -> tuple[str, ...]:
    """Say where classes are not as many as a model tells apart.

    Raises:
        ImageError: more are declared than there are.
    """
    count = len(classes.names)
    if count > outputs and classes.is_declared:
        raise ImageError(
            f"{count:,} classes are declared {classes.said_by}, the model tells {outputs:,} apart",
            hint="declare the model's own classes, in its order",
        )
    if not count or count == outputs:
        return ()
    what = "classes are declared" if classes.is_declared else "class folders are there"
    words = f"{count:,} {what}, the model tells {outputs:,} apart"
    if count == outputs - 1:
        return (
            f"{words}: if its first one is a background class, declare that first with --classes "
            f"FILE; now {classes.names[0]} is number 0",
        )
    if count > outputs or classes.is_declared:
        return (words,)
    return (
        f"{words}: they are taken as the first {count:,}; declare all classes with --classes FILE "
        "if that is wrong",
    )


def _names(value: Any) -> tuple[str, ...]:
    """Return names by number from a list of names, or an object of numbers by name."""
    if isinstance(value, dict):
        value = _by_number(value)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("they are neither a list of names nor numbers by name")
    if not all(isinstance(name, str) and name.strip() for name in value):
        raise ValueError("a name is empty or no text")
    names = tuple(printable(name.strip()) for name in value)
    if max(map(len, names)) > _MAX_NAME_LENGTH:
        raise ValueError(f"a name is longer than {_MAX_NAME_LENGTH} characters")
    if len(set(names)) < len(names):
        raise ValueError(f"{Counter(names).most_common(1)[0][0]} is there twice")
    return names


def _by_number(value: dict[Any, Any]) -> list[Any]:
    """Return the names in the order of their numbers; {"0": "name"} is taken too."""
    pairs = [(number, name) for name, number in value.items()]
    if all(isinstance(name, str) for name, _ in pairs):
        pairs = [(int(number) if number.isdecimal() else number, name) for name, number in pairs]
    whole = all(type(number) is int for number, _ in pairs)
    if not whole or sorted(number for number, _ in pairs) != list(range(len(pairs))):
        raise ValueError(f"their numbers are not 0 to {len(pairs) - 1}, each once")
    return [name for _, name in sorted(pairs)]


def _lines(text: str) -> list[str]:
    lines = text.rstrip().split("\n")
    empty = next((number for number, line in enumerate(lines, 1) if not line.strip()), None)
    if empty is not None:
        raise ValueError(f"line {empty} is empty")
    return lines


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts numbers in names by value."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]


def _first(names: Sequence[str]) -> str:
    return ", ".join([*names[:5], *(["..."] if len(names) > 5 else [])])
