"""Boards that are processes of this computer: started behind a pty, found again, stopped."""

import contextlib
import os
import signal
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from edgesq.errors import ToolError
from edgesq.files import open_new

_STOP_S = 3.0
_POLL_S = 0.01
_STATE, _START_TIME = 0, 19  # fields of /proc/PID/stat, counted behind the program's name

# Children of this very process are waited for, lest they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


def spawn(command: Sequence[str], log: Path, inherit: Sequence[int] = ()) -> tuple[int, str]:
    """Start `command` with a pty as its serial line; it goes on when we end.

    Its stdin and stdout are the pty's master. It also inherits the slave, open but unused: so the
    line never looks hung up to it, whoever comes and goes at the other end.

    Args:
        command: program and arguments.
        log: file that takes its stderr.
        inherit: further descriptors that it gets.

    Returns:
        Its pid, and the path of the serial device.

    Raises:
        ToolError: it cannot be started.
    """
    master, slave = os.openpty()
    try:
        _make_raw(slave)
        port = os.ttyname(slave)
        with os.fdopen(open_new(log), "wb") as stderr:
            process = subprocess.Popen(
                command,
                stdin=master,
                stdout=master,
                stderr=stderr,
                pass_fds=(slave, *inherit),
                start_new_session=True,
            )
    except OSError as error:
        raise ToolError(f"cannot be started: {error.strerror}", where=command[0]) from error
    finally:
        os.close(master)
        os.close(slave)
    _children[process.pid] = process
    return process.pid, port


def start_time(pid: int) -> int | None:
    """Return when process `pid` started, in the kernel's ticks; None where it does not run."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
        return None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[_STATE] in "ZX" else int(fields[_START_TIME])


def command_of(pid: int) -> tuple[str, ...]:
    """Return program and arguments of process `pid`; none where nobody may know."""
    try:
        said = Path(f"/proc/{pid}/cmdline").read_bytes()
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
    for number in (signal.SIGTERM, signal.SIGKILL):
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
    mode = termios.tcgetattr(descriptor)
    mode[0] = mode[1] = mode[3] = 0  # input, output and local flags
    mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    with contextlib.suppress(termios.error):
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, mode)
