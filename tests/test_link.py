"""The link: a real board process over good and bad lines, and boards that fail."""

import os
import random
import re
import signal
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from boards import (
    SANITIZERS,
    STUB_BYTES,
    STUB_SHAPE,
    BadLine,
    compile_stub,
    running,
    stub_values,
)

from edgesq.errors import BoardError
from edgesq.link import frame
from edgesq.link.client import Client
from edgesq.link.frame import Ack, AckStatus, Decoder, Frame, FrameType, Optimisation
from edgesq.link.transport import Transport, open_port

ALL_FAULTS = ("flip", "drop", "double", "insert", "cut")


# --- a board that is a process of this computer ---


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_stub("host", tmp_path_factory.mktemp("stub") / "board", *SANITIZERS)


@pytest.fixture
def board(firmware: Path, tmp_path: Path) -> Iterator[tuple[int, str]]:
    log = tmp_path / "log"
    with running([str(firmware)], log) as started:
        yield started
    assert log.read_text() == ""  # the sanitizers have nothing to say


def check_images(client: Client, count: int, seed: int, n_bytes: int = STUB_BYTES) -> None:
    chance = random.Random(seed)
    for _ in range(count):
        image = chance.randbytes(n_bytes)
        got = client.infer(image).outputs
        assert all(map(np.array_equal, got, stub_values(image)))


def test_the_board_introduces_itself(board: tuple[int, str]) -> None:
    with open_port(board[1]) as transport:
        info = Client(transport).hello()
    assert info.model_sha256 == bytes(range(32)).hex()
    assert (info.input_shape, info.observed_bytes) == (STUB_SHAPE, (10, 1000))
    assert (info.board, info.kernels, info.tick_hz) == ("host", "portable", 1_000_000)
    assert (info.cpuid, info.op_count) == (0, 5)
    assert re.fullmatch(r"(gcc|clang) \d+\.\d+\.\d+ flags unknown", info.build)
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
    assert result.wire_bytes > STUB_BYTES + 1010


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


# --- the board's answers, frame by frame ---


class Raw:
    """Speaks frames without the client's care."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.decoder = Decoder()
        self.seq = 0

    def ask(self, type_: int, payload: bytes, tag: int = 5) -> Frame | None:
        body = struct.pack("<BBH", type_, self.seq, tag) + payload
        encoded = frame.cobs_encode(body + struct.pack("<I", zlib.crc32(body)))
        self.seq += 1
        return self.send(encoded + b"\0")

    def send(self, data: bytes) -> Frame | None:
        self.transport.write(data)
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            for got in self.decoder.feed(self.transport.read(0.05)):
                return got
        return None

    def ack(self, type_: int, payload: bytes) -> Ack | None:
        answer = self.ask(type_, payload)
        return None if answer is None else frame.unpack_ack(answer.payload)


@pytest.fixture
def raw(board: tuple[int, str]) -> Iterator[Raw]:
    with open_port(board[1]) as transport:
        speaker = Raw(transport)
        answer = speaker.ask(FrameType.HELLO, b"\1")
        assert answer is not None
        assert (answer.type, answer.seq, answer.tag) == (FrameType.INFO, 0, 5)
        yield speaker


def test_answers_to_data(raw: Raw) -> None:
    def data(image: int, offset: int, n: int) -> Ack | None:
        return raw.ack(FrameType.DATA, frame.pack_data(image, offset, bytes(n)))

    assert data(1, 100, 10) == Ack(1, 0, AckStatus.AGAIN)
    assert data(1, 0, 400) == Ack(1, 400, AckStatus.GO)
    assert data(1, 0, 400) == Ack(1, 400, AckStatus.GO)
    assert data(1, 500, 100) == Ack(1, 400, AckStatus.AGAIN)
    assert data(1, 400, 0) == Ack(1, 400, AckStatus.GO)
    assert data(0, 0, 10) == Ack(1, 400, AckStatus.GO)
    assert data(1, 400, 488) == Ack(1, 888, AckStatus.GO)
    assert data(1, 888, 488) == Ack(1, 1376, AckStatus.GO)
    assert data(1, 1376, 125) == Ack(1, 1376, AckStatus.REFUSED)
    assert data(1, 1376, 124) == Ack(1, 1500, AckStatus.DONE)
    assert data(1, 1500, 1) == Ack(1, 1500, AckStatus.REFUSED)
    assert data(1, 0, 400) == Ack(1, 1500, AckStatus.DONE)
    assert data(1, 0xFFFFFFFF, 488) == Ack(2, 0, AckStatus.AGAIN)
    assert data(2, 0xFFFFFFFF, 488) == Ack(2, 0, AckStatus.AGAIN)
    assert data(3, 0, 488) == Ack(2, 0, AckStatus.AGAIN)
    assert data(2, 0, 4) == Ack(2, 4, AckStatus.GO)
    assert data(1, 0, 4) == Ack(2, 4, AckStatus.GO)
    assert data(3, 0, 4) == Ack(2, 4, AckStatus.AGAIN)


WANTS_FIRST = Ack(1, 0, AckStatus.AGAIN)


def test_answers_to_nonsense(raw: Raw) -> None:
    refused = Ack(0, 0, AckStatus.REFUSED)
    assert raw.ack(FrameType.DATA, b"") == refused
    assert raw.ack(FrameType.DATA, bytes(7)) == refused
    assert raw.ack(FrameType.DATA, frame.pack_data(0, 0, bytes(STUB_BYTES // 4))) == refused
    assert raw.ack(FrameType.RESULT_GET, bytes(9)) == refused
    assert raw.ack(0x7F, bytes(100)) == refused
    assert raw.ack(FrameType.INFO, bytes(100)) == refused
    assert raw.ack(FrameType.RESULT_GET, frame.pack_result_get(1, 0, 9)) == WANTS_FIRST
    assert raw.ack(FrameType.BAUD, bytes(3)) == refused
    assert raw.send(b"\0\0\0") is None


@pytest.mark.parametrize("garbage", [b"\1" * 600, b"\x09\x01", b"\xff" * 3000, b"\5abcd"])
def test_garbage_is_answered_by_again(raw: Raw, garbage: bytes) -> None:
    answer = raw.send(garbage + b"\0")
    assert answer is not None
    assert frame.unpack_ack(answer.payload) == WANTS_FIRST


def test_frames_of_a_hostile_host(raw: Raw) -> None:
    chance = random.Random(31)
    for _ in range(3000):
        type_ = chance.choice((2, 2, 2, 3, chance.randrange(2, 256)))
        numbers = [chance.choice((0, 1, 2, 76, 1499, 1500, 0x80000000, 0xFFFFFFFF)) for _ in "ab"]
        payload = struct.pack("<II", *numbers) + chance.randbytes(chance.choice((0, 1, 75, 488)))
        payload = payload[: chance.choice((0, 7, 9, 500, 500))]
        body = struct.pack("<BBH", type_, 0, 5) + payload
        raw.transport.write(frame.cobs_encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0")
        raw.transport.read(0)
    check_images(Client(raw.transport), 2, seed=6)


def test_frames_of_a_session_that_the_board_does_not_know(raw: Raw) -> None:
    answer = raw.ask(FrameType.DATA, frame.pack_data(1, 0, bytes(4)), tag=6)
    assert answer is not None
    assert (answer.tag, answer.seq) == (6, raw.seq - 1)
    assert frame.unpack_ack(answer.payload) == Ack(0, 0, AckStatus.NO_SESSION)
    assert raw.ack(FrameType.DATA, frame.pack_data(1, 1, b"")) == WANTS_FIRST


def test_a_session_may_begin_anywhere(raw: Raw) -> None:
    raw.ask(FrameType.HELLO, frame.pack_hello(0xFFFFFFFE))
    last = Ack(0xFFFFFFFF, 0, AckStatus.AGAIN)
    assert raw.ack(FrameType.DATA, frame.pack_data(0, 0, b"")) == last
    for offset in range(0, 1500, 300):
        raw.ask(FrameType.DATA, frame.pack_data(0xFFFFFFFF, offset, bytes(300)))
    assert raw.ack(FrameType.DATA, frame.pack_data(0, 0, b"")) == Ack(0, 0, AckStatus.GO)


def test_results_stay_while_the_next_image_comes(raw: Raw) -> None:
    def result(image: int, offset: int, most: int) -> frame.Result | None:
        request = frame.pack_result_get(image, offset, most)
        answer = raw.ask(FrameType.RESULT_GET, request)
        assert answer is not None
        return frame.unpack_result(answer.payload) if answer.type == FrameType.RESULT else None

    for offset in range(0, 1500, 300):
        raw.ask(FrameType.DATA, frame.pack_data(1, offset, bytes(300)))
    expected = np.concatenate(stub_values(bytes(1500))).tobytes()
    for step, (offset, most) in enumerate([(0, 468), (468, 500), (0, 7), (1009, 468), (1010, 9)]):
        raw.ask(FrameType.DATA, frame.pack_data(2, step * 290, b"\1" * 290))
        got = result(1, offset, most)
        assert got is not None
        assert (got.image, got.offset, got.total) == (1, offset, 1010)
        assert got.values == expected[offset : offset + min(most, 468)]
    beyond = raw.ack(FrameType.RESULT_GET, frame.pack_result_get(1, 1011, 9))
    assert beyond == Ack(2, 1450, AckStatus.REFUSED)
    assert result(2, 0, 9) is None
    raw.ask(FrameType.DATA, frame.pack_data(2, 1450, b"\1" * 50))
    assert result(1, 0, 9) is None
    newer = result(2, 0, 468)
    assert newer is not None
    assert newer.values == np.concatenate(stub_values(b"\1" * 1500)).tobytes()[:468]
    raw.ask(FrameType.HELLO, frame.pack_hello(0))
    assert result(2, 0, 9) is None


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


class Actor(Transport):
    """Plays a board: answers every frame as `script` says."""

    def __init__(self, *script: tuple[FrameType, bytes]) -> None:
        self.port, self.baud = "actor", 115_200
        self._script = script
        self._pending = b""
        self._decoder = Decoder()

    def write(self, data: bytes) -> None:
        for got in self._decoder.feed(data):
            for type_, payload in self._script:
                self._pending += frame.encode(type_, got.seq, got.tag, payload)

    def set_baud(self, baud: int) -> bool:
        return baud == self.baud

    def read(self, timeout: float) -> bytes:
        if not self._pending:
            time.sleep(min(timeout, 0.01))
        data, self._pending = self._pending, b""
        return data


INFO = struct.pack(
    *("<BBHI32sHHHIIIHBBI", frame.PROTOCOL_VERSION, 1, 496, 1024, bytes(32), 2, 2, 3, 1, 1),
    *(0x411FC272, 7, 2, 1, 10),
)
INFO += b"\1k\1b\1g"


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"\1" + INFO[1:], "speaks protocol version 1, this program 2"),
        (b"", "speaks protocol version None"),
        (INFO[:40], "INFO makes no sense"),
        (INFO[:-2], "INFO makes no sense"),
        (INFO[:60] + b"\3" + INFO[61:], "INFO makes no sense"),
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
    monkeypatch.setattr("edgesq.link.session._STUCK_S", 0.3)
    monkeypatch.setattr("edgesq.link.client.secrets.randbelow", lambda _: 0)
    with pytest.raises(BoardError, match=complaint):
        Client(Actor((FrameType.INFO, INFO), answer), timeout=1).infer(bytes(12))


def test_an_image_of_another_size_is_a_bug_of_ours() -> None:
    with pytest.raises(ValueError, match="13 bytes, the board takes 12"):
        Client(Actor((FrameType.INFO, INFO))).infer(bytes(13))
