"""A worker process: takes trials on standard input, gives results on standard output, pickled."""

import os
import pickle
import signal
import sys
from pathlib import Path
from typing import IO

from edgesq.search.images import Images
from edgesq.search.trial import Result, Task, plan_trial, train_trial


def serve() -> None:
    """Run trials until the input ends; whatever libraries print goes nowhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    held: dict[Path, Images] = {}
    while (asked := _next(sys.stdin.buffer)) is not None:
        task, path = asked
        answer: Result | Exception
        try:
            answer = _run(task, path, held)
        except Exception as error:  # a bug, which the parent shows
            error.__traceback__ = None
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


def _next(stream: IO[bytes]) -> tuple[Task, Path] | None:
    try:
        found: tuple[Task, Path] = pickle.load(stream)
    except EOFError:
        return None
    return found


def _run(task: Task, path: Path, held: dict[Path, Images]) -> Result:
    outcome = plan_trial(task)
    if outcome.state != "trained":
        return Result(outcome)
    if path not in held:
        held.clear()
        held[path] = Images.read(path)
    return train_trial(task, outcome, held[path])
