"""Keep a report on disk while images stream, and go on from it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path

from edgesq.errors import EdgesqError
from edgesq.verify.facts import Comparison
from edgesq.verify.report import VerifyReport, read_json
from edgesq.verify.tally import Tally

_EVERY_S = 5.0
_COST = 20
"""Writing may take one part in so many of the time."""

_SAME = {
    "run.model_sha256": "model",
    "device.board": "board",
    "device.core": "core",
    "device.kernels": "kernels",
    "device.build": "compiler or its flags",
    "run.images_identity": "images",
    "run.planned": "number of images",
    "run.expected_by": "oracle",
    "run.sequence": "number of images in a sequence",
}
"""What a run must share with the one it goes on from, and how it is called."""


@dataclass
class Keeper:
    """Writes the report now and then.

    Attributes:
        path: the file; None keeps nothing.
    """

    path: Path | None
    _next: float = field(default_factory=lambda: time.monotonic() + _EVERY_S)

    def keep_now_and_then(self, report: Callable[[], VerifyReport], tally: Tally) -> None:
        """Write the report where the last one is some seconds old."""
        begun = time.monotonic()
        if self.path is None or begun < self._next:
            return
        self.keep(report(), tally)
        done = time.monotonic()
        self._next = done + max(_EVERY_S, _COST * (done - begun))

    def keep(self, report: VerifyReport, tally: Tally) -> None:
        """Write the report, and what it goes on from where it is incomplete."""
        if self.path is not None:
            state = None if report.run.complete else tally
            replace(report, resume=state).write_json(self.path)


def resumed(path: Path, now: VerifyReport, forms: int) -> tuple[Tally, VerifyReport | None]:
    """Return the tally that the report in `path` ends with, and the report if it is complete.

    Args:
        path: of the report; where there is none yet, the tally is empty.
        now: what an empty report of this run would be.
        forms: of the model, that the board is compared with.

    Raises:
        EdgesqError: the report is damaged, or of another run.
    """
    if not path.exists():
        return Tally(), None
    before = read_json(path)
    _check_same_run(path, before, now)
    if before.run.complete:
        return Tally(), before
    tally = before.resume or Tally()
    if tally.images == before.run.images == len(tally.ticks) and len(tally.against) == forms:
        return tally, None
    raise EdgesqError(
        "does not say how to go on from it", where=str(path), hint="leave --resume out"
    )


def _check_same_run(path: Path, before: VerifyReport, now: VerifyReport) -> None:
    for place, called in _SAME.items():
        theirs, ours = map(attrgetter(place), (before, now))
        if theirs != ours:
            raise EdgesqError(
                f"was made with another {called}: {theirs}, now {ours}",
                where=str(path),
                hint="leave --resume out to begin anew",
            )
    if [_form(row) for row in before.comparisons] != [_form(row) for row in now.comparisons]:
        raise EdgesqError(
            "was compared with other forms of the model",
            where=str(path),
            hint="leave --resume out to begin anew",
        )


def _form(row: Comparison) -> tuple[str, str]:
    return row.against, row.note
