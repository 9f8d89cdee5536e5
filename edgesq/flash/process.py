"""Boards that are processes of this computer: started, found again, stopped.

Their serial line is a pty, or a TCP port where there is none or one is asked for.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from edgesq.errors import ToolError
from edgesq.files import open_new

_STOP_S = 3.0
_POLL_S = 0.01
_PROC = Path("/proc")
_STATE, _START_TIME = 0, 19  # fields of /proc/PID/stat, counted behind the program's name
_TICKS_PER_S = 100

# Ctrl-C is for us alone.
_DETACHED: dict[str, Any] = (
    {"start_new_session": True}
    if hasattr(os, "setsid")
    else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
)

# Children of this very process are waited for, lest they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


def has_ptys() -> bool:
    """Say whether this system has pseudo-terminals."""
    try:
        import termios  # noqa: F401 # _make_raw needs it
    except ImportError:
        return False
    return hasattr(os, "openpty")


def free_port() -> int:
    """Return a TCP port of this computer on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def spawn(
    command: Sequence[str], log: Path, inherit: Sequence[int] = (), tcp_port: int | None = None
) -> tuple[int, str]:
    """Start `command` with a serial line; it goes on when we end.

    Without `tcp_port` its stdin and stdout are a pty's master. It also inherits the slave, open but
    unused: so the line never looks hung up to it, whoever comes and goes at the other end.

    Args:
        command: program and arguments.
        log: file that takes its stderr.
        inherit: further descriptors that it gets.
        tcp_port: where it listens itself, told also by the variable ESQ_TCP_PORT.

    Returns:
        Its pid, and the path or URL of the serial device.

    Raises:
        ToolError: it cannot be started, or the log not be written.
    """
    try:
        descriptor = open_new(log)
    except OSError as error:
        hint = "make the build folder writable"
        raise ToolError(
            f"cannot be written: {error.strerror}", where=str(log), hint=hint
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as stderr:
            if tcp_port is None:
                process, port = _behind_pty(command, stderr, inherit)
            else:
                environment = {**os.environ, "ESQ_TCP_PORT": str(tcp_port)}
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=stderr,
                    stderr=stderr,
                    pass_fds=inherit,
                    env=environment,
                    **_DETACHED,
                )
                port = f"socket://127.0.0.1:{tcp_port}"
    except OSError as error:
        raise ToolError(f"cannot be started: {error.strerror}", where=command[0]) from error
    _children[process.pid] = process
    return process.pid, port


def _behind_pty(
    command: Sequence[str], stderr: BinaryIO, inherit: Sequence[int]
) -> tuple[subprocess.Popen[bytes], str]:
    master, slave = os.openpty()
    try:
        _make_raw(slave)
        process = subprocess.Popen(
            command,
            stdin=master,
            stdout=master,
            stderr=stderr,
            pass_fds=(slave, *inherit),
            **_DETACHED,
        )
        return process, os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


def start_time(pid: int) -> int | None:
    """Return when process `pid` started, in the kernel's ticks; None where it does not run."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
        return None
    if not _PROC.is_dir():
        return _start_time_elsewhere(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[_STATE] in "ZX" else int(fields[_START_TIME])


def _start_time_elsewhere(pid: int) -> int | None:
    """Return what `start_time` does, where the kernel has no /proc."""
    try:
        process = psutil.Process(pid)
        ended = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return None if ended else round(process.create_time() * _TICKS_PER_S)
    except psutil.Error:
        return None


def command_of(pid: int) -> tuple[str, ...]:
    """Return program and arguments of process `pid`; none where nobody may know."""
    if not _PROC.is_dir():
        with contextlib.suppress(psutil.Error):
            return tuple(psutil.Process(pid).cmdline())
        return ()
    try:
        said = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(os.fsdecode(word) for word in said.split(b"\0")[:-1])


def stop_process(pid: int, started: int) -> bool:
    """Stop process `pid` if it is still the one that started at `started`; return whether it was.

    Raises:
        ToolError: it cannot be stopped.
    """
    if start_time(pid) != started:
        return False
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        except PermissionError as error:
            raise ToolError("is another user's process", where=f"pid {pid}") from error
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline:
            if start_time(pid) != started:
                return True
            time.sleep(_POLL_S)
    raise ToolError("does not end", where=f"pid {pid}")


def _make_raw(descriptor: int) -> None:
    """Make a terminal pass every byte as it is, both ways."""
    import termios  # not everywhere

    mode = termios.tcgetattr(descriptor)
    mode[0] = mode[1] = mode[3] = 0  # input, output and local flags
    mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    with contextlib.suppress(termios.error):
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, mode)
