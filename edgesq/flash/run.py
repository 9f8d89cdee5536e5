"""Start a board with a compiled BUILD, remember it, and stop it again."""

import contextlib
import time
from pathlib import Path

from edgesq.errors import BoardError, DamagedError, TargetError, ToolError
from edgesq.flash import process
from edgesq.flash.board import (
    Board,
    read_line,
    read_record,
    remove_line,
    remove_record,
    write_record,
)
from edgesq.flash.damage import layer_named
from edgesq.flash.runner import Process
from edgesq.flash.runners import FOR_BUILDS, compiled, runner_of
from edgesq.flash.systems import SYSTEMS
from edgesq.link.client import Client
from edgesq.link.transport import is_listed, open_port
from edgesq.targets import Target

_ATTEMPT_S = 1.0
_POLL_S = 0.02


def flash(
    build: Path,
    target: Target,
    *,
    runner: str | None = None,
    is_tcp: bool = False,
    timeout: float = 20.0,
) -> Board:
    """Start the board with the firmware in `build`, replacing the one started before from there.

    Args:
        build: a BUILD folder whose firmware is compiled.
        target: the target it was compiled for, one whose board is a process of this computer.
        runner: one of the target's; None for the first that is installed.
        is_tcp: whether the serial line is a TCP port of this computer, socket://127.0.0.1:PORT,
            instead of a pty; it is where there are no ptys. Anybody on this computer can connect.
        timeout: seconds in which the board must answer.

    Raises:
        TargetError: the target has no such runner.
        ToolError: firmware or emulator is missing, or cannot be started.
        BoardError: the board does not answer; nothing is left running or recorded.
    """
    chosen = runner_of(target, runner)
    if not isinstance(chosen, Process):
        hint = "put the firmware there by `program`"
        raise TargetError(f"'{chosen.name}' starts no process", where=target.name, hint=hint)
    compiled(build, target)
    chosen.command(build, target, None)  # is refused before the old board is stopped
    stop(build)
    log = build / "board.log"
    pid, port = chosen.start(build, target, log, is_tcp or not process.has_ptys())
    return started(build, pid, port, target.name, log, timeout)


def started(build: Path, pid: int, port: str, name: str, log: Path, timeout: float) -> Board:
    """Wait until a process that was just started answers, and record it as the board of `build`.

    Args:
        build: a BUILD folder.
        pid: the process.
        port: its serial device.
        name: what the board is called.
        log: takes what the process says.
        timeout: seconds in which it must answer.

    Raises:
        BoardError: it does not; nothing is left running or recorded.
    """
    since = process.start_time(pid)
    try:
        if since is None:
            raise _no_answer(port, log)
        with layer_named(build):
            _wait_for_answer(pid, port, log, timeout)
        board = Board(port, pid, name, since)
        write_record(build, board)
        remove_line(build)
    except BaseException:
        if since is not None:
            with contextlib.suppress(ToolError):
                process.stop_process(pid, since)
        raise
    return board


def stop(build: Path) -> bool:
    """Stop the emulated board that was started from `build`; return whether one ran.

    Raises:
        ToolError: it runs and cannot be stopped.
    """
    board = recorded(build)
    was_running = board is not None and process.stop_process(board.pid, board.started)
    remove_record(build)
    return was_running


def stop_board(build: Path, board: Board) -> None:
    """Stop one board and no other: another one may have been started from `build` since.

    It is stopped too where the folder is gone or has been moved.

    Raises:
        ToolError: it cannot be stopped.
    """
    process.stop_process(board.pid, board.started)
    if read_record(build) == board:
        remove_record(build)


def recorded(build: Path) -> Board | None:
    """Return the emulated board that was started from `build`, None where none runs."""
    board = read_record(build)
    if board is None or process.start_time(board.pid) != board.started:
        return None
    return board if _is_board(board.pid) else None


def port_known(build: Path) -> str | None:
    """Return where the last board answers that was started or programmed with `build`.

    None where its process, or its serial device, is not there any more, or nobody has noted it.
    """
    board = recorded(build)
    if board is not None:
        return board.port
    line = read_line(build)
    return line.port if line is not None and is_listed(line.port) else None


def _is_board(pid: int) -> bool:
    """Say whether a process is one that `flash` starts: a record may name anybody's."""
    command = process.command_of(pid) or ("",)
    boards = (runner for runner in FOR_BUILDS.values() if isinstance(runner, Process))
    own = (*(one.is_own for one in boards), *(one.is_own for one in SYSTEMS))
    return any(is_own(command) for is_own in own)


def _wait_for_answer(pid: int, port: str, log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not _answers(port):
        if process.start_time(pid) is None or time.monotonic() > deadline:
            raise _no_answer(port, log)
        time.sleep(_POLL_S)


def _answers(port: str) -> bool:
    try:
        with open_port(port) as transport:
            Client(transport, timeout=_ATTEMPT_S).hello()
    except DamagedError:
        raise
    except BoardError:
        return False
    return True


def _no_answer(port: str, log: Path) -> BoardError:
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    hint = said[-1] if said else f"no word from it either in {log}"
    return BoardError("the board does not start", where=port, hint=hint)
