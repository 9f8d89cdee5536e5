"""Firmware onto a board: an emulated one is started, another one programmed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgesq.builds import ensure_compiled
from edgesq.flash import Process, flash, program, runner_of
from edgesq.targets import Target, load_target


@dataclass(frozen=True)
class Flashed:
    """A board that has the firmware of a build.

    Attributes:
        target: which board.
        ports: serial devices that may be its; where it is one, the board answered there.
        is_process: whether it is a process of this computer, which goes on until it is stopped.
        is_compared: whether the flash was read back and is the image.
    """

    target: Target
    ports: tuple[str, ...]
    is_process: bool
    is_compared: bool = False


def made_ready(
    folder: Path, target: str | None, runner: str | None, on_stage: Callable[[str], None]
) -> Target:
    """Compile a build's firmware if need be, and return the target that it is for.

    Args:
        folder: the build.
        target: another one than it was exported for.
        runner: that it is to be flashed by; one the target does not have is refused first.
        on_stage: is told what begins.

    Raises:
        TargetError: no such target or runner.
        EdgesqError: not a build folder, the model does not fit, or a tool failed.
    """
    wanted = load_target(target) if target else None
    if wanted is not None and not wanted.is_library:
        runner_of(wanted, runner)
    return ensure_compiled(folder, wanted, on_stage)


def is_process(target: Target, runner: str | None, probe: str | None = None) -> bool:
    """Say whether the board is a process of this computer.

    Raises:
        TargetError: the target has no such runner.
    """
    return isinstance(runner_of(target, runner, probe), Process)


def put(
    folder: Path,
    target: Target,
    runner: str | None,
    probe: str | None,
    on_stage: Callable[[str], None],
    *,
    is_tcp: bool = False,
) -> Flashed:
    """Start or program a board with a build that is compiled for it.

    Args:
        folder: the build.
        target: the board.
        runner: as `flash` and `program` take it.
        probe: serial number of the debug probe.
        on_stage: is told what begins.
        is_tcp: whether the serial line of an emulated board is a TCP port, not a pty.

    Raises:
        TargetError, ToolError, BoardError: as `flash` and `program`.
    """
    if is_process(target, runner, probe):
        on_stage(f"start {target.description}")
        board = flash(folder, target, runner=runner, is_tcp=is_tcp)
        return Flashed(target, (board.port,), is_process=True)
    done = program(folder, target, on_stage, runner=runner, probe=probe)
    return Flashed(target, done.ports, is_process=False, is_compared=done.is_compared)
