"""Studies whole: what fits is trained, nothing is lost or done twice, and a killed one goes on."""

import os
import pickle
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from edgesq.errors import EdgesqError, FitError
from edgesq.search.folder import StudyFolder
from edgesq.search.local import LocalEngine
from edgesq.search.records import Limits, Outcome, Params, StudyDocument
from edgesq.search.run import Until, run
from edgesq.search.trial import Result, Task, plan_trial, train_trial
from support.searching import Inline, TinySpace, nothing, shelf, tiny_images, tiny_study


def planned_and_trained(task: Task) -> Result:
    outcome = plan_trial(task)
    fits = outcome.state == "trained"
    return train_trial(task, outcome, tiny_images()) if fits else Result(outcome)


def found(document: StudyDocument) -> list[tuple[object, ...]]:
    """Return what two runs of the same study have in common."""
    return [
        (row.number, row.params, row.outcome.without_times(), row.same_as) for row in document.rows
    ]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> StudyDocument:
    folder = StudyFolder(tmp_path_factory.mktemp("unbroken") / "study")
    return run(tiny_study(folder, TinySpace()), Inline(), Until(20), nothing)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path / "study")


def test_what_does_not_fit_is_never_trained(folder: StudyFolder) -> None:
    study = tiny_study(folder, TinySpace(), Limits(flash_bytes=29_000))
    engine = Inline(result=planned_and_trained)
    document = run(study, engine, Until(3), nothing)
    dropped = [row for row in document.rows if row.outcome.state == "dropped"]
    assert dropped
    assert all(row.outcome.over["flash"] > 0 for row in dropped)
    assert all("B of flash, 29,000 allowed" in row.outcome.why for row in dropped)
    assert engine.trained == [
        row.number
        for row in document.rows
        if row.outcome.accuracy is not None and row.same_as is None
    ]
    assert len(engine.trained) == 3
    for row in document.rows:
        assert folder.model(row.number).is_file() == (row.number in engine.trained)


def test_the_sampler_learns_what_fits(folder: StudyFolder) -> None:
    """Constraints are told: later candidates fit more often than those chosen at random."""
    study = tiny_study(folder, TinySpace(), Limits(flash_bytes=27_000))
    document = run(study, Inline(), Until(10), nothing)
    fits = [row.outcome.fits for row in document.rows]
    assert len(fits) > 16
    assert sum(fits[16:]) / len(fits[16:]) > 1.5 * sum(fits[:16]) / 16


def test_the_front_holds_what_no_other_beats(unbroken: StudyDocument) -> None:
    on = [row for number in unbroken.front if (row := unbroken.row(number))]
    assert on
    for row in unbroken.rows:
        needed = row.outcome.needed
        if row.outcome.state != "trained" or row.number in unbroken.front or needed is None:
            continue
        assert any(
            (other.outcome.accuracy or 0) >= (row.outcome.accuracy or 0)
            and other.outcome.needed is not None
            and other.outcome.needed.flash_bytes <= needed.flash_bytes
            and other.outcome.needed.ram_bytes <= needed.ram_bytes
            for other in on
        )


def test_the_same_metaparameters_are_trained_once(folder: StudyFolder) -> None:
    """The space holds six; candidates of running ones wait for these."""
    engine = Inline(workers=3)
    document = run(tiny_study(folder, TinySpace(widths=(4, 5))), engine, Until(6), nothing)
    chosen = Counter(str(row.params) for row in document.rows if row.same_as is None)
    assert set(chosen.values()) == {1}
    assert len(engine.trained) == len(chosen) == 6
    for row in document.rows:
        if row.same_as is not None:
            same = document.row(row.same_as)
            assert same is not None
            assert (same.params, same.outcome) == (row.params, row.outcome)


def test_a_bad_trial_is_stopped_and_stays_off_the_front(unbroken: StudyDocument) -> None:
    stopped = [row for row in unbroken.rows if row.outcome.state == "stopped"]
    assert stopped
    assert all(3 < len(row.outcome.curve) <= 6 for row in stopped)
    assert not {row.number for row in stopped} & set(unbroken.front)


@dataclass(frozen=True)
class BadSpace(TinySpace):
    """One whose file raises for some metaparameters."""

    def suggest(self, trial: Any) -> Params:
        params = super().suggest(trial)
        if params["size"] == 2:
            raise EdgesqError("negative dimension size")
        return params


def test_a_space_that_raises_for_some_ends_these_alone(folder: StudyFolder) -> None:
    document = run(tiny_study(folder, BadSpace()), Inline(), Until(5), nothing)
    failed = [row for row in document.rows if row.outcome.state == "failed"]
    assert failed
    assert all(row.params["size"] == 2 for row in failed)
    assert all(row.outcome.why == "negative dimension size" for row in failed)
    assert sum(row.outcome.accuracy is not None for row in document.rows) >= 5


def test_a_space_that_raises_at_once_is_told(folder: StudyFolder) -> None:
    space = BadSpace(widths=(4, 4))
    sizes = iter((2, 1, 3))
    object.__setattr__(space, "suggest", lambda trial: _chosen(trial, next(sizes)))
    with pytest.raises(EdgesqError, match="negative dimension size"):
        run(tiny_study(folder, space), Inline(), Until(2), nothing)
    document = run(tiny_study(folder, space, resume=True), Inline(), Until(2), nothing)
    assert document.rows[0].outcome.state == "failed"
    assert len(document.rows) == 3


def _chosen(trial: Any, size: int) -> Params:
    params = {"width": trial.suggest_int("width", 4, 4), "size": size}
    if size == 2:
        raise EdgesqError("negative dimension size")
    return dict(params)


def test_what_cannot_be_handed_to_a_worker_is_raised(folder: StudyFolder) -> None:
    """And not waited for."""
    study = tiny_study(folder, TinySpace())
    task = study.task(0, {"width": 4, "size": 1}, ())
    engine = LocalEngine(1, shelf(folder))
    pipe = subprocess.PIPE
    engine._started = lambda: subprocess.Popen(  # type: ignore[method-assign]
        ["cat"], stdin=pipe, stdout=pipe, start_new_session=True
    )
    engine.submit(replace(task, trainer=lambda *_: None))  # type: ignore[arg-type]
    with pytest.raises((AttributeError, pickle.PicklingError)):
        engine.next()
    engine.close()


def test_nothing_fits(folder: StudyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.search.run.MAX_UNTRAINED", 6)
    study = tiny_study(folder, TinySpace(), Limits(ram_bytes=100))
    with pytest.raises(FitError) as raised:
        run(study, Inline(), Until(3), nothing)
    said = str(raised.value)
    assert "none of 6 candidates fits; nearest was" in said
    assert "B of ram, 100 allowed" in said


def test_a_space_of_which_all_fail_ends_soon(folder: StudyFolder) -> None:
    engine = Inline(result=lambda _: Result(Outcome("failed", why="no such layer")))
    with pytest.raises(EdgesqError, match="all 16 candidates failed, the first so: no such layer"):
        run(tiny_study(folder, TinySpace()), engine, Until(20), nothing)


class Refusing(Inline):
    """Has no images of one network's size."""

    def submit(self, task: Task) -> None:
        if task.params["size"] == 2:
            raise EdgesqError("images of 4096 x 4096 do not fit")
        super().submit(task)


def test_images_that_do_not_fit_fail_their_trial_alone(folder: StudyFolder) -> None:
    document = run(tiny_study(folder, TinySpace()), Refusing(), Until(5), nothing)
    failed = [row for row in document.rows if row.outcome.state == "failed"]
    assert failed
    assert {row.outcome.why for row in failed} == {"images of 4096 x 4096 do not fit"}
    assert sum(row.outcome.accuracy is not None for row in document.rows) >= 5


def test_going_on_gives_what_an_unbroken_run_gives(
    folder: StudyFolder, unbroken: StudyDocument
) -> None:
    """It is ended before anything, among what is chosen at random, and once it learns.

    One trial is left begun each time: chosen, never ended; or not even chosen.
    """
    for ended_after in (0, 5, 18):
        study = tiny_study(folder, TinySpace(), resume=ended_after > 0)
        if ended_after:
            run(study, Inline(), Until(ended_after), nothing)
        trial = study.store.ask()
        if ended_after != 5:
            study.store.keep(trial, study.space.suggest(trial))
        else:
            trial.suggest_int("width", *TinySpace().widths)  # killed in the middle of choosing
    again = tiny_study(folder, TinySpace(), resume=True)
    document = run(again, Inline(), Until(20), nothing)
    assert found(document) == found(unbroken)
    assert document.front == unbroken.front


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """By SIGKILL, with two workers: nothing that was finished is lost or done twice.

    The workers end with it. When it goes on, a worker is killed in the middle of a trial, which is
    run again.
    """
    path = tmp_path / "study"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = "from support.searching import main; main()"
    command = [sys.executable, "-c", program, str(path), "4", "2"]
    slow = {**environment, "EDGESQ_TEST_TRAINING_S": "1.5"}  # not done before it is killed
    process = subprocess.Popen(command, env=slow)
    _wait_for(path, process)
    assert process.poll() is None
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    assert not psutil.wait_procs(workers, timeout=30)[1]
    ended = _rows(path)
    (tmp_path / "crash").touch()
    subprocess.run([*command, "resume"], env=environment, check=True, stdout=subprocess.DEVNULL)
    document = tiny_study(StudyFolder(path), TinySpace(), resume=True).document()
    assert set(ended) <= {str(row) for row in document.rows}
    assert [row.number for row in document.rows] == list(range(len(document.rows)))
    trained = [row.number for row in document.rows if row.outcome.accuracy is not None]
    assert len(trained) == 4
    assert not (tmp_path / "crash").exists()
    assert sorted(int(file.stem) for file in (path / "trials").iterdir()) == trained


def _rows(path: Path) -> list[str]:
    study = tiny_study(StudyFolder(path), TinySpace(), resume=True)
    return [str(row) for row in study.store.rows()]


def _wait_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    """Wait for the second network: when it is written, the first is in the storage."""
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and process.poll() is None:
        if len(list(path.glob("trials/*.tflite"))) > 1:
            return
        time.sleep(0.1)
