"""Reading in a child process: its death, its limits and its errors are one line each."""

import json
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgesq.errors import EdgesqError, ModelError
from edgesq.limits import MAX_LOADING_BYTES
from edgesq.quantize import apart as module
from edgesq.quantize import load_keras
from edgesq.quantize.apart import apart

SECONDS = 2
LIGHT = module._BOOT.replace(
    "serve(",
    "from edgesq.quantize import apart_server; apart_server._LIBRARIES = (); "
    f"apart_server.MAX_LOADING_SECONDS = {SECONDS}; serve(",
)
"""A server without TensorFlow, and with little patience."""

KILLED = f"""
import os, time
from edgesq.quantize import apart as module
from edgesq.quantize.apart import apart
module._BOOT = {LIGHT!r}
apart(os.getpid, where="x")
print(apart(os.getppid, where="x"), flush=True)
apart(time.sleep, 100, where="x")
"""


@pytest.fixture(autouse=True, scope="module")
def light() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BOOT", LIGHT)
        patch.setattr(module, "_servers", [])
        yield
        module._stop()


def test_an_answer_comes_from_another_process() -> None:
    assert apart(operator.add, "a", "b", where="x") == "ab"
    assert apart(os.getpid, where="x") != os.getpid()
    assert len(apart(bytes, 1 << 22, where="x")) == 1 << 22


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        (os.abort, (), "x: ends its reader by SIGABRT"),
        (signal.raise_signal, (signal.SIGSEGV,), "x: ends its reader by SIGSEGV"),
        (os._exit, (3,), "x: ends its reader by SIGABRT"),
        (bytearray, (MAX_LOADING_BYTES + 1,), "x: takes more than 2 GiB of memory"),
        (json.loads, ("[" * 10**6,), "x: is nested too deeply"),
        (load_keras, (Path("/none.keras"),), "/none.keras: no such model file .check the path"),
    ],
)
def test_what_goes_wrong_there_is_one_line(
    function: Callable[..., Any], arguments: tuple[Any, ...], says: str
) -> None:
    with pytest.raises(ModelError, match=says) as raised:
        apart(function, *arguments, where="x")
    assert "\n" not in str(raised.value)
    assert apart(operator.neg, 7, where="x") == -7


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError, match=r"Traceback(.|\n)*ZeroDivisionError"):
        apart(operator.truediv, 1, 0, where="x")


def test_time_is_limited() -> None:
    began = time.monotonic()
    with pytest.raises(ModelError, match="takes more than 60 s to read"):
        apart(time.sleep, 100, where="x")
    assert SECONDS <= time.monotonic() - began < 20


def test_a_server_that_was_killed_is_one_line_and_started_again() -> None:
    with pytest.raises(EdgesqError, match=r"x: the process .* was ended"):
        apart(os.kill, apart(os.getppid, where="x"), signal.SIGKILL, where="x")
    assert apart(operator.neg, 7, where="x") == -7


def test_it_ends_with_its_parent() -> None:
    done = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE)
    assert done.stdout is not None
    server = int(done.stdout.readline())
    done.kill()
    done.wait()
    done.stdout.close()
    for _ in range(50):
        if not Path(f"/proc/{server}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{server}").exists()
    groups = [
        stat.read_text().rpartition(") ")[2].split()[2]
        for stat in Path("/proc").glob("[0-9]*/stat")
    ]
    assert str(server) not in groups
