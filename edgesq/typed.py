"""JSON of others, or what is to become JSON, as the types that we take it for, or a ValueError."""

import types
import typing
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")


def made(kind: type[T], value: Any) -> T:
    """Return the dataclass that `asdict` and JSON made `value` of; further keys are left alone.

    Raises:
        ValueError: it was not made of one; the message is a clause.
    """
    hints = typing.get_type_hints(kind)
    content = _of(dict, value)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    missing = [name for name in names if name not in content]
    if missing:
        raise ValueError(f"key '{missing[0]}' is missing")
    return kind(**{name: keyed(name, hints[name], content[name]) for name in names})


def simple_fields(kind: Any, value: Any) -> dict[str, Any]:
    """Return the counts and figures of a dataclass, its int and float fields, in their order.

    Raises:
        ValueError: one is missing, or of another type.
    """
    content = _of(dict, value)
    simple = [field for field in fields(kind) if field.type in (int, float)]
    return {field.name: keyed(field.name, field.type, content.get(field.name)) for field in simple}


def keyed(key: str, hint: Any, value: Any) -> Any:
    """Return what `typed` does; an error names the key."""
    try:
        return typed(hint, value)
    except ValueError as error:
        raise ValueError(f"key '{key}': {error}") from error


def typed(hint: Any, value: Any) -> Any:
    """Return JSON's `value` as a type: a simple one, tuple, list, dict, enum, dataclass or union.

    Raises:
        ValueError: it is of another; the message is a clause.
    """
    kinds, origin = typing.get_args(hint), typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        return _one_of(kinds, value)
    if origin is tuple:
        items = _of(list, list(value) if isinstance(value, tuple) else value)
        each = kinds[:1] * len(items) if kinds[-1] is Ellipsis else kinds
        return tuple(typed(kind, item) for kind, item in zip(each, items, strict=True))
    if origin is list:
        return [typed(kinds[0], item) for item in _of(list, value)]
    if origin is dict:
        pairs = _of(dict, value).items()
        return {typed(kinds[0], key): typed(kinds[1], item) for key, item in pairs}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return made(hint, value) if isinstance(hint, type) and is_dataclass(hint) else _of(hint, value)


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in kinds:
        return None
    errors = []
    for kind in kinds:
        try:
            return typed(kind, value)
        except ValueError as error:
            errors.append(error)
    raise errors[0]


def _of(kind: Any, value: Any) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    is_bool = isinstance(value, bool) and kind is not bool  # which is an int to Python
    if kind is type(None) or is_bool or not isinstance(value, kind):
        raise ValueError(f"is not of type {kind.__name__}")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("holds a zero byte")
    return value
