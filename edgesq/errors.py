"""Errors a user can act on: what went wrong, where, and what to try.

Only `edgesq.cli` turns them into an exit code; a bug stays an ordinary exception.
"""

import difflib
import re
from collections.abc import Iterable
from typing import ClassVar

_NOT_SHOWN = re.compile(
    "[\0-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]"
)
"""Characters not printed as they are: line ends, terminal controls, changes of writing direction,
and what is not UTF-8."""


def printable(text: str) -> str:
    """Return a text of others on one line: what a terminal would obey is written out."""
    return _NOT_SHOWN.sub(lambda found: ascii(found[0])[1:-1], text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that lists what is known, and asks for what is most like a word, if any is."""
    names = list(known)
    inside = [name for name in names if len(word) > 2 and word.lower() in name.lower()]
    near = inside or difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    asked = f"did you mean {near[0]}? " if near else ""
    return f"{asked}known: {', '.join(names)}"


class EdgesqError(Exception):
    """Report something that cannot be done as asked.

    Args:
        message: one sentence, what is wrong.
        where: the file, operator, port or option it is about.
        hint: what to try next.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Return one line, whatever others have put into it: where, what, and what to try."""
        prefix = f"{self.where}: " if self.where else ""
        suffix = f" ({self.hint})" if self.hint else ""
        return printable(f"{prefix}{' '.join(self.message.split())}{suffix}")


class ModelError(EdgesqError):
    """A model file that is missing, corrupt, or holds something the runtime does not know."""


class ImageError(EdgesqError):
    """An image, image folder or calibration set that cannot be used."""


class TargetError(EdgesqError):
    """A target that is unknown, or whose TOML file is wrong."""


class FitError(EdgesqError):
    """A model that does not fit the target's memories."""


class ToolError(EdgesqError):
    """A compiler, emulator or other program that is missing or failed."""


class MissingToolError(ToolError):
    """A compiler, emulator or other program that is not installed."""

    def __init__(self, tool: str) -> None:
        super().__init__(f"{tool} is not installed", hint="`edgesq doctor` says how to get it")


class OldToolError(ToolError):
    """A program that is installed, but older than what is asked of it.

    Args:
        tool: its name on PATH.
        version: the one that it says it has.
        needed: the oldest that would do.
        by: what needs that.
    """

    def __init__(self, tool: str, version: str, needed: str, by: str) -> None:
        super().__init__(
            f"{tool} {version} is too old: {by} needs {needed}",
            hint="`edgesq doctor` says how to get it",
        )


class MissingExtraError(EdgesqError):
    """Packages that are not installed: they belong to an extra of edgesq.

    Args:
        needs: what people call the package.
        command: what installs it.
    """

    def __init__(self, needs: str, command: str) -> None:
        super().__init__(f"needs {needs}", hint=command)


class BoardError(EdgesqError):
    """A board or link that is absent, silent, unplugged or speaks another protocol."""

    exit_code: ClassVar[int] = 3


class DamagedError(BoardError):
    """A board that answers, and says itself that what it holds in flash is not what was written.

    Args:
        whose: the layer whose weights it is about, or what is known of it.
        where: the port.
        operator: of the board's table; None where the board does not say.
        model_sha256: hex digest of the .tflite that the board runs.
    """

    def __init__(
        self, whose: str, *, where: str | None, operator: int | None, model_sha256: str
    ) -> None:
        super().__init__(
            f"the weights of {whose} in the board's flash are damaged: their CRC-32 is wrong",
            where=where,
            hint="`edgesq flash` it again",
        )
        self.operator = operator
        self.model_sha256 = model_sha256
