"""A worker process: takes trials on standard input, gives results on standard output, pickled."""

import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO

from edgesq.search.images import Images
from edgesq.search.trial import Result, Task, plan_trial, train_trial

_WATCH_S = 1.0
"""Between looks at whether the parent lives."""


def serve(parent: int) -> None:
    """Run trials until the input ends; whatever libraries print goes nowhere.

    Args:
        parent: process id; once it is gone, so is this process with what it has started.
    """
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    held: dict[Path, Images] = {}
    while (asked := _next(sys.stdin.buffer)) is not None:
        task, path = asked
        answer: Result | BaseException
        try:
            answer = _run(task, path, held)
        except (Exception, SystemExit) as error:  # a bug, which the parent shows
            error.__traceback__ = None
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


def _follow(parent: int) -> None:
    """End this process and its compilers when the parent was killed: no signal says so."""
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os.killpg(0, signal.SIGKILL)


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
