"""What a runner is: a way to start an emulated board, or to put firmware on one that is there."""

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from edgesq.extras import is_installed, require
from edgesq.flash.keys import Key, Words
from edgesq.flash.process import free_port, spawn
from edgesq.flash.steps import Failure, Step, run_step
from edgesq.project import firmware_path
from edgesq.targets import Target

Work = TypeVar("Work")
Command = Callable[[Path, Target, int | None], list[str]]
Start = Callable[[Path, Target, Path, bool], tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A row of the table of runners.

    Attributes:
        name: as `--runner` and `runners` in targets/*.toml say it.
        program: that must be on PATH, or the target's key that names it; None where none is needed.
        package: that Python must find; None where none is needed.
        needs: keys that a target must have.
        too_old: from a target to the version of its program, where that is installed and older
            than the target's board needs.
    """

    name: str
    program: str | Key[str] | None = None
    package: str | None = None
    needs: tuple[Key[Any], ...] = ()
    too_old: Callable[[Target], str | None] = lambda _: None

    def is_installed(self, target: Target) -> bool:
        """Say whether its program for a target is on PATH and new enough, and its package there."""
        program = self.program.of(target) if isinstance(self.program, Key) else self.program
        has_program = program is None or shutil.which(program) is not None
        has_package = self.package is None or is_installed(self.package)
        return has_program and has_package and self.too_old(target) is None


@dataclass(frozen=True, kw_only=True)
class Process(Runner):
    """A board that is a process of this computer.

    Attributes:
        command: from a BUILD folder, its target and a TCP port for the serial line (None for stdin
            and stdout) to the command that runs the board; raises MissingToolError,
            OldToolError or MissingExtraError where what runs it is not installed.
        start: starts the board, given a file that takes its stderr too and whether the serial line
            is a TCP port; returns its pid and serial device.
        is_own: says of a command whether it is one of those that `start` runs.
    """

    command: Command
    start: Start
    is_own: Callable[[Sequence[str]], bool]


@dataclass(frozen=True, kw_only=True)
class Programmer(Runner, Generic[Work]):
    """A program that puts firmware on a board that is there.

    Attributes:
        get: how to get the program.
        failures: what it says when it fails.
        is_compared: whether the flash is read back and compared.
        steps: the commands for what is to be programmed; touches no board.
        probe_ids: key with the USB ids of the debug probe it goes through; None where it goes
            through none.
    """

    get: str
    failures: tuple[Failure, ...]
    is_compared: bool
    steps: Callable[[Work], list[Step]]
    probe_ids: Key[Words] | None = None

    def run(self, work: Work, on_stage: Callable[[str], None]) -> None:
        """Run all steps; `on_stage` is told each command before.

        Raises:
            ToolError, BoardError: as `run_step`.
        """
        for step in self.steps(work):
            on_stage(" ".join(step.command))
            run_step(step, self.failures, self.get)


@dataclass(frozen=True)
class Programmed:
    """A board that was programmed.

    Attributes:
        runner: name of the one used.
        is_compared: whether the flash was read back and is the image.
        ports: serial devices that may be the board's; where it is one, the board answers there.
    """

    runner: str
    is_compared: bool
    ports: tuple[str, ...]


def spawned(command: Command) -> Start:
    """Return the `start` of a process that needs no more than to be run."""

    def start(build: Path, target: Target, log: Path, is_tcp: bool) -> tuple[int, str]:
        tcp_port = free_port() if is_tcp else None
        return spawn(command(build, target, tcp_port), log, tcp_port=tcp_port)

    return start


def python_command(
    package: str, module: str, image: Path, target: str, tcp_port: int | None
) -> list[str]:
    """Return the command of a board that a module of ours runs: IMAGE TARGET [TCP_PORT].

    Raises:
        MissingExtraError: the package is not installed.
    """
    require(package)
    port = () if tcp_port is None else (str(tcp_port),)
    return [sys.executable, "-m", module, str(image), target, *port]


def python_board(name: str, module: str, needs: tuple[Key[Any], ...]) -> Process:
    """Return the runner of a board that a module of ours runs.

    Args:
        name: of the runner, and of the package that has the emulator.
        module: that is run.
        needs: keys of a target that it runs.
    """

    def command(build: Path, target: Target, tcp_port: int | None = None) -> list[str]:
        image = firmware_path(build / "firmware", target).resolve()
        return python_command(name, module, image, target.name, tcp_port)

    return Process(
        name=name,
        package=name,
        needs=needs,
        command=command,
        start=spawned(command),
        is_own=lambda command: module in command[1:],
    )
