"""The C definitions of generated data: arrays of numbers, and structs by their fields.

What a struct's fields mean stands in firmware/include; here are only their names and values, so a
field that is missing or misspelt is the C compiler's error.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = "int | str | Sequence[Value] | Fields"
"""A number, a C expression, an array or a struct by position, a struct by its fields."""

Fields: TypeAlias = "Mapping[str, Value]"
"""A struct's fields in the order of their declaration; those that are left out are 0."""

_PER_LINE = 24

_BYTES = tuple(f"0x{value:02x}" for value in range(256))

_DEFINED = re.compile(r"^static const ", re.MULTILINE)
"""How each definition begins."""


def comment(name: str) -> str:
    """Return a model's name for something as text that cannot end a C comment."""
    return re.sub(r"[^ -)+-~]", "_", name)


def row(values: Iterable[object]) -> str:
    """Return the values on one line, separated by commas."""
    return ", ".join(str(value) for value in values)


def rows(values: Iterable[int]) -> str:
    """Return integers as indented lines of an initialiser."""
    return _lines(map(str, values))


def hex_rows(values: Iterable[int]) -> str:
    """Return words of 32 bits likewise, in hex."""
    return _lines(f"0x{value:08x}" for value in values)


def hex_bytes(values: Iterable[int]) -> str:
    """Return bytes likewise, in hex."""
    return _lines(map(_BYTES.__getitem__, values))


def _lines(values: Iterable[str]) -> str:
    texts = list(values)
    lines = (texts[start : start + _PER_LINE] for start in range(0, len(texts), _PER_LINE))
    return "\n".join(f"    {', '.join(line)}," for line in lines)


_HEX = {"uint8_t": hex_bytes, "uint32_t": hex_rows}
"""Types whose numbers are bit patterns."""


def array(
    kind: str, name: str, values: Sequence[int], *, layer: str = "", aligned: bool = False
) -> str:
    """Return the definition of an array of numbers.

    Args:
        kind: C type of its elements.
        name: its C name.
        values: numbers that the type can hold.
        layer: whose numbers they are, for a comment; may be any text.
        aligned: whether it begins at a multiple of 16 bytes.
    """
    alignment = "_Alignas(16) " if aligned else ""
    lines = _HEX.get(kind, rows)(values)
    head = f"{_layer(layer)}static const {alignment}{kind} {name}[{len(values)}]"
    return f"{head} = {{\n{lines}\n}};\n"


def structs(kind: str, name: str, elements: Iterable[Value]) -> str:
    """Return the definition of an array of structs, or of pointers to some."""
    lines = "".join(f"    {initializer(element, 1)},\n" for element in elements)
    return f"static const {kind} {name}[] = {{\n{lines}}};\n"


def struct(kind: str, name: str, fields: Fields, *, layer: str = "") -> str:
    """Return the definition of a struct; arguments as of `array`."""
    return f"{_layer(layer)}static const struct {kind} {name} = {initializer(fields)};\n"


def in_ram(definitions: str) -> str:
    """Return definitions of the three functions above, for data that start-up copies to RAM.

    Mirror: ESQ_IN_RAM in firmware/include/esq_model.h.
    """
    return _DEFINED.sub("static const ESQ_IN_RAM ", definitions)


def initializer(value: Value, depth: int = 0) -> str:
    """Return a value as C, in lines indented for so many braces around it."""
    if isinstance(value, int | str):
        return str(value)
    if not isinstance(value, Mapping):
        return f"{{{row(initializer(part, depth) for part in value)}}}"
    indent = "    " * (depth + 1)
    lines = [
        f"{indent}.{name} = {initializer(field, depth + 1)},\n" for name, field in value.items()
    ]
    return f"{{\n{''.join(lines)}{'    ' * depth}}}"


def clamp_fields(clamp: tuple[int, int]) -> Fields:
    """Return the two fields that nearly every operator has."""
    return {"clamp_min": clamp[0], "clamp_max": clamp[1]}


def _layer(name: str) -> str:
    return f"/* {comment(name)} */\n" if name else ""
