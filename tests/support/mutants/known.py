"""A kind whose mutants are known to be refused, accepted, or to have each kind of fault."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgesq.errors import EdgesqError
from support.mutants.ladder import DiffersError
from support.mutants.work import Outcome


def prepare(_: Path) -> None:
    """Load nothing."""


def write(number: int, folder: Path) -> Path:
    """Write the number."""
    path = folder / "mutant"
    path.write_text(str(number))
    return path


def attempt(number: int, _: Path, __: Path) -> None:
    """Do what the outcome of that number is for."""
    list(_KNOWN.values())[number]()


def _refuse() -> None:
    raise EdgesqError("it is damaged")


def _differ() -> None:
    raise DiffersError("numpy: 1 of 2 values differ")


def _raise() -> None:
    raise IndexError("no such thing")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang() -> None:
    while True:
        pass


def _fill() -> None:
    held = []
    while True:
        held.append(np.ones(1 << 22, np.uint8))


_KNOWN: dict[Outcome, Callable[[], None]] = {
    Outcome.REFUSED: _refuse,
    Outcome.ACCEPTED: lambda: None,
    Outcome.DIFFERS: _differ,
    Outcome.TRACEBACK: _raise,
    Outcome.DEAD: _die,
    Outcome.HANG: _hang,
    Outcome.MEMORY: _fill,
}
OUTCOMES = tuple(_KNOWN)
"""By number."""
