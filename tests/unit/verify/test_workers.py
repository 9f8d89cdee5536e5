"""Processes beside the line: the same values, and a clear end whatever happens to one of them."""

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import ImageError, ModelError, ToolError
from edgesq.graph import Int8Array
from edgesq.verify.workers import Beside, Recipe, processes_for
from support.expecting import (
    BUG,
    CHATTER,
    DIE,
    LEAVE,
    NAP_S,
    REFUSE,
    SLOW,
    expect,
    obeying,
    refusing,
)


def image(order: int) -> Int8Array:
    made = np.arange(48, dtype=np.int8).reshape(4, 4, 3)
    made[0, 0, 0] = order
    return made


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Beside]]:
    """Make what starts processes at its second image; hold that none of them is left."""
    monkeypatch.setattr("edgesq.verify.workers._PAYS_S", -1.0)
    made = []

    def make(processes: int) -> Beside:
        one = Beside(expect, Recipe(obeying, (tmp_path,)), 100, processes)
        made.append(one)
        assert one.submit(image(0)).result()[0][1] == [os.getpid()]
        return one

    yield make
    for one in made:
        one.close()
    assert not any(is_running(int(path.name)) for path in tmp_path.iterdir())


def test_the_same_values_from_several_processes(beside: Callable[[int], Beside]) -> None:
    one = beside(3)
    futures = [one.submit(image(order)) for order in [SLOW] * 3 + list(range(-60, 0))]
    got = [future.result()[0] for future in futures]
    pids = {int(pid) for _, (pid,) in got}
    assert len(pids) == 3
    assert os.getpid() not in pids
    sums = [int(total) for (total,), _ in got[3:]]
    assert sums == [int(image(order).astype(int).sum()) for order in range(-60, 0)]
    assert one.seconds >= 3 * NAP_S


def test_as_many_processes_as_are_needed(beside: Callable[[int], Beside]) -> None:
    one = beside(4)
    pids = {int(one.submit(image(order)).result()[0][1][0]) for order in range(-9, 0)}
    assert len(pids) == 1


def test_no_process_where_it_does_not_pay(tmp_path: Path) -> None:
    one = Beside(expect, Recipe(obeying, (tmp_path,)), 5, 4)
    for _ in range(5):
        assert one.submit(image(0)).result()[0][1] == [os.getpid()]
    one.close()
    assert list(tmp_path.iterdir()) == []


def test_what_libraries_print_is_no_answer(beside: Callable[[int], Beside]) -> None:
    one = beside(1)
    assert one.submit(image(CHATTER)).result()[0][0] == [int(image(CHATTER).astype(int).sum())]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (DIE, r"was ended by SIGKILL \(does the memory suffice"),
        (LEAVE, "was ended with code 7: no memory left"),
    ],
)
def test_a_process_that_ends(beside: Callable[[int], Beside], order: int, words: str) -> None:
    one = beside(2)
    slow, bad = one.submit(image(SLOW)), one.submit(image(order))
    with pytest.raises(ToolError, match=words):
        bad.result()
    assert slow.result()


def test_errors_come_as_they_are(beside: Callable[[int], Beside]) -> None:
    one = beside(1)
    refused, bug = one.submit(image(REFUSE)), one.submit(image(BUG))
    with pytest.raises(ImageError, match=r"image 3: is too dark \(brighten it\)"):
        refused.result()
    with pytest.raises(RuntimeError, match="LookupError: a bug of ours"):
        bug.result()
    assert one.submit(image(0)).result()


def test_a_process_that_refuses_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.verify.workers._PAYS_S", -1.0)
    one = Beside(expect, Recipe(refusing, ()), 10, 1)
    one.submit(image(0)).result()
    with pytest.raises(ModelError, match="is another model than at the start"):
        one.submit(image(0)).result()
    one.close()


def test_closing_does_not_wait(beside: Callable[[int], Beside]) -> None:
    one = beside(1)
    futures = [one.submit(image(SLOW)) for _ in range(100)]
    futures[0].result()
    begun = time.monotonic()
    one.close()
    assert time.monotonic() - begun < 50 * NAP_S
    assert futures[-1].cancelled()


SCRIPT = """
import sys, time
from pathlib import Path
import edgesq.verify.workers as workers
from support.expecting import expect, obeying, SLOW
import numpy as np

workers._PAYS_S = -1.0
print("once", flush=True)
one = workers.Beside(expect, workers.Recipe(obeying, (Path(sys.argv[1]),)), 100, 2)
image = np.full((4, 4, 3), SLOW, np.int8)
one.submit(image).result()
one.submit(image).result()
print("started", flush=True)
try:
    [one.submit(image) for _ in range(50)][-1].result()
finally:
    one.close()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_program_that_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    """Also of one that guards no main module, which runs once; Ctrl-C goes to the whole group."""
    script, pids = tmp_path / "script.py", tmp_path / "pids"
    script.write_text(SCRIPT)
    pids.mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(pids)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    ) as program:
        assert program.stdout is not None
        assert [program.stdout.readline() for _ in range(2)] == ["once\n", "started\n"]
        if number == signal.SIGINT:
            os.killpg(program.pid, number)
        else:
            os.kill(program.pid, number)
        said, complaint = program.communicate(timeout=20)
    assert said == ""
    assert complaint.count("Traceback") == (number == signal.SIGINT)
    started = [int(path.name) for path in pids.iterdir()]
    assert started
    deadline = time.monotonic() + 10
    while any(map(is_running, started)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, started))


@pytest.mark.parametrize(("cpus", "processes"), [(1, 0), (2, 1), (4, 3), (64, 8)])
def test_how_many(cpus: int, processes: int) -> None:
    assert processes_for(cpus) == processes
    assert 0 <= processes_for() <= 8
