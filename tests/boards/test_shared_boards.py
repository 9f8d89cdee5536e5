"""Several boards that are processes of this computer, and one set of images."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgesq.cli.app import app
from edgesq.link.transport import Transport
from edgesq.project import compile_firmware, firmware_path
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, verify
from support.boards import running
from support.builds import edgesq, light_build, refused, words
from support.networks import Network
from support.verify_runs import CLASSES, CONTENT, SHAPE, make_images

COUNT = 60


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    path = make_images(folder / "noise.npz", COUNT)
    with np.load(path) as archive:
        light_build(folder, "host", CONTENT, archive["input"].reshape(-1, *SHAPE))
    compile_firmware(folder / "firmware", load_target("host"))
    return folder


@pytest.fixture
def boards(build: Path, tmp_path: Path) -> Iterator[list[tuple[int, str]]]:
    """Three of the host board: pid and port of each."""
    program = str(firmware_path(build / "firmware", load_target("host")))
    with ExitStack() as stack:
        yield [
            stack.enter_context(running([program], tmp_path / f"log{place}")) for place in range(3)
        ]


def test_three_boards_one_slow_one_killed(
    build: Path, boards: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, fast), (_, slow), (pid, dead) = boards
    one = verify(VerifyOptions(build, ports=(fast,)))
    read, reads = Transport.read, 0

    def slow_read(self: Transport, timeout: float) -> bytes:
        nonlocal reads
        if self.port == slow:
            time.sleep(0.05)
        if self.port == dead and threading.current_thread() is not threading.main_thread():
            reads += 1
            if reads == 3:  # in the middle: an image takes two at least, and it has two
                os.kill(pid, signal.SIGKILL)
        return read(self, timeout)

    monkeypatch.setattr(Transport, "read", slow_read)
    options = VerifyOptions(build, ports=(slow, dead, fast), timeout=0.5)
    report = verify(options)
    assert report.run.images == report.result.exact_images == COUNT
    assert report.run.complete
    assert (report.result, report.comparisons, report.examples) == (
        *(one.result, one.comparisons, one.examples),
    )
    assert report.run.images_identity == one.run.images_identity
    rows = {row.port: row for row in report.boards}
    assert sum(row.images for row in report.boards) == COUNT
    assert rows[slow].images < rows[fast].images
    assert (rows[slow].state, rows[fast].state) == ("finished", "finished")
    assert rows[dead].state == "gone"
    assert "went away" in (rows[dead].error or "")
    assert rows[dead].images <= 2


def test_the_command_shares_goes_on_and_says_who_did_what(
    build: Path, boards: list[tuple[int, str]], tmp_path: Path
) -> None:
    (one, two, third), path = boards, tmp_path / "out.json"
    arguments = ("verify", "--build", build, "--json", path, "--timeout", "0.5", "--html")
    page = tmp_path / "page.html"
    ports = ("--port", one[1], "--port", two[1], "--port", third[1])
    os.kill(third[0], signal.SIGSTOP)  # answers no HELLO: the others go on
    result = edgesq(*arguments, page, *ports)
    os.kill(third[0], signal.SIGCONT)
    assert (result.returncode, words(result.stderr)) == (0, "")
    report = json.loads(path.read_text())
    assert (report["run"]["images"], report["result"]["exact_images"]) == (COUNT, COUNT)
    assert [row["state"] for row in report["boards"]] == ["finished", "finished", "gone"]
    assert report["boards"][2]["error"].startswith(f"{third[1]}: the board is silent for 0.5 s")
    assert "the board is silent" in result.stdout
    result = edgesq(*arguments, page, *ports)
    assert (result.returncode, words(result.stderr)) == (0, "")
    report = json.loads(path.read_text())
    assert (report["run"]["images"], report["result"]["exact_images"]) == (COUNT, COUNT)
    assert [row["port"] for row in report["boards"]] == [one[1], two[1], third[1]]
    assert "boards that shared the images" in result.stdout
    assert all(port in result.stdout for _, port in boards)
    assert all(port in page.read_text() for _, port in boards)


def test_the_command_after_all_boards_went_away(
    build: Path,
    boards: list[tuple[int, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, suite = tmp_path / "out.json", tmp_path / "out.xml"
    options = ("--build", build, "--timeout", "0.5", "--json", path, "--junit", suite)
    begun = [*map(str, options), "--port", boards[0][1], "--port", boards[1][1]]
    read, reads = Transport.read, 0

    def deadly_read(self: Transport, timeout: float) -> bytes:
        nonlocal reads
        if threading.current_thread() is not threading.main_thread():
            reads += 1
            if reads == 80:  # all images take 120 at least
                for pid, _ in boards[:2]:
                    os.kill(pid, signal.SIGKILL)
        return read(self, timeout)

    with monkeypatch.context() as patched:
        patched.setattr(Transport, "read", deadly_read)
        assert CliRunner().invoke(app, ["verify", *begun]).exit_code == 3
    partial = json.loads(path.read_text())
    assert 0 < partial["run"]["images"] < COUNT
    assert not partial["run"]["complete"]
    assert [row["state"] for row in partial["boards"]] == ["gone", "gone"]
    assert "incomplete" in suite.read_text()
    result = edgesq("verify", *options, "--resume", "--port", boards[2][1])
    assert (result.returncode, words(result.stderr)) == (0, "")
    whole = json.loads(path.read_text())
    run, result = whole["run"], whole["result"]
    assert (run["images"], result["exact_images"], run["complete"]) == (COUNT, COUNT, True)


def test_boards_that_cannot_share(
    build: Path, boards: list[tuple[int, str]], tmp_path: Path
) -> None:
    port = boards[0][1]
    refused(2, "share with itself", "verify", "--build", build, "--port", port, "--port", port)
    with np.load(build / "verify_images.npz") as archive:
        images = archive["input"]
    net = Network(SHAPE, (1 / 255, -128), seed=1)
    content = net.build(net.softmax(net.mean(net.conv(net.input, CLASSES, (3, 3)))))
    folder = light_build(tmp_path / "other", "host", content, images)
    compile_firmware(folder / "firmware", load_target("host"))
    program = str(firmware_path(folder / "firmware", load_target("host")))
    with running([program], tmp_path / "other log") as (_, wrong):
        refused(
            3,
            f"{wrong}: the board runs model",
            *("verify", "--build", build, "--port", port, "--port", wrong),
        )
