"""Put on a board, or start, what another build system has built; remember where it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgesq.builds import read_report
from edgesq.errors import EdgesqError
from edgesq.flash.board import Line, remove_line, write_line
from edgesq.flash.foreign import Built, Emulating
from edgesq.flash.hardware import ports_of
from edgesq.flash.process import free_port, has_ptys, spawn
from edgesq.flash.run import started, stop
from edgesq.targets import load_target


@dataclass(frozen=True)
class Put:
    """A board that has what was built.

    Attributes:
        export: folder of the export that it holds; None where none is seen.
        ports: serial devices that may be the board's.
        is_compared: whether its flash was read back.
    """

    export: Path | None
    ports: tuple[str, ...]
    is_compared: bool


def commands(built: Built, *, is_tcp: bool = False) -> list[tuple[str, ...]]:
    """Return what `put` would run, without touching a board.

    Raises:
        ToolError: an emulator is missing.
    """
    if isinstance(built, Emulating):
        return [tuple(built.command(free_port() if is_tcp or not has_ptys() else None))]
    return [step.command for step in built.programmer.steps(built.work)]


def put(
    folder: Path,
    built: Built,
    on_stage: Callable[[str], None],
    *,
    is_tcp: bool = False,
    timeout: float = 20.0,
) -> Put:
    """Program or start the board, so that `verify` of the export in it finds the board.

    A board that is there may run a program of the user's own: it need not answer.

    Args:
        folder: that was built in.
        built: what is there.
        on_stage: is told each command before it runs.
        is_tcp: whether the serial line of an emulated board is a TCP port, not a pty.
        timeout: seconds in which an emulated board must answer.

    Raises:
        EdgesqError: it cannot be done now.
        ToolError: a program is missing or failed.
        BoardError: no board, several, another one, a difference, or an emulated one is silent.
    """
    export = export_of(folder, *built.sources)
    if isinstance(built, Emulating):
        return Put(export, (_start(folder, export, built, is_tcp, timeout),), is_compared=False)
    if built.obstacle is not None:
        raise built.obstacle
    built.programmer.run(built.work, on_stage)
    ports = _ports(export) if built.ports is None else built.ports
    if export is not None:
        stop(export)  # a board that is emulated would be taken for this one
        remove_line(export)
        if len(ports) == 1:
            write_line(export, Line(ports[0], built.board))
    return Put(export, ports, built.programmer.is_compared)


def stop_started(folder: Path, built: Built) -> bool:
    """Stop the emulated board that was started with what was built; return whether one ran.

    Raises:
        ToolError: it runs and cannot be stopped.
    """
    return stop(export_of(folder, *built.sources) or folder)


def export_of(*folders: Path) -> Path | None:
    """Return the first folder above that `edgesq export` wrote, None where there is none."""
    for folder in folders:
        for above in _upwards(folder):
            if _is_export(above):
                return above
    return None


def _upwards(folder: Path) -> tuple[Path, ...]:
    """Return a folder and those above; none for what a build calls its folder and is none here."""
    try:
        resolved = folder.resolve()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
        return ()
    return (resolved, *resolved.parents)


def _is_export(folder: Path) -> bool:
    try:
        read_report(folder)
    except (OSError, EdgesqError):
        return False
    return True


def _start(
    folder: Path, export: Path | None, built: Emulating, is_tcp: bool, timeout: float
) -> str:
    home = export or folder
    tcp_port = free_port() if is_tcp or not has_ptys() else None
    command = built.command(tcp_port)  # is refused before the old board is stopped
    stop(home)
    log = home / "board.log"
    pid, port = spawn(command, log, tcp_port=tcp_port)
    return started(home, pid, port, built.board, log, timeout).port


def _ports(export: Path | None) -> tuple[str, ...]:
    """Return where a board may answer of which no more is known than what was exported for it."""
    if export is None:
        return ()
    return tuple(ports_of(load_target(read_report(export).firmware.target)))
