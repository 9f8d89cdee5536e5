"""Unpack a .tflite by the schema of LiteRT, or of the package tflite where there is no LiteRT.

LiteRT's classes can be written again too, so they are taken where they are; the other package only
reads, in pure Python. Both give objects whose attributes have the names of the object API.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from edgesq.extras import LITERT, is_installed

_NOT_FIELDS = re.compile(r"Init|GetRootAs.*|.*BufferHasIdentifier|.*(?:AsNumpy|IsNone|Length)")
_EXTERNAL_BUFFER = 24
"""schema.fbs, Tensor.external_buffer: its place in the table, which the package does not know."""
_BUILTIN_CODE = 10
"""schema.fbs, OperatorCode.builtin_code: below 127 the package gives the older field instead."""


def unpacked(content: bytes, is_refused: Callable[[Any], bool]) -> Any:
    """Return a .tflite as a ModelT.

    Args:
        content: the bytes of the file.
        is_refused: says of the packed Model whether it is not to be unpacked.

    Raises:
        ValueError: it is refused.
        Exception: of any kind, where the file is damaged.
    """
    schema = _schema()
    packed = schema.Model.GetRootAsModel(content, 0)
    if is_refused(packed):
        raise ValueError("its lists are longer than the file")
    return schema.ModelT.InitFromObj(packed) if hasattr(schema, "ModelT") else _unpacked(packed)


@cache
def operator_names() -> dict[int, str]:
    """Return the schema's names of operators by their numbers."""
    names = vars(_schema().BuiltinOperator).items()
    return {value: name for name, value in names if not name.startswith("_")}


def _schema() -> Any:
    if is_installed(LITERT):
        from ai_edge_litert import schema_py_generated

        return schema_py_generated
    import tflite

    return tflite


@cache
def _object_class(name: str) -> type[Any]:
    return type(f"{name}T", (), {})


@cache
def _fields(table: type[object]) -> list[str]:
    return [name for name in dir(table) if name[0].isupper() and not _NOT_FIELDS.fullmatch(name)]


def _unpacked(packed: Any) -> Any:
    """Return a table as an object of its fields, and all tables in it."""
    kind: type[object] = type(packed)
    made = _object_class(kind.__name__)()
    for name in _fields(kind):  # type: ignore[arg-type] # a class can be hashed
        setattr(made, name[0].lower() + name[1:], _value(packed, name))
    if kind.__name__ == "Tensor":
        made.externalBuffer = packed._tab.Offset(_EXTERNAL_BUFFER)
    if kind.__name__ == "OperatorCode":
        made.builtinCode = _int32(packed._tab, _BUILTIN_CODE)
    return made


def _int32(table: Any, field: int) -> int:
    """Return a number at its place in a table; 0, the schema's default, where it is left out."""
    from flatbuffers.number_types import Int32Flags

    offset = table.Offset(field)
    return int(table.Get(Int32Flags, offset + table.Pos)) if offset else 0


def _value(packed: Any, name: str) -> Any:
    read = getattr(packed, name)
    if not hasattr(packed, f"{name}Length"):
        value = read()
        if name.startswith("BuiltinOptions") and not name.endswith("Type"):
            value = _options(packed, name, value)
        return _unpacked(value) if hasattr(value, "_tab") else value
    if getattr(packed, f"{name}IsNone")():
        return None
    if hasattr(packed, f"{name}AsNumpy"):
        return getattr(packed, f"{name}AsNumpy")()
    values = [read(index) for index in range(getattr(packed, f"{name}Length")())]
    return [_unpacked(value) if hasattr(value, "_tab") else value for value in values]


def _options(operator: Any, name: str, table: Any) -> Any:
    """Return the options of an operator in the class that their number stands for."""
    schema = _schema()
    number = getattr(operator, f"{name}Type")()
    kinds = vars(getattr(schema, name)).items()
    kind = next((one for one, value in kinds if value == number and not one.startswith("_")), None)
    if table is None or kind in (None, "NONE"):
        return None
    made = getattr(schema, kind)()
    made.Init(table.Bytes, table.Pos)
    return made
