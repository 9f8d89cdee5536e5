"""The other end of `edgesq.quantize.apart`: forks a child for each call and waits for its answer.

The server itself must never start TensorFlow's runtime, whose threads a fork would lose.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import pickle
import resource
import signal
import tempfile
import traceback
from multiprocessing.connection import Connection, Pipe, wait
from typing import BinaryIO

from edgesq.errors import EdgesqError
from edgesq.extras import hide_unused
from edgesq.limits import MAX_FILE_BYTES, MAX_LOADING_BYTES, MAX_LOADING_SECONDS
from edgesq.quantize.apart import Ended

_PR_SET_PDEATHSIG = 1
_LIBRARIES = ("tensorflow", "keras")
_WORDS = 160


def serve(descriptor: int) -> None:
    """Answer calls until the other end of a socket is closed."""
    parent = Connection(descriptor)
    hide_unused()
    for name in _LIBRARIES:
        importlib.import_module(name)
    while True:
        try:
            request = parent.recv_bytes()
        except (EOFError, OSError):
            return
        answer = _answer(parent, request)
        if answer is None:
            return
        parent.send_bytes(answer)


def _answer(parent: Connection, request: bytes) -> bytes | None:
    """Let a child answer a call; None where the parent is gone."""
    mine, theirs = Pipe(duplex=False)
    with contextlib.ExitStack() as stack, tempfile.TemporaryFile() as words, mine:
        server = os.getpid()
        child = os.fork()
        if child == 0:
            mine.close()
            parent.close()
            _be_the_child(server, request, theirs, words)
        theirs.close()
        stack.callback(_end, child)
        ready = wait([mine, parent], MAX_LOADING_SECONDS)
        if mine in ready:
            with contextlib.suppress(EOFError):
                return mine.recv_bytes()
            return pickle.dumps(Ended(_signal_of(child), _last_line(words)))
        return None if parent in ready else pickle.dumps(Ended(0, ""))


def _signal_of(child: int) -> int:
    """Return what ended a child that gave no answer; one that exits by itself was ended too."""
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else signal.SIGABRT.value


def _end(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _last_line(words: BinaryIO) -> str:
    words.seek(0)
    lines = words.read(1 << 20).decode(errors="replace").split("\n")
    said = [line.partition("] ")[2] or line for line in lines if "Check failed" in line]
    return "".join(char for char in (said or [""])[-1] if char.isprintable())[:_WORDS].strip()


def _be_the_child(server: int, request: bytes, answer: Connection, words: BinaryIO) -> None:
    """Answer one call and end."""
    try:
        _limit(server)
        os.dup2(words.fileno(), 2)
        answer.send_bytes(pickle.dumps(_call(request)))
    finally:
        os._exit(0)


def _limit(server: int) -> None:
    """Die with the server; take no more memory, time and disk than `limits` say."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(0)
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: 2 * MAX_LOADING_SECONDS,
        resource.RLIMIT_DATA: MAX_LOADING_BYTES,
        resource.RLIMIT_FSIZE: MAX_FILE_BYTES,
    }
    for what, most in limits.items():
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))


def _call(request: bytes) -> tuple[bool, object]:
    """Return whether a call succeeds, and what it gives: a value, an error or a traceback."""
    try:
        function, arguments = pickle.loads(request)
        return True, function(*arguments)
    except EdgesqError as error:
        return False, error
    except MemoryError:
        return False, MemoryError()
    except RecursionError:
        return False, RecursionError()
    except BaseException:
        return False, traceback.format_exc()
