"""Compute what to expect of images beside the line: in a thread, or in processes where that pays.

Processes are programs of their own, not `multiprocessing`'s: that would run the caller's main
module once more, and needs it guarded.
"""

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from edgesq.errors import EdgesqError, ToolError
from edgesq.graph import Int8Array
from edgesq.verify.tally import Expected

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from edgesq.verify.worker import serve; serve()"
)
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_MAX_PROCESSES = 8
"""Each holds the model and its interpreters: 90 MB for SqueezeNet at 224x224, more with ONNX."""

_PAYS_S = 4.0
"""Seconds of work from which on processes are started: one takes about a second until it helps."""

Expect = Callable[[Int8Array], list[Expected]]
"""Takes an image, int8 [H, W, C]; gives by form of the model its observed tensors, [K] each."""


@dataclass(frozen=True)
class Recipe:
    """How a process comes to the function that it computes with.

    Attributes:
        make: of a module, not of a function or `__main__`; returns an `Expect`.
        arguments: for it; they are pickled.
    """

    make: Callable[..., Expect]
    arguments: tuple[object, ...]


def processes_for(cpus: int | None = None) -> int:
    """Return how many processes compute beside the line: one CPU is left to line and board.

    Args:
        cpus: that this process may use; None asks the system.
    """
    if cpus is None:
        affinity = getattr(os, "sched_getaffinity", None)
        cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cpus - 1, _MAX_PROCESSES)) if cpus > 1 else 0


class Beside:
    """Computes what to expect of one image after another.

    The first ones are computed in a thread. Once they have shown what an image takes, and the rest
    would take longer than a few seconds, processes do it.

    Args:
        expect: computes it in this process.
        recipe: makes the same in another one; None where there is no such thing.
        images: that will come.
        processes: at most so many; None: by this computer's CPUs.

    Attributes:
        processes: at most so many.
        seconds: that computing took so far, added over all processes.
    """

    def __init__(
        self,
        expect: Expect,
        recipe: Recipe | None = None,
        images: int = 0,
        processes: int | None = None,
    ) -> None:
        wanted = processes_for() if processes is None else processes
        self.processes = 0 if recipe is None else wanted
        self.seconds = 0.0
        self._expect = expect
        self._recipe = recipe
        self._left = images
        self._computed = 0
        self._change = threading.Lock()  # guards seconds, _computed, _all, _is_closed
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._threads = ThreadPoolExecutor(max_workers=max(1, self.processes))
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        self._all: list[_Process] = []
        self._is_closed = False

    def submit(self, image: Int8Array) -> "Future[list[Expected]]":
        """Have an image computed, int8 [H, W, C].

        The future raises what computing raised, or ToolError where a process ended by itself.
        """
        self._left -= 1
        if self._pays():
            return self._threads.submit(self._timed, self._ask, image)
        return self._thread.submit(self._timed, self._expect, image)

    def close(self) -> None:
        """End all processes; what is not computed yet never will be."""
        with self._change:
            self._is_closed = True
        for pool in (self._thread, self._threads):
            pool.shutdown(wait=False, cancel_futures=True)
        for process in self._all:
            process.stop()  # so that who waits for an answer waits no longer
        for pool in (self._thread, self._threads):
            pool.shutdown(wait=True)
        for process in self._all:
            process.close()

    def _pays(self) -> bool:
        if self._all or not self.processes or not self._computed:
            return bool(self._all)
        return self.seconds / self._computed * self._left > _PAYS_S

    def _timed(self, expect: Expect, image: Int8Array) -> list[Expected]:
        begun = time.monotonic()
        try:
            return expect(image)
        finally:
            with self._change:
                self.seconds += time.monotonic() - begun
                self._computed += 1

    def _ask(self, image: Int8Array) -> list[Expected]:
        try:
            process = self._idle.get_nowait()
        except queue.Empty:
            process = self._start()
        value: list[Expected] = process.ask(image)
        self._idle.put(process)
        return value

    def _start(self) -> "_Process":
        with self._change:
            if self._is_closed:
                raise ToolError("no more images are computed")
            process = _Process()
            self._all.append(process)
        assert self._recipe is not None
        process.ask((self._recipe.make, self._recipe.arguments))
        return process


class _Process:
    """One process: takes a request, gives an answer."""

    def __init__(self) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 # closed by stop
        paths = json.dumps([path for path in sys.path if path])
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env={**os.environ, **_ALONE},
            )
        except OSError as error:
            raise ToolError(f"cannot be started: {error}", where=sys.executable) from error

    def ask(self, request: object) -> Any:
        """Return the answer.

        Raises:
            EdgesqError: what computing raised.
            ToolError: the process ended.
            RuntimeError: a bug; its traceback is the message.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()
            is_good, value = pickle.load(self._process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            raise self._death() from error
        if is_good:
            return value
        if isinstance(value, EdgesqError):
            raise value
        raise RuntimeError(f"in a process that computes what to expect:\n{value}")

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close the ends of its pipes, once nobody asks any more."""
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            if pipe is not None:
                with contextlib.suppress(OSError):  # bytes that it never took
                    pipe.close()

    def _death(self) -> ToolError:
        code = self._process.wait()
        how = f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        words = f": {lines[-1][:160]}" if lines else ""
        return ToolError(
            f"a process that computes what to expect was ended {how}{words}",
            hint="does the memory suffice? --resume goes on from the images compared so far",
        )
