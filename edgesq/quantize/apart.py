"""Run foreign loaders (Keras, HDF5, TensorFlow) in a process of their own.

A damaged or hostile file may end such a library by a signal, fill the memory or never return. So a
file is first read in a child process, whose death is one line of error, and by this process only
after that went well:

    from edgesq.quantize.apart import apart
    facts = apart(read_facts, path, where=str(path))

One small server per process imports TensorFlow once and forks for each call, so that a call costs a
few milliseconds. It ends with this process.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeVar

from edgesq.errors import EdgesqError, ModelError, ToolError
from edgesq.limits import MAX_LOADING_BYTES, MAX_LOADING_SECONDS

T = TypeVar("T")

_START_SECONDS = 120
"""Time that the server process may take to import TensorFlow."""

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from edgesq.quantize.apart_server import serve; serve(int(sys.argv[2]))"
)
_DAMAGED = "the file is damaged, or has numbers that no image network has"


@dataclass(frozen=True)
class Ended:
    """How a child ended that gave no answer.

    Attributes:
        signal: what ended it; 0 where it was the time limit.
        words: the last line it wrote on standard error.
    """

    signal: int
    words: str


@dataclass(frozen=True)
class _Server:
    process: subprocess.Popen[bytes]
    connection: Connection
    owner: int

    def stop(self) -> None:
        """End the server and what it forked; it leads a process group."""
        self.connection.close()
        if self.owner == os.getpid():
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


_lock = threading.Lock()
_servers: list[_Server] = []


def start() -> None:
    """Let the server import TensorFlow while this process does something else."""
    with _lock:
        _running()


def apart(function: Callable[..., T], *arguments: object, where: str) -> T:
    """Call a function in a child process, under limits of memory and time.

    Args:
        function: of a module, not of a function or `__main__`; what it takes and gives is pickled.
        arguments: for it.
        where: the file that it is about, for errors.

    Raises:
        EdgesqError: what the function raised.
        ModelError: the child died, or needed more memory or time than `limits` allow.
        ToolError: no child process is to be had.
        RuntimeError: the function raised another exception; its traceback is the message.
    """
    request = pickle.dumps((function, arguments))
    with _lock:
        try:
            server = _running()
            server.connection.send_bytes(request)
            if not server.connection.poll(_START_SECONDS + MAX_LOADING_SECONDS):
                raise ToolError("the process that reads models does not answer", where=where)
            answer = pickle.loads(server.connection.recv_bytes())
        except (EOFError, OSError) as error:
            _stop()
            raise ToolError(
                "the process that reads models cannot be started or was ended", where=where
            ) from error
        except BaseException:  # an answer may still come: to nobody
            _stop()
            raise
    if isinstance(answer, Ended):
        raise _death(answer, where)
    succeeded, value = answer
    if succeeded:
        return value  # type: ignore[no-any-return] # what the function gives
    raise _failure(value, where)


def _failure(value: Exception | str, where: str) -> Exception:
    """Return what to raise for an exception of the child."""
    if isinstance(value, EdgesqError):
        return value
    if isinstance(value, MemoryError):
        gigabytes = MAX_LOADING_BYTES / (1 << 30)
        return ModelError(
            f"takes more than {gigabytes:.0f} GiB of memory to read", where=where, hint=_DAMAGED
        )
    if isinstance(value, RecursionError):
        return ModelError("is nested too deeply to be read", where=where, hint=_DAMAGED)
    return RuntimeError(f"while reading {where} in a child process:\n{value}")


def _death(ended: Ended, where: str) -> ModelError:
    if not ended.signal:
        message = f"takes more than {MAX_LOADING_SECONDS} s to read"
    else:
        words = f": {ended.words}" if ended.words else ""
        message = f"ends its reader by {signal.Signals(ended.signal).name}{words}"
    return ModelError(message, where=where, hint=_DAMAGED)


def _running() -> _Server:
    """Return this process' server; a process that was forked needs one of its own."""
    for server in _servers:
        if server.owner == os.getpid() and server.process.poll() is None:
            return server
    _stop()
    mine, theirs = socket.socketpair()
    with theirs:
        paths = json.dumps([path for path in sys.path if path])
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT, paths, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**os.environ, **_QUIET},
            start_new_session=True,  # Ctrl-C is for this process
        )
    _servers.append(_Server(process, Connection(mine.detach()), os.getpid()))
    return _servers[-1]


_QUIET = {
    "CUDA_VISIBLE_DEVICES": "",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
"""Environment of the server: threads must not exist before a fork, and the stacks of those after it
count as memory."""


@atexit.register
def _stop() -> None:
    while _servers:
        _servers.pop().stop()
