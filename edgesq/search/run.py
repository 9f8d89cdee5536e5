"""Run a study: ask, hand out, tell, until enough was trained."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from edgesq.errors import EdgesqError, FitError
from edgesq.search.engine import Engine
from edgesq.search.folder import StudyFolder
from edgesq.search.front import Rival, front, rivals
from edgesq.search.planning import misses
from edgesq.search.records import Needed, Outcome, Params, Row, Settings, StudyDocument
from edgesq.search.space import Space
from edgesq.search.train import train
from edgesq.search.trial import Task, Trainer
from edgesq.targets import Target

if TYPE_CHECKING:
    from edgesq.search.store import Store

MAX_UNTRAINED = 400
"""Candidates in a row that do not fit, or were there before: then the search is at its end."""

MAX_FAILED = 16
"""Candidates that fail before any other: then no other will do better."""

OnRow = Callable[[Row], None]


@dataclass(frozen=True)
class Until:
    """When no more candidates are begun; what runs then is waited for.

    Attributes:
        trained: candidates, those that were trained before included; None for no limit.
        seconds: from the start; None for no limit.
    """

    trained: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Study:
    """What a run works with.

    Attributes:
        folder: of the study; holds the trained networks.
        settings: what makes it this study.
        store: Optuna's side of it.
        space: what it chooses among.
        board: that it is for.
        trainer: trains a candidate.
        compiles: whether trained networks are compiled for their size.
        networks: that there are, of a grid: each is trained whole; None of what is searched.
    """

    folder: StudyFolder
    settings: Settings
    store: Store
    space: Space
    board: Target
    trainer: Trainer = train
    compiles: bool = True
    networks: int | None = None

    @property
    def has_trained(self) -> bool:
        """Whether any network was trained."""
        return any(row.outcome.accuracy is not None for row in self.store.rows())

    def discard(self) -> None:
        """Remove the study, from a storage that others use too, and its folder."""
        with suppress(EdgesqError):  # of a storage that fails, and keeps what little there is
            self.store.discard()
        self.folder.discard()

    def document(self) -> StudyDocument:
        """Return what was found so far."""
        rows = tuple(self.store.rows())
        return StudyDocument(
            settings=self.settings,
            rows=rows,
            front=front(rows),
            importance=self.store.importance(),
        )

    def task(self, number: int, params: Params, against: tuple[Rival, ...]) -> Task:
        """Return what a worker is asked."""
        return Task(
            number,
            params,
            self.space,
            self.board,
            self.settings.limits,
            self.settings.training,
            against if self.networks is None else (),
            self.trainer,
            self.compiles,
        )


@dataclass
class _Run:
    """A run that is going on."""

    study: Study
    engine: Engine
    until: Until
    on_row: OnRow
    begun: float = field(default_factory=time.monotonic)
    running: dict[int, tuple[Any, Params]] = field(default_factory=dict)
    waiting: list[tuple[Any, Params]] = field(default_factory=list)
    """Trials with the metaparameters of one that runs: its outcome will be theirs."""

    def __post_init__(self) -> None:
        self.rows = self.study.store.rows()
        self.known = {_key(row.params): row for row in reversed(self.rows)}
        self.untrained = _untrained_last(self.rows)
        self.unfinished = self.study.store.unfinished()

    def go(self) -> None:
        """Run until there is no more to begin, and what runs has ended."""
        while True:
            while len(self.running) < self.engine.workers and self.wants_more():
                self.begin()
            if not self.running:
                return
            number, result = self.engine.next()
            trial, params = self.running.pop(number)
            if result.content:
                self.study.folder.keep(number, result.content)
            self.end(trial, result.outcome)
            for other in [one for one in self.waiting if _key(one[1]) == _key(params)]:
                self.waiting.remove(other)
                self.end(other[0], result.outcome, number)

    def wants_more(self) -> bool:
        """Say whether another candidate is to be begun."""
        if self.unfinished:
            return True
        late = self.until.seconds is not None
        late = late and time.monotonic() - self.begun >= (self.until.seconds or 0)
        trained = sum(map(_is_new, self.rows))
        most = self.until.trained
        enough = most is not None and trained + len(self.running) >= most
        useless = len(self.rows) >= MAX_FAILED and all(map(_has_failed, self.rows))
        begun = len(self.known) + len(self.running)
        whole = self.study.networks is not None and begun >= self.study.networks
        return not (late or enough or useless or whole) and self.untrained < MAX_UNTRAINED

    def begin(self) -> None:
        """Take up a trial that was begun once, or ask for one; hand it out unless it is known."""
        trial = self.unfinished.pop(0) if self.unfinished else self.study.store.ask()
        try:
            with self.study.store.talking():
                params = self.study.space.suggest(trial)
        except EdgesqError as error:
            self.study.store.keep(trial, dict(trial.params))
            self.fail(trial, error)
            return
        self.study.store.keep(trial, params)
        key = _key(params)
        earlier = self.known.get(key)
        if earlier is not None:
            self.end(trial, earlier.outcome, earlier.number)
        elif any(_key(one) == key for _, one in self.running.values()):
            self.waiting.append((trial, params))
            self.untrained += 1
        else:
            try:
                self.engine.submit(self.study.task(trial.number, params, rivals(self.rows)))
            except EdgesqError as error:
                self.fail(trial, error)
                return
            self.running[trial.number] = (trial, params)

    def fail(self, trial: Any, error: EdgesqError) -> None:
        """Tell why a trial cannot be begun: for these metaparameters; for all, at the first."""
        self.end(trial, Outcome("failed", why=str(error)))
        if len(self.rows) == 1:
            raise error

    def end(self, trial: Any, outcome: Outcome, same_as: int | None = None) -> None:
        """Tell the storage, and who watches."""
        row = self.study.store.tell(trial, outcome, same_as)
        self.rows.append(row)
        self.known.setdefault(_key(row.params), row)
        self.untrained = 0 if _is_new(row) else self.untrained + 1
        self.on_row(row)


def run(study: Study, engine: Engine, until: Until, on_row: OnRow) -> StudyDocument:
    """Run a study, from its beginning or from where it was ended.

    Args:
        study: what to run.
        engine: where trials run; it is closed at the end.
        until: when to end.
        on_row: is told each trial that ends.

    Raises:
        FitError: nothing fits; names what came nearest.
        EdgesqError: as `Space.suggest`, or every candidate failed.
    """
    with _closing(engine):
        _Run(study, engine, until, on_row).go()
    document = study.document()
    _refuse_nothing(document, study.board)
    return document


@contextmanager
def _closing(engine: Engine) -> Iterator[None]:
    try:
        yield
    finally:
        engine.close()


def _refuse_nothing(document: StudyDocument, board: Target) -> None:
    """Raise where no candidate came through, and say what came nearest."""
    outcomes = [row.outcome for row in document.rows]
    if not outcomes or any(one.accuracy is not None for one in outcomes):
        return
    failed = [one for one in outcomes if one.state == "failed"]
    dropped = [row for row in document.rows if row.outcome.state == "dropped"]
    if not dropped:
        raise EdgesqError(
            f"all {len(failed)} candidates failed, the first so: {failed[0].why}",
            where="search",
            hint="try `edgesq export` with such a network",
        )
    nearest = min(dropped, key=lambda row: sum(max(part, 0) for part in row.outcome.over.values()))
    chosen = ", ".join(f"{name} {value}" for name, value in nearest.params.items())
    needed: Needed | None = nearest.outcome.planned
    assert needed is not None
    parts = dict(nearest.outcome.over)
    what = misses(needed, parts, board, document.settings.limits)
    raise FitError(
        f"none of {len(outcomes)} candidates fits; nearest was {nearest.number} ({chosen}): {what}",
        where=board.name,
        hint="raise that limit, give a smaller --side, or another board",
    )


def _is_new(row: Row) -> bool:
    """Say whether a trial was trained, and not only told what an earlier one was."""
    return row.outcome.accuracy is not None and row.same_as is None


def _has_failed(row: Row) -> bool:
    return row.outcome.state == "failed"


def _untrained_last(rows: list[Row]) -> int:
    """Return how many trials in a row, up to the last, brought no training."""
    return sum(1 for _ in takewhile(lambda row: not _is_new(row), reversed(rows)))


def _key(params: Params) -> str:
    return json.dumps(params, sort_keys=True)
