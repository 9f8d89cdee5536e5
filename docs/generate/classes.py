"""Fields of a class: what its docstring says of each, and what it is where it is left out."""

import dataclasses
import inspect
import re
from collections.abc import Callable

from generate.markdown import code, plain, table

_FIELD = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n        .*)*)", re.M)


def fields(cls: type) -> Callable[[], str]:
    """Return what makes a row for each field of a dataclass."""

    def part() -> str:
        said = {
            name: " ".join(words.split())
            for names, words in _FIELD.findall(_attributes(cls))
            for name in names.split(", ")
        }
        rows = [
            [code(one.name), plain(said[one.name]), _default(one.default)]
            for one in dataclasses.fields(cls)
        ]
        return table(("key", "what it is", "if left out"), rows)

    return part


def _attributes(cls: type) -> str:
    return (inspect.getdoc(cls) or "").partition("Attributes:\n")[2]


def _default(value: object) -> str:
    if value in (None, "", dataclasses.MISSING):
        return ""
    return code(f"{value:.6g}" if isinstance(value, float) else str(value))
