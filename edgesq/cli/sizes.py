"""Options whose value may be left out, `--compress [SIZE]` among them, and sizes in bytes."""

import re
from typing import Any

from typer.core import TyperCommand

from edgesq.errors import EdgesqError

WHOLE_FLASH = "flash"
_SECONDS = "120"

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)([km]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}

_LEFT_OUT = {
    "--compress": (WHOLE_FLASH, re.compile(f"{WHOLE_FLASH}|{_SIZE.pattern}", re.IGNORECASE)),
    "--optimize-accuracy": (_SECONDS, re.compile(r"\d+(?:\.\d*)?")),
}
"""By option: what it stands for alone, and what counts as its value."""


class SizesMayBeLeftOut(TyperCommand):
    """A command where `--compress` stands for `--compress flash` if no size follows, and so on."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in what was left out, and parse as usual."""
        return super().parse_args(ctx, with_sizes(args))


def with_sizes(args: list[str]) -> list[str]:
    """Return the arguments with a value behind each option that may stand alone."""
    complete = []
    for position, argument in enumerate(args):
        complete.append(argument)
        if argument in _LEFT_OUT:
            alone, value = _LEFT_OUT[argument]
            following = args[position + 1] if position + 1 < len(args) else ""
            complete += [] if value.fullmatch(following) else [alone]
    return complete


def parse_size(text: str) -> int | None:
    """Return a size in bytes, None for the board's flash.

    Args:
        text: bytes, with K (1024) or M (1024 * 1024) behind the number if wanted; or "flash".

    Raises:
        EdgesqError: it is no size.
    """
    if text == WHOLE_FLASH:
        return None
    match = _SIZE.fullmatch(text)
    if not match:
        raise EdgesqError("not a size", where=text, hint="give bytes (512000), or 500K, 0.5M")
    return int(float(match[1]) * _UNITS[match[2].lower()])
