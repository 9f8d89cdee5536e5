"""Records: frozen dataclasses that stand in JSON files, read and written by their types.

msgspec holds every value against its type and range. It crashes on a union of a tuple of fixed
length and an integer with a range (0.23): no record has one.
"""

import dataclasses
import inspect
import json
import re
import typing
from abc import ABC, abstractmethod
from typing import Annotated, Any, Self, TypeVar

import msgspec

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]
"""Bytes, values, images, multiply-accumulates."""

Part = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A share of images or values."""

Positive = Annotated[float, msgspec.Meta(ge=0)]
Lsb = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
"""A difference in quantization steps of an int8 or int16 tensor."""

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""In hex."""

_MAX_WORDS = 200
_MAX_NUMBER = (1 << 63) - 1
_PLACE = re.compile(r" - at (?:`key` in )?`\$([^`]*)`\Z")
_MISSING = re.compile(r"Object missing required field `(.*)`")


class Packed(ABC):
    """Whole numbers from 0 on that a record holds in less memory than JSON's list of them."""

    @abstractmethod
    def numbers(self) -> list[int]:
        """Return them as JSON has them."""

    @classmethod
    @abstractmethod
    def of(cls, numbers: list[int]) -> Self:
        """Return what `numbers` was made from.

        Raises:
            ValueError: they are not as many as they must be.
        """


def made(kind: type[T], value: Any, place: str = "") -> T:
    """Return the record that `value` was written from; keys that it does not have are left alone.

    Args:
        kind: a dataclass.
        value: what JSON or TOML gives: dicts, lists, strings, numbers, None.
        place: of the value in its file, "" for the whole.

    Raises:
        ValueError: a value is missing or of another type or range; the message is a clause that
            names its place, as in "key 'parity.rows[2].images': expected int, got str".
    """
    try:
        return msgspec.convert(value, kind, str_keys=True, dec_hook=_packed)
    except msgspec.ValidationError as error:
        raise ValueError(_clause(str(error), place)) from error


def plain(record: Any) -> Any:
    """Return a record as dicts, lists, strings, numbers and None, which `made` takes."""
    return msgspec.to_builtins(record, str_keys=True, enc_hook=lambda packed: packed.numbers())


def json_text(record: Any) -> str:
    """Return a record as JSON, one value a line; of characters that are not UTF-8 the codes."""
    return json.dumps(plain(record), indent=1) + "\n"


def _packed(kind: type[Packed], value: Any) -> Packed:
    return kind.of(made(_NUMBERS, value))


_NUMBERS: Any = list[Annotated[int, msgspec.Meta(ge=0, le=_MAX_NUMBER)]]


def _clause(complaint: str, place: str) -> str:
    found = _PLACE.search(complaint)
    what, path = _PLACE.sub("", complaint), place + (found[1] if found else "")
    missing = _MISSING.fullmatch(what)
    if missing:
        return f"key '{f'{path}.{missing[1]}'.lstrip('.')}' is missing"
    words = what.replace("`", "")[:_MAX_WORDS]
    words = words[:1].lower() + words[1:]
    return f"key '{path.lstrip('.')}': {words}" if path else words


def schema(kind: type) -> dict[str, Any]:
    """Return the JSON schema of a record; docstrings say what its keys are."""
    (top,), parts = msgspec.json.schema_components((kind,), schema_hook=_packed_schema)
    for one in _records_in(kind, {}).values():
        words = inspect.getdoc(one) or ""
        found = parts[one.__name__]
        found["description"] = words.partition("\n\n")[0]
        for names, said in _ATTRIBUTE.findall(words.partition("Attributes:\n")[2]):
            text = " ".join(said.split()).replace("None", "null")
            for name in names.split(", "):
                found["properties"][name]["description"] = text[:1].upper() + text[1:]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **top, "$defs": parts}


_ATTRIBUTE = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n        .*)*)", re.MULTILINE)


def _packed_schema(_: type) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": _MAX_NUMBER}}


def _records_in(kind: Any, found: dict[str, type]) -> dict[str, type]:
    """Collect the records that a type is made of, by name."""
    if dataclasses.is_dataclass(kind) and kind.__name__ not in found:  # type: ignore[union-attr]
        found[kind.__name__] = kind  # type: ignore[union-attr, assignment]
        for part in typing.get_type_hints(kind).values():
            _records_in(part, found)
    for part in typing.get_args(kind):
        _records_in(part, found)
    return found
