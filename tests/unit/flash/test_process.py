"""Boards that are processes: their line, and how they are known again."""

import subprocess
import sys
from pathlib import Path

import pytest

from edgesq.errors import ToolError
from edgesq.flash import process, qemu, unicorn
from edgesq.flash.process import command_of, free_port, spawn, start_time, stop_process
from edgesq.flash.runners import runner_of
from edgesq.targets import load_target

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.mark.parametrize("has_proc", [True, False])
def test_a_process_is_known_again_and_stopped(
    has_proc: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By /proc, or by psutil where the system has none."""
    if not has_proc:
        monkeypatch.setattr(process, "_PROC", tmp_path / "none")
    pid, port = spawn(SLEEPER, tmp_path / "log", tcp_port=free_port())
    assert port.startswith("socket://127.0.0.1:")
    started = start_time(pid)
    assert started is not None
    assert start_time(pid) == started
    while len(command_of(pid)) < len(SLEEPER):  # the kernel sets it just after the exec
        assert start_time(pid) == started
    assert command_of(pid)[1:] == SLEEPER[1:]
    assert not stop_process(pid, started + 1_000)  # a later process with its pid
    assert stop_process(pid, started)
    assert (start_time(pid), command_of(pid)) == (None, ())


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    log = tmp_path / "none" / "log"
    with pytest.raises(ToolError, match=f"{log}: cannot be written"):
        spawn(SLEEPER, log)


def test_a_zombie_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_PROC", tmp_path / "none")
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert ended.stdout is not None
    ended.stdout.read()  # at its end; it is not waited for yet
    while start_time(ended.pid) is not None:
        pass
    ended.wait()


def test_a_process_is_told_its_port(tmp_path: Path) -> None:
    script = "import os, sys; sys.stderr.write(os.environ['ESQ_TCP_PORT'])"
    tcp_port = free_port()
    pid, _ = spawn((sys.executable, "-c", script), tmp_path / "log", tcp_port=tcp_port)
    while start_time(pid) is not None:
        pass
    assert (tmp_path / "log").read_text() == str(tcp_port)


def test_qemu_and_unicorn_listen_for_this_computer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    target = load_target("mps2-an386")
    monkeypatch.setattr("edgesq.flash.qemu.shutil.which", lambda name: name)
    words = " ".join(qemu.command(Path("build"), target, 4711))
    assert "socket,host=127.0.0.1,port=4711,server=on,wait=off,nodelay=on" in words
    assert "stdio" not in words
    monkeypatch.setattr("edgesq.flash.runner.require", lambda _: None)
    assert unicorn.RUNNER.command(Path("build"), target, 4711)[-1] == "4711"


@pytest.mark.parametrize(
    ("has_qemu", "has_unicorn", "chosen"),
    [(True, True, "gdb"), (False, True, "unicorn"), (False, False, "gdb")],
)
def test_unicorn_is_taken_where_qemu_is_missing(
    has_qemu: bool, has_unicorn: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither is there, the error says how to get QEMU."""
    monkeypatch.setattr("edgesq.flash.runner.shutil.which", lambda _: "qemu" if has_qemu else None)
    monkeypatch.setattr("edgesq.flash.runner.is_installed", lambda _: has_unicorn)
    assert runner_of(load_target("mps2-an386"), None).name == chosen
    assert runner_of(load_target("mps2-an386"), "unicorn").name == "unicorn"
    assert runner_of(load_target("mps3-an547"), None).name == "gdb"
