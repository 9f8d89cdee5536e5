"""What a board answers to each frame, to nonsense, and to a hostile host."""

import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest

from edgesq.link import frame, rows
from edgesq.link.client import Client
from edgesq.link.frame import Ack, AckStatus, FrameType
from edgesq.link.transport import open_port
from support.boards import (
    STUB_BYTES,
    STUB_SHAPE,
    stub_values,
)
from support.link_partners import Raw, check_images

pytest_plugins = ("support.link_partners",)


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
    assert data(1, 1376, 125) == Ack(1, 1500, AckStatus.REFUSED)
    assert data(1, 1376, 124) == Ack(1, 1500, AckStatus.DONE)
    assert data(1, 1500, 1) == Ack(1, 1500, AckStatus.REFUSED)
    assert data(1, 0, 400) == Ack(1, 1500, AckStatus.DONE)
    assert data(1, 0xFFFFFFFF, 488) == Ack(2, 0, AckStatus.AGAIN)
    assert data(2, 0xFFFFFFFF, 488) == Ack(2, 0, AckStatus.AGAIN)
    assert data(3, 0, 488) == Ack(2, 0, AckStatus.AGAIN)
    assert data(2, 0, 4) == Ack(2, 4, AckStatus.GO)
    assert data(1, 0, 4) == Ack(2, 4, AckStatus.GO)
    assert data(3, 0, 4) == Ack(2, 4, AckStatus.AGAIN)


def test_answers_to_coded(raw: Raw) -> None:
    def coded(image: int, offset: int, content: bytes) -> Ack | None:
        return raw.ack(FrameType.CODED, frame.pack_data(image, offset, content))

    flat = rows.encode(np.zeros(STUB_SHAPE, np.int8))
    assert len(flat) == 18
    assert coded(1, 0, flat[:10]) == Ack(1, 10, AckStatus.GO)
    assert coded(1, 0, flat[:10]) == Ack(1, 10, AckStatus.GO)
    assert coded(1, 12, flat[12:]) == Ack(1, 10, AckStatus.AGAIN)
    assert raw.ack(FrameType.DATA, frame.pack_data(1, 10, bytes(9))) == Ack(
        1, 10, AckStatus.REFUSED
    )
    assert coded(1, 10, b"") == Ack(1, 10, AckStatus.GO)
    assert coded(1, 10, flat[10:]) == Ack(1, 18, AckStatus.DONE)
    assert coded(2, 0, flat[:-1]) == Ack(2, 17, AckStatus.GO)
    for refused in (coded(2, 17, flat[-1:] + b"\0"), coded(3, 0, b"\xff" * 488)):
        assert refused is not None  # it may have read ahead of what it needs
        assert refused.status == AckStatus.REFUSED
        assert refused.next_offset < 18 + 4
    assert raw.ack(FrameType.DATA, frame.pack_data(4, 0, bytes(9))) == Ack(4, 9, AckStatus.GO)
    assert coded(4, 9, flat) == Ack(4, 9, AckStatus.REFUSED)


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
