"""Records: frozen dataclasses that stand in JSON files, read and written by their types.

msgspec holds every value against its type and range. It crashes on a union of a tuple of fixed
length and an integer with a range (0.23): no record has one.
"""

import json
import re
from typing import Annotated, Any, TypeVar

import msgspec

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]
"""Bytes, values, images, multiply-accumulates."""

_MAX_WORDS = 200
_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`\Z")
_MISSING = re.compile(r"Object missing required field `(.*)`")


def made(kind: type[T], value: Any) -> T:
    """Return the record that `value` was written from; keys that it does not have are left alone.

    Args:
        kind: a dataclass.
        value: what JSON or TOML gives: dicts, lists, strings, numbers, None.

    Raises:
        ValueError: a value is missing or of another type or range; the message is a clause that
            names its place, as in "key 'parity.rows[2].images': expected int, got str".
    """
    try:
        return msgspec.convert(value, kind, str_keys=True)
    except msgspec.ValidationError as error:
        raise ValueError(_clause(str(error))) from error


def plain(record: Any) -> Any:
    """Return a record as dicts, lists, strings, numbers and None, which `made` takes."""
    return msgspec.to_builtins(record, str_keys=True)


def json_text(record: Any) -> str:
    """Return a record as JSON, one value a line; of characters that are not UTF-8 the codes."""
    return json.dumps(plain(record), indent=1) + "\n"


def _clause(complaint: str) -> str:
    place = _PLACE.search(complaint)
    what, path = _PLACE.sub("", complaint), place[1] if place else ""
    missing = _MISSING.fullmatch(what)
    if missing:
        return f"key '{'.'.join(filter(None, (path, missing[1])))}' is missing"
    words = what.replace("`", "")[:_MAX_WORDS]
    words = words[:1].lower() + words[1:]
    return f"key '{path}': {words}" if path else words
