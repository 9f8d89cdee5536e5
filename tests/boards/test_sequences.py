"""A model that keeps state, over good and bad lines, on boards that are reset or go away."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from edgesq.builds import ensure_compiled
from edgesq.flash import flash, stop
from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array
from edgesq.link import frame
from edgesq.link.client import Client
from edgesq.link.frame import FrameType
from edgesq.link.transport import Transport, open_port
from edgesq.project import compile_firmware, firmware_path
from edgesq.reference import run_observed
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, verify
from support.boards import BadLine, running
from support.builds import light_build
from support.sequence_cases import REMEMBERING

CONTENT = REMEMBERING["svdf_of_keywords"]()
GRAPH = read_graph(CONTENT)
COUNT, STEPS = 44, 8
"""Images, of which the last four are a sequence that is cut short."""


def steps_of_time() -> Int8Array:
    shape = (COUNT, *GRAPH.image_shape)
    return np.random.default_rng(5).integers(-128, 128, shape).astype(np.int8)


IMAGES = steps_of_time()


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = light_build(tmp_path_factory.mktemp("build"), "host", CONTENT, IMAGES)
    compile_firmware(folder / "firmware", load_target("host"))
    return folder


@pytest.fixture
def boards(build: Path, tmp_path: Path) -> Iterator[list[tuple[int, str]]]:
    """Two of the host board: pid and port of each."""
    program = str(firmware_path(build / "firmware", load_target("host")))
    with ExitStack() as stack:
        yield [
            stack.enter_context(running([program], tmp_path / f"log{place}")) for place in range(2)
        ]


def streamed(client: Client, images: Iterator[bytes], *, ahead: bool = True) -> Int8Array:
    return np.stack([found.outputs[1] for found in client.stream(images, ahead=ahead)])


def expected(steps: int) -> Int8Array:
    return run_observed(GRAPH, IMAGES, steps)[1]


@pytest.mark.parametrize("ahead", [True, False])
def test_state_is_reset_before_each_sequence_alone(
    boards: list[tuple[int, str]], *, ahead: bool
) -> None:
    assert not np.array_equal(expected(STEPS), expected(COUNT)), "a reset shows"
    assert not np.array_equal(expected(STEPS), expected(1)), "and so does state"
    with open_port(boards[0][1]) as transport:
        client = Client(transport)
        assert client.hello().keeps_state
        for steps in (STEPS, COUNT, 1, STEPS):  # the first ends within a sequence
            client.steps = steps
            found = streamed(client, map(bytes, IMAGES), ahead=ahead)
            np.testing.assert_array_equal(found, expected(steps))


def test_no_fault_of_the_line_advances_it_twice(boards: list[tuple[int, str]]) -> None:
    kinds = ("flip", "drop", "double", "insert", "cut")
    with BadLine(boards[0][1], seed=31, rate=1 / 400, kinds=kinds) as line:
        client = Client(line)
        client.steps = STEPS
        found = streamed(client, map(bytes, IMAGES))
        assert line.faults > 20
    np.testing.assert_array_equal(found, expected(STEPS))


def test_a_lost_session_begins_the_sequence_again(boards: list[tuple[int, str]]) -> None:
    """Another HELLO takes the session away, as a reset does, at each place of a sequence."""
    with open_port(boards[0][1]) as transport:
        client = Client(transport)
        client.steps = STEPS

        def interrupted() -> Iterator[bytes]:
            for number, image in enumerate(IMAGES):
                if number % 5 == 4:
                    hello = frame.pack_hello(0, STEPS)
                    transport.write(b"\0" + frame.encode(FrameType.HELLO, 0, number, hello))
                yield image.tobytes()

        results = list(client.stream(interrupted()))
    assert sum(one.resets for one in results) > 4
    found = np.stack([one.outputs[1] for one in results])
    np.testing.assert_array_equal(found, expected(STEPS))


def test_boards_share_whole_sequences_and_one_is_killed(
    build: Path, boards: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, kept), (pid, dead) = boards
    read, reads = Transport.read, 0

    def deadly_read(self: Transport, timeout: float) -> bytes:
        nonlocal reads
        if self.port == dead and threading.current_thread() is not threading.main_thread():
            reads += 1
            if reads == 5:  # in the middle of a sequence
                os.kill(pid, signal.SIGKILL)
        return read(self, timeout)

    monkeypatch.setattr(Transport, "read", deadly_read)
    report = verify(VerifyOptions(build, ports=(kept, dead), timeout=0.5, sequence=STEPS))
    assert report.run.sequence == STEPS
    assert (report.run.images, report.result.exact_images) == (COUNT, COUNT)
    assert {row.port: row.state for row in report.boards} == {kept: "finished", dead: "gone"}


def test_what_is_resumed_begins_a_sequence(
    build: Path, boards: list[tuple[int, str]], tmp_path: Path
) -> None:
    path = tmp_path / "verify.json"
    options = VerifyOptions(build, ports=(boards[0][1],), report=path, sequence=STEPS)

    def end(done: int, _: int) -> None:
        if done == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(options, end)
    report = verify(VerifyOptions(**{**vars(options), "resume": True}))
    assert (report.run.images, report.result.exact_images) == (COUNT, COUNT)


@pytest.mark.emulated
def test_an_emulated_board_computes_the_same_step_by_step(tmp_path: Path) -> None:
    build = light_build(tmp_path / "build", "netduino2", CONTENT, IMAGES)
    flash(build, ensure_compiled(build, None, lambda _: None))
    try:
        report = verify(VerifyOptions(build, timeout=60))
    finally:
        stop(build)
    assert report.run.sequence == 16
    assert (report.result.exact_images, report.result.differing_values) == (COUNT, 0)
