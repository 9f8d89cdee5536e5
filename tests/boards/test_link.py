"""The link: a real board process over good and bad lines, and boards that fail."""

import os
import random
import re
import signal
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import BoardError
from edgesq.link import frame
from edgesq.link.client import Client
from edgesq.link.frame import FrameType
from edgesq.link.info import Optimisation
from edgesq.link.transport import open_port
from support.boards import (
    STUB_BYTES,
    STUB_SHAPE,
    BadLine,
    compile_stub,
    running,
    stub_values,
)
from support.link_partners import INFO, Actor, check_images

pytest_plugins = ("support.link_partners",)

ALL_FAULTS = ("flip", "drop", "double", "insert", "cut")


# --- a board that is a process of this computer ---


def test_the_board_introduces_itself(board: tuple[int, str]) -> None:
    with open_port(board[1]) as transport:
        info = Client(transport).hello()
    assert info.model_sha256 == bytes(range(32)).hex()
    assert (info.input_shape, info.observed_bytes) == (STUB_SHAPE, (10, 1000))
    assert (info.board, info.kernels, info.tick_hz) == ("host", "portable", 1_000_000)
    assert (info.cpuid, info.op_count) == (0, 5)
    assert re.fullmatch(r"(gcc|clang) \d+\.\d+\.\d+", info.build)
    assert frame.wire_bytes(frame.data_room(info.max_payload)) * 2 <= info.rx_window


@pytest.mark.parametrize("level", Optimisation)
def test_the_compiler_says_what_it_optimised_for(tmp_path: Path, level: Optimisation) -> None:
    flags = {Optimisation.NOT_OPTIMISED: "-O0", Optimisation.OPTIMISED_SIZE: "-Os"}
    long = f'-DESQ_BUILD_FLAGS="{"f" * 100}"'
    program = compile_stub("host", tmp_path / "board", flags.get(level, "-O3"), long)
    with running([str(program)], tmp_path / "log") as (_, port), open_port(port) as transport:
        info = Client(transport).hello()
    assert info.optimisation == level
    assert len(info.build) == 96
    assert info.build.endswith("ffff")


def test_images_on_a_good_line(board: tuple[int, str]) -> None:
    with open_port(board[1]) as transport:
        client = Client(transport)
        check_images(client, 20, seed=1)
        result = client.infer(bytes(STUB_BYTES))
    assert result.retries == 0
    assert 1010 < result.wire_bytes < 1010 + STUB_BYTES // 2  # all zeros: the rows come coded


def test_a_session_follows_another(board: tuple[int, str]) -> None:
    for seed in range(3):
        with open_port(board[1]) as transport:
            check_images(Client(transport), 2, seed)


def test_an_abandoned_image_does_no_harm(board: tuple[int, str]) -> None:
    with open_port(board[1]) as transport:
        transport.write(b"\0" + frame.encode(FrameType.HELLO, 0, 77, b"\1"))
        transport.write(frame.encode(FrameType.DATA, 1, 77, frame.pack_data(1, 0, bytes(400))))
        transport.write(frame.encode(FrameType.DATA, 2, 77, bytes(300))[:200])
        check_images(Client(transport), 2, seed=5)


def test_more_frames_than_sequence_numbers(tmp_path: Path) -> None:
    height = 2000
    program = compile_stub("host", tmp_path / "board", f"-DESQ_MODEL_INPUT_HEIGHT={height}")
    with running([str(program)], tmp_path / "log") as (_, port), open_port(port) as transport:
        client = Client(transport)
        check_images(client, 1, seed=3, n_bytes=height * 75)
        assert client.infer(bytes(height * 75)).retries == 0


def test_a_network_that_needs_no_last_rows(tmp_path: Path) -> None:
    program = compile_stub("host", tmp_path / "board", "-DESQ_STUB_ROWS=7")
    with running([str(program)], tmp_path / "log") as (_, port), open_port(port) as transport:
        image = random.Random(4).randbytes(STUB_BYTES)
        got = Client(transport).infer(image).outputs
    assert all(map(np.array_equal, got, stub_values(image[: 7 * 75])))


@pytest.mark.parametrize("kind", ALL_FAULTS)
def test_every_fault_alone(board: tuple[int, str], kind: str) -> None:
    with BadLine(board[1], seed=11, rate=1 / 1500, kinds=[kind]) as line:
        check_images(Client(line), 12, seed=2)
        assert line.faults > 5


def test_all_faults_together(board: tuple[int, str]) -> None:
    with BadLine(board[1], seed=23, rate=1 / 1000, kinds=ALL_FAULTS) as line:
        client = Client(line)
        check_images(client, 40, seed=9)
        assert line.faults > 80


def test_a_heartbeat_outlives_the_silence_bound(tmp_path: Path) -> None:
    # 50 steps of 25 ms after the only row that is wanted; a silent board is given 0.6 s.
    flags = ("-DESQ_STUB_ROWS=1", "-DESQ_STUB_STEPS=50", "-DESQ_STUB_TICKS=25000u")
    program = compile_stub("host", tmp_path / "board", *flags)
    with running([str(program)], tmp_path / "log") as (_, port), open_port(port) as transport:
        client = Client(transport, timeout=0.6)
        client.hello()
        result = client.infer(bytes(STUB_BYTES))
    assert 1.2 < result.ticks / 1e6 < result.seconds
    assert all(map(np.array_equal, result.outputs, stub_values(bytes(75))))


# --- boards and ports that fail ---


def test_no_port() -> None:
    with pytest.raises(BoardError, match=r"/dev/ttyNOWHERE: there is no such port"):
        open_port("/dev/ttyNOWHERE")


def test_not_a_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(BoardError, match="serial port"):
        open_port(str(tmp_path / "file"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every port")
def test_no_permission(board: tuple[int, str]) -> None:
    Path(board[1]).chmod(0)
    with pytest.raises(BoardError, match="no permission"):
        open_port(board[1])


def test_port_in_use(board: tuple[int, str]) -> None:
    with open_port(board[1]), pytest.raises(BoardError, match="another program uses the port"):
        open_port(board[1])


def test_silent_board(tmp_path: Path) -> None:
    with running(["sleep", "60"], tmp_path / "log") as (_, port), open_port(port) as transport:
        begun = time.monotonic()
        with pytest.raises(BoardError, match=r"silent for 0.7 s \(reset it"):
            Client(transport, timeout=0.7).hello()
        assert 0.6 < time.monotonic() - begun < 2


def test_board_that_hangs_in_the_middle(board: tuple[int, str]) -> None:
    pid, port = board
    with open_port(port) as transport:
        client = Client(transport, timeout=0.7)
        client.hello()
        os.kill(pid, signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(BoardError, match=r"silent for 0.7 s"):
            client.infer(bytes(STUB_BYTES))
        assert time.monotonic() - begun < 2
        os.kill(pid, signal.SIGCONT)


def test_board_unplugged_in_the_middle(board: tuple[int, str]) -> None:
    pid, port = board
    with open_port(port) as transport:
        client = Client(transport, timeout=0.5)
        client.hello()
        os.kill(pid, signal.SIGKILL)
        begun = time.monotonic()
        with pytest.raises(BoardError, match="went away in the middle"):
            client.infer(bytes(STUB_BYTES))
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"\1" + INFO[1:], "speaks protocol version 1, this program 2"),
        (b"", "speaks protocol version None"),
        (INFO[:40], "INFO makes no sense"),
        (INFO[:-2], "INFO makes no sense"),
        (INFO[:60] + b"\3" + INFO[61:], "INFO makes no sense"),
        (INFO[:60] + b"\x82" + INFO[61:], "weights of a layer in the board's flash are damaged"),
        (INFO[:60] + b"\x82" + INFO[61:] + b"\7\0", "weights of operator 7 in the board's flash"),
        (INFO[:2] + b"\xff\xff" + INFO[4:], "INFO makes no sense"),
    ],
)
def test_boards_that_speak_otherwise(payload: bytes, complaint: str) -> None:
    with pytest.raises(BoardError, match=complaint):
        Client(Actor((FrameType.INFO, payload))).hello()


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ((FrameType.ACK, struct.pack("<IIB", 1, 0, 3)), "refuses the image"),
        ((FrameType.ACK, struct.pack("<IIB", 1, 0, 1)), "no progress in 0.3 s"),
        ((FrameType.ACK, struct.pack("<IIB", 1, 0, 0)), "no progress in 0.3 s"),
        ((FrameType.ACK, struct.pack("<IIB", 9, 4, 1)), "no progress in 0.3 s"),
        ((FrameType.BUSY, b""), "busy for 0.6 s"),
        ((FrameType.ACK, struct.pack("<IIB", 1, 12, 2)), "no progress in 0.3 s"),
        ((FrameType.ACK, struct.pack("<IIB", 0, 0, 5)), "session broke 20 times in one image"),
    ],
)
def test_boards_that_never_get_there(
    answer: tuple[FrameType, bytes], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgesq.link.session._BUSY_S", 0.6)
    monkeypatch.setattr("edgesq.link.session._STUCK", 0.3)
    monkeypatch.setattr("edgesq.link.client.secrets.randbelow", lambda _: 0)
    with pytest.raises(BoardError, match=complaint):
        Client(Actor((FrameType.INFO, INFO), answer), timeout=1).infer(bytes(12))


def test_an_image_of_another_size_is_a_bug_of_ours() -> None:
    with pytest.raises(ValueError, match="13 bytes, the board takes 12"):
        Client(Actor((FrameType.INFO, INFO))).infer(bytes(13))
