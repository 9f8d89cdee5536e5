"""Named steps, and the driver that runs them: the only one that tells how far an export is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stage:
    """How far an export is.

    Attributes:
        number: of the step that runs, from 1.
        total: how many steps there are.
        name: of the step.
        detail: what it is at; empty when it begins.
    """

    number: int
    total: int
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}" if self.detail else self.name


OnStage = Callable[[Stage], None]


def _always(_: Any) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """A part of the work.

    Attributes:
        name: for a progress display.
        run: takes what the step before returned, and returns what the next one takes.
        is_needed: says of what `run` would take whether there is anything to do; where there is
            not, the step is passed over.
    """

    name: str
    run: Callable[[Any], Any]
    is_needed: Callable[[Any], bool] = _always


class Driver:
    """Runs lists of steps one after the other.

    Args:
        on_stage: is told which step begins, and what it is at.
    """

    def __init__(self, on_stage: OnStage) -> None:
        self._on_stage = on_stage
        self._total = self._number = 0
        self._name = ""

    def announce(self, *lists: Sequence[Step]) -> None:
        """Say which lists will be run."""
        self._total = sum(map(len, lists))

    def run(self, steps: Sequence[Step], state: Any) -> Any:
        """Run steps, the first on `state`; return what the last one returns."""
        for step in steps:
            self._number += 1
            self._name = step.name
            if step.is_needed(state):
                self.tell("")
                state = step.run(state)
        return state

    def tell(self, detail: str) -> None:
        """Tell what the step that runs is at."""
        self._on_stage(Stage(self._number, self._total, self._name, detail))
