"""Have workers try mutants, and see to it that none dies, hangs or takes all memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from support.mutants.work import FAULTS, KEPT, LOG, READY, Outcome, Verdict, keep, work

HANG_S = 20.0
"""Seconds of a processor that one mutant may take."""
WALL_S = 90.0
"""Seconds that it may take in all; more than HANG_S, since the machine may be busy."""
MAX_BYTES = 2 << 30
"""Memory of a worker, or of one of its children."""

_AT_ONCE, _POLL_S, _START_S = 400, 0.05, 180.0
"""Mutants of one process; between two looks; until a worker has loaded what it needs."""
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")


def supervise(
    kind: str, numbers: Sequence[int], processes: int, seconds: float, folder: Path
) -> Iterator[Verdict]:
    """Yield what becomes of each mutant, until time is up.

    Args:
        kind: a module of `mutants`.
        numbers: of the mutants.
        processes: workers at once.
        seconds: there are.
        folder: empty; mutants with a fault are kept in it, and what C is to be compiled of.
    """
    for name in (KEPT, FAULTS, LOG):
        (folder / name).mkdir(parents=True)
    deadline, waiting = time.monotonic() + seconds, list(reversed(numbers))
    workers = [_Worker(kind, folder) for _ in range(min(processes, len(waiting)))]
    try:
        while time.monotonic() < deadline and (waiting or any(one.is_busy for one in workers)):
            connection.wait([one.line for one in workers], _POLL_S)
            for place, worker in enumerate(workers):
                verdict = worker.look()
                if verdict is not None:
                    yield verdict
                if worker.is_over:
                    worker.end()
                    worker = workers[place] = _Worker(kind, folder)
                if worker.is_ready and waiting:
                    worker.give(waiting.pop())
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """One process, and what it is doing."""

    def __init__(self, kind: str, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.folder = folder
        self.line: Connection
        self.line, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=work, args=(kind, folder, theirs))
        self.process.start()
        theirs.close()
        self.number: int | None = None
        self.is_ready = False
        self.is_over = False
        self.begun = time.monotonic()
        self.used = 0.0
        self.peak = 0
        self.done = 0

    @property
    def is_busy(self) -> bool:
        return self.number is not None

    def give(self, number: int) -> None:
        """Have it try a mutant."""
        self.number, self.is_ready = number, False
        self.begun, self.used, self.peak = time.monotonic(), _usage(self.pid)[0], 0
        with contextlib.suppress(OSError):
            self.line.send(number)

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def look(self) -> Verdict | None:
        """Return what became of its mutant, if it is known by now."""
        try:
            said = self.line.recv() if self.line.poll() else None
        except (EOFError, OSError):
            return self._dead()
        if said == READY:
            self.is_ready = True
        elif isinstance(said, str):
            raise RuntimeError(f"mutant {self.number} cannot be made: {said}")
        elif isinstance(said, Verdict):
            return self._done(said)
        return self._limits()

    def _done(self, verdict: Verdict) -> Verdict:
        self.number, self.is_ready, self.done = None, True, self.done + 1
        self.is_over = self.done >= _AT_ONCE
        peak = max(verdict.peak_bytes, self.peak)
        if peak > MAX_BYTES and not verdict.is_fault:
            return self._fault(Outcome.MEMORY, f"{peak >> 20} MiB", verdict.number)
        return replace(verdict, peak_bytes=peak)

    def _limits(self) -> Verdict | None:
        """Return the verdict of a mutant that takes too much, and end its process."""
        wall = time.monotonic() - self.begun
        if self.number is None:
            if wall > _START_S and not self.is_ready:
                raise RuntimeError("a worker does not start")
            return None
        used, memory = _usage(self.pid)
        self.peak = max(self.peak, memory)
        if memory > MAX_BYTES:
            return self._fault(Outcome.MEMORY, f"{memory >> 20} MiB")
        if used - self.used > HANG_S or wall > WALL_S:
            return self._fault(Outcome.HANG, f"{used - self.used:.0f} s of {wall:.0f} s")
        return None

    def _dead(self) -> Verdict | None:
        self.process.join(5)
        self.is_over = True
        log = self.folder / LOG / str(self.pid)
        said = log.read_text(errors="replace")[-400:] if log.exists() else ""
        if self.number is None:
            raise RuntimeError(f"a worker does not start: {said}")
        return self._fault(Outcome.DEAD, f"exit {self.process.exitcode}: {said}")

    def _fault(self, outcome: Outcome, said: str, number: int | None = None) -> Verdict:
        number = self.number if number is None else number
        assert number is not None
        keep(self.folder, number)
        self.is_over, self.number = True, None
        return Verdict(number, outcome, said, time.monotonic() - self.begun, self.peak)

    def end(self) -> None:
        """End the process and its children."""
        for pid in (*_below(self.pid), self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.join()
        self.line.close()


def _below(pid: int) -> list[int]:
    """Return the processes that one has started, and theirs."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_below(int(child))]
    return found


def _usage(pid: int) -> tuple[float, int]:
    """Return a process' seconds, with its children's, and bytes of memory of the largest."""
    seconds, memory = 0.0, 0
    for one in (pid, *_below(pid)):
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            own = fields[11:15] if one == pid else fields[11:13]
            seconds += sum(map(int, own)) / _TICKS_PER_S
            memory = max(memory, int(fields[21]) * _PAGE_BYTES)
    return seconds, memory
