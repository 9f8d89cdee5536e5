"""Worker processes on this computer.

They are programs of their own, not `multiprocessing`'s: that would run the caller's main module
once more, and needs it guarded.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from edgesq.search.engine import MAX_TRIES, Engine, ImageStore
from edgesq.search.records import Outcome
from edgesq.search.trial import Result, Task

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from edgesq.search.worker import serve; serve(int(sys.argv[2]))"
)
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


@dataclass
class _Worker:
    """A process, and the thread that waits for it."""

    process: subprocess.Popen[bytes] | None = None
    tasks: queue.SimpleQueue[tuple[Task, Path] | None] = field(default_factory=queue.SimpleQueue)


class LocalEngine(Engine):
    """Runs trials in processes, each of which is started again where it is lost.

    Args:
        workers: how many.
        store: of the images.
        gpu: whether they may use graphics processors.
    """

    def __init__(self, workers: int, store: ImageStore, *, gpu: bool = False) -> None:
        self.workers = workers
        self._store = store
        self._gpu = gpu
        self._done: queue.SimpleQueue[tuple[int, Result | BaseException]] = queue.SimpleQueue()
        self._closed = False
        self._workers = [_Worker() for _ in range(workers)]
        self._free = list(self._workers)
        self._busy: dict[int, _Worker] = {}
        for worker in self._workers:
            threading.Thread(target=self._serve, args=(worker,), daemon=True).start()

    def submit(self, task: Task) -> None:
        """Hand a trial to a process that is free."""
        path = self._store.path(task.space.side(task.params))
        worker = self._free.pop()
        self._busy[task.number] = worker
        worker.tasks.put((task, path))

    def next(self) -> tuple[int, Result]:
        """Wait for the next trial that ends; what a bug raised there is raised here."""
        number, answer = self._done.get()
        self._free.append(self._busy.pop(number))
        if isinstance(answer, BaseException):
            raise answer
        return number, answer

    def close(self) -> None:
        """End all processes."""
        self._closed = True
        for worker in self._workers:
            worker.tasks.put(None)
            if worker.process is not None:
                _kill(worker.process)

    def _serve(self, worker: _Worker) -> None:
        while (asked := worker.tasks.get()) is not None:
            task, path = asked
            answer: Result | BaseException
            try:
                answer = self._tried(worker, task, path)
            except Exception as error:  # as what cannot be pickled: `next` waits for an answer
                answer = error
            self._done.put((task.number, answer))

    def _tried(self, worker: _Worker, task: Task, path: Path) -> Result | BaseException:
        for _ in range(MAX_TRIES):
            try:
                return self._asked(worker, task, path)
            except (EOFError, OSError, pickle.UnpicklingError):
                worker.process = None  # killed, as by a system without memory
                if self._closed:
                    break
        why = f"its process was killed {MAX_TRIES} times: too little memory?"
        return Result(Outcome("failed", why=why))

    def _asked(self, worker: _Worker, task: Task, path: Path) -> Result | BaseException:
        if worker.process is None:
            worker.process = self._started()
        process = worker.process
        assert process.stdin is not None
        assert process.stdout is not None
        pickle.dump((task, path), process.stdin)
        process.stdin.flush()
        answer: Result | BaseException = pickle.load(process.stdout)
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        quiet = {
            name: value for name, value in _QUIET.items() if not (self._gpu and "CUDA" in name)
        }
        return subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(sys.path), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **quiet},
            start_new_session=True,  # Ctrl-C is the parent's to act on; compilers end with it
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
