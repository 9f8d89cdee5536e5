"""A process that computes what to expect of images; `edgesq.verify.workers` starts and asks it.

Requests come on standard input, answers go to standard output, both pickled: first what makes the
function to call, then one image after the other. It ends when its input does, so also when the
process that started it is killed.
"""

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from edgesq.errors import EdgesqError


def serve() -> None:
    """Answer until there are no more requests."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    requests = sys.stdin.buffer
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
        try:
            make, arguments = pickle.load(requests)
            function = _answered(answers, make, *arguments)
            while function is not None:
                _answered(answers, function, pickle.load(requests))
        except (EOFError, BrokenPipeError):
            return


def _answered(answers: Any, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function and say what came of it; its value is sent where it is no function itself."""
    value = None
    try:
        value = function(*arguments)
        answer = True, None if callable(value) else value
    except EdgesqError as error:
        answer = False, error
    except Exception:
        answer = False, traceback.format_exc()
    pickle.dump(answer, answers)
    answers.flush()
    return value
