"""What other build systems leave behind, and how it goes onto a board by their own tools.

A build system is a row of `systems.SYSTEMS` and a file of its own, which reads what the system
wrote and says what is to be run; `foreign_run` runs it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, TypeVar

from edgesq.errors import EdgesqError
from edgesq.flash.runner import Programmer

Work = TypeVar("Work")


@dataclass(frozen=True)
class Wish:
    """How the user wants what was built to be flashed.

    Attributes:
        runner: by what; None for what the system takes.
        probe: serial number of a debug probe or USB device, or a port's path; None where there is
            but one.
        options: further words for the system's own program.
    """

    runner: str | None = None
    probe: str | None = None
    options: tuple[str, ...] = ()

    def values(self, long: str, short: str = "") -> list[str]:
        """Return what the further words say for an option, in any of its spellings."""
        found = []
        for word, after in pairwise((*self.options, "")):
            if word in (long, short or long):
                found.append(after)
            elif word.startswith(f"{long}="):
                found.append(word.removeprefix(f"{long}="))
            elif short and word.startswith(short) and not word.startswith("--"):
                found.append(word.removeprefix(short))
        return found

    def value(self, long: str, short: str = "") -> str:
        """Return the last of `values`, which counts; empty where there is none."""
        return next(reversed(self.values(long, short)), "")

    def check(self, system: str, folder: Path, runners: Sequence[str], *, options: bool) -> None:
        """Refuse what a system does not take.

        Args:
            system: its name.
            folder: that is to be flashed.
            runners: that `--runner` may name.
            options: whether further words are taken.

        Raises:
            EdgesqError: another runner, or words where none are taken.
        """
        if self.runner is not None and self.runner not in runners:
            hint = f"known here: {', '.join(runners)}" if runners else "leave --runner out"
            raise refusal("--runner", system, folder, hint)
        if self.options and not options:
            raise refusal(" ".join(self.options), system, folder, "leave it out")


@dataclass(frozen=True, kw_only=True)
class Programming(Generic[Work]):
    """Firmware for a board that is there.

    Attributes:
        board: what it was built for, as the system calls that.
        programmer: puts it there.
        work: what the programmer is given.
        ports: serial devices that may be the board's; None where the system does not say.
        sources: folders that it was built from, in or below which an export may be.
        obstacle: why it can be shown and not run; None where it can be run.
        note: what the user is to do afterwards; empty for nothing.
    """

    board: str
    programmer: Programmer[Work]
    work: Work
    ports: tuple[str, ...] | None = None
    sources: tuple[Path, ...] = ()
    obstacle: EdgesqError | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Emulating:
    """Firmware for a board that is a process of this computer.

    Attributes:
        board: what it was built for, as the system calls that.
        command: from a TCP port for the serial line (None for stdin and stdout) to what runs it.
        sources: folders that it was built from, in or below which an export may be.
    """

    board: str
    command: Callable[[int | None], list[str]]
    sources: tuple[Path, ...] = ()


Built = Programming[Any] | Emulating


def _none(_: Sequence[str]) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class System:
    """A row of the table of build systems.

    Attributes:
        name: as its makers write it.
        is_build: says of a folder, which need not exist, whether the system built there.
        read: what is to be done with such a folder; raises EdgesqError where it cannot be
            followed, ToolError where it is not built.
        programmers: what puts its firmware on boards.
        is_own: says of a command whether it is one of its boards that are processes.
    """

    name: str
    is_build: Callable[[Path], bool]
    read: Callable[[Path, Wish], Built]
    programmers: tuple[Programmer[Any], ...]
    is_own: Callable[[Sequence[str]], bool] = _none


def refusal(option: str, system: str, folder: Path, hint: str) -> EdgesqError:
    """Return the error for an option that has no meaning there."""
    return EdgesqError(f"{option} is not for a project of {system}", where=str(folder), hint=hint)
