"""Ports, boards and firmware that fail: one line that says what to try, the right code, in time."""

import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgesq.builds import read_report
from support.builds import (
    COMMAND,
    Place,
    check_refusal,
    done,
    edgesq,
    light_build,
    popen,
    refused,
    words,
)
from support.networks import Network

pytest_plugins = ("support.build_fixtures",)

BOARD_LIMIT_S = 10.0
"""A board that does not answer is given up by then, with `--timeout 0.5`."""


def test_a_port_that_is_not_there(place: Place, demo: Path) -> None:
    arguments = ("verify", "--build", demo, "--port", "/dev/ttyNONE")
    place.refused(3, "/dev/ttyNONE: there is no such port", *arguments)


def test_a_port_that_is_no_serial_device(place: Place, demo: Path) -> None:
    arguments = ("verify", "--build", demo, "--port", demo / "report.json")
    place.refused(3, "cannot be opened as a serial port", *arguments)


@pytest.fixture
def silent() -> Iterator[tuple[int, str]]:
    """Yield the descriptor and the name of a serial line at whose end nobody answers."""
    master, slave = pty.openpty()
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_a_silent_board(place: Place, demo: Path, silent: tuple[int, str]) -> None:
    started = time.monotonic()
    arguments = ("verify", "--build", demo, "--port", silent[1], "--timeout", "0.5")
    place.refused(3, f"{silent[1]}: the board is silent", *arguments)
    assert time.monotonic() - started < BOARD_LIMIT_S


@pytest.fixture
def streaming(demo: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield a running `verify` with enough images for a minute, and the pid of its board."""
    done("flash", "--build", demo)
    pid = int(json.loads((demo / "board.json").read_text())["pid"])
    with np.load(demo / "verify_images.npz") as archive:
        images = np.tile(archive["input"], (20, 1, 1, 1))
    np.savez(tmp_path / "many.npz", input=images)
    idle = board_ticks(pid)
    command = [*COMMAND, "verify", "--build", str(demo), "--images", str(tmp_path / "many.npz")]
    process = popen(command)
    deadline = time.monotonic() + 30
    while board_ticks(pid) < idle + 10 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    yield process, pid
    process.kill()
    process.communicate()


def board_ticks(pid: int) -> int:
    """Return the CPU time a process has used in user mode, in hundredths of a second."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


KEPT = (
    r"[\d,]+ of 11,980 images are in .*verify.json; "
    r"the same command with --resume goes on from there\n"
)


def after(pattern: str, text: str) -> str:
    """Return what follows a text that begins by `pattern`."""
    found = re.match(pattern, words(text))
    assert found, text
    return words(text)[found.end() :]


def test_a_board_unplugged_in_the_middle(
    demo: Path, streaming: tuple[subprocess.Popen[str], int]
) -> None:
    process, pid = streaming
    os.kill(pid, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=BOARD_LIMIT_S)
    check_refusal(process.returncode, stdout, after(KEPT, stderr), 3, "the board went away")
    refused(2, "--baud fast: is no rate", "verify", "--build", demo, "--baud", "fast")
    refused(3, r"no board found \(`edgesq flash` one", "verify", "--build", demo)


def test_a_board_that_hangs_in_the_middle(streaming: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = streaming
    os.kill(pid, signal.SIGSTOP)
    try:
        stdout, stderr = process.communicate(timeout=60)
    finally:
        os.kill(pid, signal.SIGCONT)
    check_refusal(process.returncode, stdout, after(KEPT, stderr), 3, "silent|takes no more bytes")


def test_interrupted_verify(demo: Path, streaming: tuple[subprocess.Popen[str], int]) -> None:
    process, _ = streaming
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=BOARD_LIMIT_S)
    assert (process.returncode, stdout) == (130, "")
    assert after(KEPT, stderr) == "interrupted\n"
    left = json.loads((demo / "verify.json").read_text())
    assert (left["run"]["complete"], f"{left['run']['images']:,}") == (
        False,
        words(stderr).split()[0],
    )
    assert left["result"]["exact_images"] == left["run"]["images"] > 0
    says = "verify.json: was made with another images: .*begin anew"
    refused(2, says, "verify", "--build", demo, "--resume")
    assert "0 differing values" in done("verify", "--build", demo, "--count", "2")


def test_interrupted_while_waiting_for_a_silent_board(demo: Path, silent: tuple[int, str]) -> None:
    command = [*COMMAND, "verify", "--build", str(demo), "--port", silent[1], "--timeout", "60"]
    with popen(command) as process:
        assert os.read(silent[0], 1)  # it asks who is there
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=BOARD_LIMIT_S)
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")


def test_a_board_that_runs_another_model(place: Place, demo: Path) -> None:
    done("flash", "--build", demo)
    port = json.loads((demo / "board.json").read_text())["port"]
    theirs = read_report(demo).model.sha256
    network = Network((32, 32, 3))
    content = network.build(network.conv(network.input, 10))
    light_build(place.folder / "mine", "host", content, np.zeros((1, 32, 32, 3), np.int8))
    refusal = rf"the board runs model {theirs}, the build holds [0-9a-f]{{64}} \(`edgesq flash`"
    place.refused(3, refusal, "verify", "--build", "mine", "--port", port)


def test_a_port_in_use(place: Place, demo: Path) -> None:
    done("flash", "--build", demo)
    port = json.loads((demo / "board.json").read_text())["port"]
    with Path(port).open("rb", buffering=0) as line:
        fcntl.flock(line, fcntl.LOCK_EX)
        place.refused(3, "another program uses the port", "verify", "--build", demo)


def test_a_firmware_that_does_not_start(demo: Path) -> None:
    main = demo / "firmware" / "app" / "main.c"
    main.write_text("int main(void) { return 1; }\n")
    result = edgesq("flash", "--build", demo)
    check_refusal(result.returncode, result.stdout, result.stderr, 3, "the board does not start")
    assert not (demo / "board.json").exists()


def test_a_firmware_that_does_not_compile(demo: Path) -> None:
    (demo / "firmware" / "app" / "main.c").write_text("nonsense\n")
    result = edgesq("flash", "--build", demo)
    assert result.returncode == 2
    assert "main.c:1" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (demo / "board.json").exists()
