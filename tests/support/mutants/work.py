"""A worker: it tries mutants one after another and says of each what came of it."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType

from edgesq.errors import EdgesqError

KEPT, FAULTS, LOG = "accepted", "faults", "log"
"""Below the folder of all workers: for C, mutants with a fault, what a worker said."""

READY = "ready"
"""What a worker says before its first mutant."""

_PACKAGES = ("edgesq", "tests")


class Outcome(Enum):
    """What became of a mutant."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    DIFFERS = "accepted, and forms differ"
    TRACEBACK = "traceback"
    DEAD = "process dead"
    HANG = "hang"
    MEMORY = "too much memory"


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant.

    Attributes:
        number: of the mutant.
        outcome: what became of it.
        said: the error, and of a fault where it was raised.
        seconds: it took.
        peak_bytes: of the worker's memory.
    """

    number: int
    outcome: Outcome
    said: str
    seconds: float
    peak_bytes: int

    @property
    def is_fault(self) -> bool:
        """Whether it is none of the two good ends."""
        return self.outcome not in (Outcome.REFUSED, Outcome.ACCEPTED)


def work(kind: str, folder: Path, line: Connection) -> None:
    """Try the mutants whose numbers come over the line, until None comes."""
    _redirect(folder / LOG / str(os.getpid()))
    module = importlib.import_module(f"support.mutants.{kind}")
    module.prepare(folder)
    line.send(READY)
    while (number := line.recv()) is not None:
        line.send(_try(module, number, folder))


def place_of(folder: Path, number: int) -> Path:
    """Return the folder of a mutant while it is tried."""
    return folder / f"mutant{number}"


def _try(module: ModuleType, number: int, folder: Path) -> Verdict | str:
    """Return the verdict; a text where the mutant cannot be made, which is a fault of ours."""
    scratch = place_of(folder, number)
    scratch.mkdir()
    try:
        path = module.write(number, scratch)
    except Exception:
        return traceback.format_exc()
    _forget_peak()
    begun = time.monotonic()
    outcome, said = Outcome.ACCEPTED, ""
    try:
        with _temporary(scratch):
            module.attempt(number, path, folder / KEPT / str(number))
    except EdgesqError as error:
        outcome, said = Outcome.REFUSED, str(error)
        if len(said.splitlines()) != 1:
            outcome = Outcome.TRACEBACK
            said = f"an error of several lines: {said!r}"
    except BaseException as error:
        differs = type(error).__name__ == "DiffersError"
        outcome = Outcome.DIFFERS if differs else Outcome.TRACEBACK
        said = _words(error)
    verdict = Verdict(number, outcome, said, time.monotonic() - begun, _peak())
    if verdict.is_fault:
        keep(folder, number)
    shutil.rmtree(scratch, ignore_errors=True)
    return verdict


def keep(folder: Path, number: int) -> None:
    """Keep a mutant that has a fault."""
    with contextlib.suppress(OSError, shutil.Error):
        shutil.copytree(
            place_of(folder, number),
            folder / FAULTS / str(number),
            symlinks=True,
            dirs_exist_ok=True,
        )


def _words(error: BaseException) -> str:
    """Say what was raised, and where in the project's own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if any(f"/{name}/" in one.filename for name in _PACKAGES)]
    where = " < ".join(
        f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(own[-3:])
    )
    return f"{type(error).__name__}: {' '.join(str(error).split())[-300:]} [{where}]"


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """Have temporary files made in a folder."""
    old = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = old


def _redirect(log: Path) -> None:
    """Send what native code says to a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.setsid()


def _forget_peak() -> None:
    """Have the kernel measure this process' peak from here on, where it allows that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
