"""Boards that lie: in-memory transports for the host's side, on a clock of their own."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from unittest import mock

from hypothesis import strategies as st

from edgesq.errors import BoardError
from edgesq.link import baud, client, frame, session, transport
from edgesq.link.frame import AckStatus, Decoder, Frame, FrameType
from edgesq.link.transport import DEFAULT_BAUD, Transport

OBSERVED = (6, 20)
IMAGE = bytes(range(192))
VALUES = bytes(range(200, 200 + sum(OBSERVED)))
HONEST = 0
BUSY_S = 60.0
"""Instead of 600 s: thousands of waits take their time even where none is real."""
_ANSWER_S = 0.2
_FROM_BOARD = [type_ for type_ in FrameType if type_ & 0x80]

INFO = struct.pack(
    *("<BBHI32sHHHIIIHBBII", frame.PROTOCOL_VERSION, 1, 64, 1024, bytes(32), 8, 8, 3, 1000, 1),
    *(0x411FC272, 7, 2, len(OBSERVED), *OBSERVED),
)
INFO += b"\1k\1b\1g"


class Clock:
    """Stands for the module `time`: waits take none, a look at it a microsecond."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1e-6
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class Move:
    """What a board sends when it hears a frame.

    Attributes:
        type: of the frame; HONEST: what a good board would answer.
        image: added to the number of the image that the host spoke of last; 0 is not.
        rest: the payload behind the number.
        seq: added to the number of the frame answered.
        tag: added to the session's tag.
        raw: sent as it is before the frame.
        is_frame: False: only `raw`.
    """

    type: int
    image: int
    rest: bytes
    seq: int = 0
    tag: int = 0
    raw: bytes = b""
    is_frame: bool = True


@dataclass
class HostileBoard(Transport):
    """Answers HELLO by `info`, then every frame by the next of `moves`, over and over.

    Attributes:
        sent: the pieces of RESULT it sent: (tag, image, offset, values).
        most_pending: bytes that waited for the host at any time.
    """

    is_paced = True

    clock: Clock
    moves: Sequence[Move]
    info: bytes = INFO
    is_endless: bool = True
    sent: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    port: str = "hostile"
    baud: int = DEFAULT_BAUD

    def __post_init__(self) -> None:
        self._decoder = Decoder()
        self._pending = b""
        self._image = 0
        self._offset = 0
        self._next = 0

    def write(self, data: bytes) -> None:
        for heard in self._decoder.feed(data):
            if heard.type == FrameType.HELLO:
                self._offset = 0
                self._pending += encode(FrameType.INFO, heard.seq, heard.tag, self.info)
            else:
                self._answer(heard)

    def read(self, timeout: float) -> bytes:
        self.clock.sleep(_ANSWER_S if self._pending else max(timeout, 0.001))
        data, self._pending = self._pending, b""
        return data

    def set_baud(self, baud: int) -> bool:
        self.baud = baud
        return True

    def reopen(self, patience: float) -> None:
        self.clock.sleep(patience)
        raise BoardError("went away", where=self.port)

    def _answer(self, heard: Frame) -> None:
        if heard.type in (FrameType.DATA, FrameType.RESULT_GET) and len(heard.payload) >= 4:
            self._image = int.from_bytes(heard.payload[:4], "little")
        if not self.moves or (self._next >= len(self.moves) and not self.is_endless):
            return
        move = self.moves[self._next % len(self.moves)]
        self._next += 1
        if move.type == HONEST:
            type_, rest = self._honest(heard)
            move = replace(move, type=type_, image=0, rest=rest)
        self._pending += move.raw
        if not move.is_frame:
            return
        tag = (heard.tag + move.tag) & 0xFFFF
        image = (self._image + move.image) & 0xFFFFFFFF
        payload = struct.pack("<I", image) + move.rest
        self._pending += encode(move.type, (heard.seq + move.seq) & 0xFF, tag, payload)
        result = frame.unpack_result(payload) if move.type == FrameType.RESULT else None
        if result is not None:
            self.sent.append((tag, result.image, result.offset, result.values))

    def _honest(self, heard: Frame) -> tuple[int, bytes]:
        """Return the type and, behind the image's number, the payload of what is right."""
        offset = int.from_bytes(heard.payload[4:8], "little")
        if heard.type == FrameType.RESULT_GET:
            values = VALUES[offset : offset + 10]
            head = struct.pack("<IIQII", offset, len(VALUES), 77, 0, 0)
            return FrameType.RESULT, head + values
        if heard.type == FrameType.DATA and offset == self._offset:
            self._offset += len(heard.payload) - 8
        status = AckStatus.DONE if self._offset == len(IMAGE) else AckStatus.GO
        return FrameType.ACK, struct.pack("<IB", self._offset, status)


def encode(type_: int, seq: int, tag: int, payload: bytes) -> bytes:
    """Return the wire bytes of a frame that may be longer than the host allows."""
    body = struct.pack("<BBH", type_, seq, tag) + payload
    return frame.cobs_encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


@contextmanager
def clock() -> Iterator[Clock]:
    """Have the host's side wait by a clock of ours, and for BUSY_S where a board says BUSY."""
    made = Clock()
    with ExitStack() as stack:
        for module in (session, client, baud, transport):
            stack.enter_context(mock.patch.object(module, "time", made))
        stack.enter_context(mock.patch.object(session, "_BUSY_S", BUSY_S))
        yield made


_numbers = st.sampled_from((0, 1, 5, 6, 25, 26, 27, 56, 112, 191, 192, 193, 0x7FFFFFFF, 0xFFFFFFFF))
_u32 = _numbers.map(lambda value: struct.pack("<I", value))
_total = st.just(struct.pack("<I", sum(OBSERVED)))
_acks = st.builds(bytes.__add__, _u32, st.integers(0, 7).map(lambda status: bytes([status])))
_results = st.builds(
    lambda offset, total, ticks, values: offset + total + ticks + values,
    _u32,
    _total | _total | _u32,
    st.binary(min_size=16, max_size=16),
    st.binary(max_size=30),
)
_rests = {FrameType.ACK: _acks, FrameType.RESULT: _results, FrameType.BUSY: st.just(b"")}


def _moves_of(type_: FrameType) -> st.SearchStrategy[Move]:
    rest = st.binary(max_size=600)
    return st.builds(
        Move,
        st.just(int(type_)),
        st.sampled_from((0, 0, 0, 0, 1, -1, 1 << 31)),
        _rests.get(type_, rest) | _rests.get(type_, rest) | rest,
        st.sampled_from((0, 0, 0, 0, -1, 1, 128)),
        st.sampled_from((0, 0, 0, 0, 0, 1)),
        st.sampled_from((b"", b"", b"", b"\0", b"\0\1\0", b"\xff" * 700)),
        st.sampled_from((True, True, True, True, False)),
    )


_honest = st.just(Move(HONEST, 0, b""))
_answers = st.one_of(*map(_moves_of, (FrameType.ACK, FrameType.RESULT)))
moves = _honest | _honest | _answers | st.one_of(*map(_moves_of, _FROM_BOARD))
"""What a board may send that knows the protocol and means harm."""
