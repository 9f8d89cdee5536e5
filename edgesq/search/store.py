"""A study as Optuna keeps it: what was chosen, what became of it, and what to try next.

One process asks and tells; workers never see the storage. Each choice is drawn by a generator of
its own, seeded by study, trial and metaparameter, so that a study that goes on after it was killed
chooses what it would have chosen.
"""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from edgesq.errors import EdgesqError
from edgesq.records import made, plain
from edgesq.search.records import Outcome, Params, Row
from edgesq.search.urls import without_password

DIRECTIONS = ("maximize", "minimize", "minimize", "minimize")
"""Accuracy, RAM, flash, instructions."""

STARTUP_TRIALS = 16
"""Chosen at random, before TPE has something to go by."""

_OUTCOME, _PARAMS, _SAME_AS = "outcome", "params", "same_as"
_MIN_FOR_IMPORTANCE = 8
_MAX_SAID = 200


class _Repeatable(BaseSampler):  # type: ignore[misc] # Optuna is not read by mypy
    """Optuna's multi-objective TPE, drawing the same for the same history."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        """Choose each metaparameter by itself."""
        del study, trial
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        """Choose none together."""
        del study, trial, search_space
        return {}

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        """Choose one."""
        seed = zlib.crc32(f"{self._seed} {trial.number} {name}".encode())
        sampler = TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)
        return sampler.sample_independent(study, trial, name, distribution)


class Store:
    """A study in an Optuna storage.

    Args:
        url: of the storage.
        name: of the study there.
        seed: of its choices.
        resume: whether it is there already.

    Raises:
        EdgesqError: the storage cannot be opened, another study has the name, or there is none.
    """

    def __init__(self, url: str, name: str, seed: int, *, resume: bool) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = _Repeatable(seed)
        self.name = name
        self._url = url
        self._where = where = without_password(url)
        try:
            if resume:
                self._study = optuna.load_study(study_name=name, storage=url, sampler=sampler)
            else:
                self._study = optuna.create_study(
                    study_name=name, storage=url, sampler=sampler, directions=DIRECTIONS
                )
        except optuna.exceptions.DuplicatedStudyError as error:
            raise EdgesqError(
                f"holds another study called {name}", where=where, hint="call --out otherwise"
            ) from error
        except KeyError as error:
            raise EdgesqError(
                f"holds no study called {name}", where=where, hint="begin it without --resume"
            ) from error
        except Exception as error:  # of whatever database it is
            raise EdgesqError(
                f"cannot be used as a storage: {_said(error)}", where=where, hint="see --storage"
            ) from error
        if len(self._study.directions) != len(DIRECTIONS):
            raise EdgesqError(
                f"{name} is a study of something else", where=where, hint="call --out otherwise"
            )

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Around whatever asks the storage: what a database raises is an error a user can act on.

        Raises:
            EdgesqError: it is locked, full, gone, or holds what no search wrote.
        """
        try:
            yield
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            cause = error.__cause__ if isinstance(error.__cause__, SQLAlchemyError) else error
            raise EdgesqError(
                f"the storage failed: {_said(cause)}",
                where=self._where,
                hint="what is finished is kept: go on by --resume once that is mended",
            ) from error

    def discard(self) -> None:
        """Remove the study: nothing came of it."""
        with self.talking():
            optuna.delete_study(study_name=self.name, storage=self._url)

    def unfinished(self) -> list[Any]:
        """Return the trials that were begun and never ended, by number."""
        with self.talking():
            trials = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [optuna.trial.Trial(self._study, trial._trial_id) for trial in trials]

    def enqueue(self, candidates: Sequence[Params]) -> None:
        """Have these asked for before any other."""
        with self.talking():
            for params in candidates:
                self._study.enqueue_trial(params)

    def ask(self) -> Any:
        """Begin a trial."""
        with self.talking():
            return self._study.ask()

    def keep(self, trial: Any, params: Params) -> None:
        """Note what was chosen for a trial."""
        with self.talking():
            if _PARAMS not in trial.user_attrs:
                trial.set_user_attr(_PARAMS, json.dumps(params))

    def tell(self, trial: Any, outcome: Outcome, same_as: int | None = None) -> Row:
        """End a trial."""
        with self.talking():
            return self._told(trial, outcome, same_as)

    def _told(self, trial: Any, outcome: Outcome, same_as: int | None) -> Row:
        params = json.loads(trial.user_attrs[_PARAMS])
        trial.set_user_attr(_OUTCOME, plain(outcome))
        if same_as is not None:
            trial.set_user_attr(_SAME_AS, same_as)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of one that is set: it was killed while it was told
            for name, part in outcome.over.items():
                trial.set_constraint(name, part)
        values = objectives(outcome)
        if outcome.state == "failed":
            self._study.tell(trial, state=TrialState.FAIL)
        elif values is None:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, values)
        return Row(trial.number, params, outcome, same_as)

    def rows(self) -> list[Row]:
        """Return the trials that ended, by number.

        Raises:
            EdgesqError: the storage fails, or holds of a trial what no search wrote.
        """
        with self.talking():
            trials = self._study.get_trials(deepcopy=False)
        ended = (one for one in trials if one.state.is_finished() and _OUTCOME in one.user_attrs)
        return [self._row(trial) for trial in ended]

    def _row(self, trial: Any) -> Row:
        kept = trial.user_attrs
        try:
            told = {
                "number": trial.number,
                "params": json.loads(kept[_PARAMS]),
                "outcome": kept[_OUTCOME],
                "same_as": kept.get(_SAME_AS),
            }
            return made(Row, told)
        except (KeyError, TypeError, ValueError) as error:
            said = f"{error} is missing" if isinstance(error, KeyError) else error
            raise EdgesqError(
                f"trial {trial.number} of {self.name} is damaged: {said}",
                where=self._where,
                hint="begin a new study",
            ) from error

    def importance(self) -> Mapping[str, float]:
        """Return the share of each metaparameter in how accuracy varies; empty where unknown."""
        with self.talking():
            done = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(done) < _MIN_FOR_IMPORTANCE:
            return {}
        # It brings scikit-learn: half of the time that a search takes to start.
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        with warnings.catch_warnings(), self.talking():
            warnings.simplefilter("ignore")
            found = get_param_importances(
                self._study,
                evaluator=PedAnovaImportanceEvaluator(),
                target=lambda trial: trial.values[0],
            )
        return {name: float(share) for name, share in found.items()}


def _said(error: BaseException) -> str:
    """Return what a database says, without the statement that it says it of."""
    said = getattr(error, "orig", None) or error
    return " ".join(str(said).split())[:_MAX_SAID]


def objectives(outcome: Outcome) -> Sequence[float] | None:
    """Return what Optuna is to improve; None for what was not trained."""
    if outcome.needed is None or outcome.accuracy is None:
        return None
    needed = outcome.needed
    return (
        outcome.accuracy,
        float(needed.ram_bytes),
        float(needed.flash_bytes),
        float(needed.instructions),
    )
