"""Damage to bytes, numbers and texts, drawn from a seeded chance."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

INTEGERS = (
    *(0, 1, -1, 2, 3, 5, 8, 16, 127, 128, -128, 255, 256, 4_095, 4_096, 65_535, 65_536),
    *(1 << 24, (1 << 31) - 1, -(1 << 31), 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1),
)
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-38, 1e-12, 1e12, 3e38, math.inf, -math.inf, math.nan)
TEXTS = (
    "",
    " ",
    "/",
    "../../x",
    "a*/b",
    "[/b]",
    "[red]",
    "\x1b[2J",
    "\0",
    "\n",
    "%s{}${x}`x`;",
    "\\",
    '"',
    "\u202e",
    "\ud800",
    "x" * 300,
    "x" * 70_000,
    "int",
    "__import__('os')",
)


def chance_of(kind: str, number: int) -> random.Random:
    """Return the source of chance of a mutant; it depends on nothing else."""
    return random.Random(f"{kind}/{number}")


def other_integer(value: int, chance: random.Random) -> int:
    """Return another number: near, of the same size, or from the edge of a type."""
    near = (
        value + 1,
        value - 1,
        -value,
        value * 2,
        value // 2,
        value ^ (1 << chance.randrange(31)),
    )
    return chance.choice(near) if chance.random() < 0.5 else chance.choice(INTEGERS)


def other_float(value: float, chance: random.Random) -> float:
    """Return another number: near, of another sign or size, or none at all."""
    near = (value * 2, value / 3, -value, value * 1e6, value * 1e-6, value + 1)
    return chance.choice(near) if chance.random() < 0.4 else chance.choice(FLOATS)


def other_text(value: str, chance: random.Random) -> str:
    """Return another text: the same but for a letter, or one that quoting gets wrong."""
    if value and chance.random() < 0.3:
        place = chance.randrange(len(value))
        return value[:place] + chr(chance.randrange(1, 300)) + value[place + 1 :]
    return chance.choice(TEXTS)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return bytes with damage of one kind in one to four places."""
    values = bytearray(content)
    damage = chance.choice(_DAMAGE)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if values:
            damage(values, chance.randrange(len(values)), chance)
    return bytes(values)


def _flip(values: bytearray, place: int, chance: random.Random) -> None:
    values[place] ^= 1 << chance.randrange(8)


def _set(values: bytearray, place: int, chance: random.Random) -> None:
    values[place] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))


def _run(values: bytearray, place: int, chance: random.Random) -> None:
    length = min(chance.choice((2, 8, 64, 512)), len(values) - place)
    fill = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length)))
    values[place : place + length] = fill


def _word(values: bytearray, place: int, chance: random.Random) -> None:
    word = chance.choice(INTEGERS) % (1 << 32)
    place -= place % 4
    values[place : place + 4] = word.to_bytes(4, "little")[: len(values) - place]


def _cut(values: bytearray, place: int, _: random.Random) -> None:
    del values[place:]


def _lose(values: bytearray, place: int, chance: random.Random) -> None:
    del values[place : place + chance.choice((1, 4, 100))]


def _repeat(values: bytearray, place: int, chance: random.Random) -> None:
    values[place:place] = values[place : place + chance.choice((1, 4, 100))]


_Damage = Callable[[bytearray, int, random.Random], None]
_DAMAGE: tuple[_Damage, ...] = (_flip, _flip, _set, _run, _word, _cut, _lose, _repeat)


def json_values(holder: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each value of parsed JSON as its holder and its key there."""
    if not isinstance(holder, dict | list):
        return
    inner = list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder))
    for key, value in inner:
        yield holder, key
        yield from json_values(value)


def other_value(value: Any, chance: random.Random, *others: Any) -> Any:
    """Return another value for JSON: one of its own kind, of any other kind, or of `others`."""
    if chance.random() < 0.35:
        kinds: tuple[Any, ...] = (
            None,
            True,
            0,
            -1,
            1.5,
            "",
            [],
            {},
            [[]],
            {"a": 1},
            "x",
            1 << 70,
            math.nan,
        )
        return chance.choice((*kinds, *others, [value], [value] * 3, {"value": value}))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return other_integer(value, chance)
    if isinstance(value, float):
        return other_float(value, chance)
    if isinstance(value, str):
        return other_text(value, chance)
    if isinstance(value, list) and value:
        return chance.choice((value[1:], value + value[:1], value[::-1], [value[0]] * len(value)))
    return None
