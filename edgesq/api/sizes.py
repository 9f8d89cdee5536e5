"""Sizes in bytes, as callers give them."""

import re

from edgesq.errors import EdgesqError

WHOLE_FLASH = "flash"
"""The size that a board's flash has."""

SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)([km]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}


def size_of(given: int | str) -> int | None:
    """Return a size in bytes, None for the board's flash.

    Args:
        given: bytes, as a number, or as text with K (1024) or M (1024 * 1024) behind the number if
            wanted; or "flash".

    Raises:
        EdgesqError: it is no size.
    """
    text = str(given)
    if text == WHOLE_FLASH:
        return None
    match = SIZE.fullmatch(text)
    if not match:
        raise EdgesqError("not a size", where=text, hint="give bytes (512000), or 500K, 0.5M")
    return int(float(match[1]) * _UNITS[match[2].lower()])
