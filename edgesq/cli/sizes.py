"""Options whose value may be left out, `--compress [SIZE]` among them."""

import re
from typing import Any

from typer.core import TyperCommand

from edgesq.api.sizes import SIZE, WHOLE_FLASH

_SECONDS = "120"

_LEFT_OUT = {
    "--compress": (WHOLE_FLASH, re.compile(f"{WHOLE_FLASH}|{SIZE.pattern}", re.IGNORECASE)),
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
