"""Keep a report on disk while images stream, and go on from it."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edgesq.errors import EdgesqError
from edgesq.verify.report import Comparison, VerifyReport, read_json
from edgesq.verify.tally import Tally

_EVERY_S = 5.0
_COST = 20
"""Writing may take one part in so many of the time."""

_SAME = {
    "model_sha256": "model",
    "board": "board",
    "core": "core",
    "kernels": "kernels",
    "build": "compiler or its flags",
    "images_identity": "images",
    "images_planned": "number of images",
    "expected_by": "oracle",
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
            report.write_json(self.path, None if report.complete else tally.state())


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
    before, state = read_json(path)
    _check_same_run(path, before, now)
    if before.complete:
        return Tally(), before
    with contextlib.suppress(LookupError, TypeError, ValueError, AttributeError, OverflowError):
        tally = Tally.restored(state or {})
        if tally.images == before.images == len(tally.ticks) and len(tally.against) == forms:
            return tally, None
    raise EdgesqError(
        "does not say how to go on from it", where=str(path), hint="leave --resume out"
    )


def _check_same_run(path: Path, before: VerifyReport, now: VerifyReport) -> None:
    for name, called in _SAME.items():
        theirs, ours = getattr(before, name), getattr(now, name)
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
