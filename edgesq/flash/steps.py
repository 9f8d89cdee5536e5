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
_NOBODY_ANSWERS = "connect the board, or name another way with --runner"


@dataclass(frozen=True)
class Job:
    """What is to be put where.

    Attributes:
        target: the board.
        image: the bytes of its flash.
        elf: the compiled firmware.
        folder: takes what programs want as files.
        probe: serial number of the debug probe or bootloader; None where there is but one.
    """

    target: Target
    image: Image
    elf: Path
    folder: Path
    probe: str | None = None

    @property
    def flat(self) -> Path:
        """The bytes of the flash as a file."""
        return self.folder / "edgesq.bin"

    @property
    def read_back(self) -> Path:
        """What a program reads back, to be compared."""
        return self.folder / "read_back.bin"

    @property
    def uf2(self) -> Path:
        """The same as blocks with addresses."""
        return self.folder / "edgesq.uf2"


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
    if done.returncode != 0 or known is not None:
        raise _error(program, known, output, done.returncode)
    step.check(output)


def _error(program: str, known: Failure | None, output: str, code: int) -> EdgesqError:
    if known is None:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        said = " | ".join(lines[-3:])[:400] or "it said nothing"
        return BoardError(f"failed with code {code}: {said}", where=program, hint=_NOBODY_ANSWERS)
    kind = BoardError if known.is_board else ToolError
    return kind(known.message, where=program, hint=known.hint)


def chip_check(job: Job, pattern: str) -> Callable[[str], None]:
    """Return a check that refuses another chip than the target's.

    Args:
        job: names the target.
        pattern: its only group is the chip's register in hex, as the program prints it.
    """
    ways = job.target.flash

    def check(output: str) -> None:
        found = re.search(pattern, output, re.I | re.M)
        if found is None:
            raise BoardError("the chip does not say what it is", hint=_NOBODY_ANSWERS)
        value = int(found[1], 16) & ways.chip_id_mask
        if value != ways.chip_id:
            raise other_chip(job, f"{value:#x}", f"{ways.chip_id:#x}")

    return check


def other_chip(job: Job, found: str, wanted: str) -> BoardError:
    """Return the error that the board is not the target."""
    return BoardError(
        f"another board: its chip says {found}, {job.target.name}'s {wanted}",
        hint="name the board you have with --target, or choose the probe with --probe",
    )


def compare_check(job: Job) -> Callable[[str], None]:
    """Return a check that holds what was read back against the image."""

    def check(_: str) -> None:
        compare(job, job.read_back.read_bytes() if job.read_back.is_file() else b"")

    return check


def compare(job: Job, found: bytes) -> None:
    """Hold the bytes read back from the flash's origin against the image.

    Raises:
        BoardError: they differ.
    """
    wanted = job.image.data
    if found[: len(wanted)] == wanted:
        return
    pairs = zip(wanted, found.ljust(len(wanted), b"\0"), strict=False)
    first = next((at for at, (one, other) in enumerate(pairs) if one != other), len(found))
    raise BoardError(
        f"the flash differs from the image from {job.image.origin + first:#010x} on",
        hint="flash again; if it differs again the flash is worn or protected",
    )
