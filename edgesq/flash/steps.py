"""How a program puts firmware on a board: commands, what they must say, and how they fail."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgesq.errors import BoardError, EdgesqError, ToolError
from edgesq.flash.image import Image
from edgesq.targets import Target

_TIMEOUT_S = 300
NOBODY_ANSWERS = "connect the board, or name another way with --runner"


@dataclass(frozen=True)
class Job:
    """What is to be put where.

    Attributes:
        target: the board.
        image: the bytes of its flash.
        elf: the compiled firmware.
        folder: takes what programs want as files.
        probe: serial number of the debug probe or bootloader; None where there is but one.
        uf2: the image as the build that made it wrote it; None where that is to be made.
    """

    target: Target
    image: Image
    elf: Path
    folder: Path
    probe: str | None = None
    uf2: Path | None = None

    @property
    def flat(self) -> Path:
        """The bytes of the flash as a file."""
        return self.folder / "edgesq.bin"

    @property
    def read_back(self) -> Path:
        """What a program reads back, to be compared."""
        return self.folder / "read_back.bin"

    def probe_option(self, option: str) -> tuple[str, ...]:
        """Return the arguments that name the probe; none where none is named."""
        return () if self.probe is None else (option, self.probe)


def _take(_: str) -> None:
    """Accept any output."""


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        command: program and arguments.
        refuse: looks at the output first, even of a command that failed; raises BoardError.
        check: looks at the output of a command that did not fail; raises BoardError.
        action: done instead of the command, where no program is needed; returns the output.
    """

    command: tuple[str, ...]
    refuse: Callable[[str], None] = _take
    check: Callable[[str], None] = _take
    action: Callable[[], str] | None = None


@dataclass(frozen=True)
class Failure:
    """What a program says when it fails, and what that means.

    Attributes:
        pattern: regular expression, found anywhere in the output.
        message: what is wrong.
        hint: what to try.
        is_board: whether the board or its connection is at fault, not the program.
    """

    pattern: str
    message: str
    hint: str
    is_board: bool = True

    def error(self, program: str) -> EdgesqError:
        """Return the error that this is."""
        kind = BoardError if self.is_board else ToolError
        return kind(self.message, where=program, hint=self.hint)


def run_step(step: Step, failures: tuple[Failure, ...], get: str) -> None:
    """Run a step and look at what came of it.

    Args:
        step: the command.
        failures: known words of the program when it fails.
        get: how to get the program.

    Raises:
        ToolError: the program is missing, hangs, or failed for a reason of its own.
        BoardError: the board is absent, another one, or not as it was written.
    """
    if step.action is not None:
        step.check(step.action())
        return
    program = step.command[0]
    if shutil.which(program) is None:
        raise ToolError(f"{program} is not installed", hint=get)
    try:
        done = subprocess.run(
            step.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        hint = "unplug the board and plug it in again"
        raise BoardError(f"no end after {_TIMEOUT_S} s", where=program, hint=hint) from error
    except OSError as error:
        raise ToolError(f"cannot be started: {error.strerror}", where=program) from error
    output = done.stdout.decode(errors="replace")
    step.refuse(output)
    known = next((one for one in failures if re.search(one.pattern, output, re.I | re.M)), None)
    if known is not None:
        raise known.error(program)
    if done.returncode != 0:
        raise _failed(program, output, done.returncode)
    step.check(output)


def _failed(program: str, output: str, code: int) -> BoardError:
    """Return the error for a failure whose words are not known."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = " | ".join(lines[-3:])[:400] or "it said nothing"
    return BoardError(f"failed with code {code}: {said}", where=program, hint=NOBODY_ANSWERS)
