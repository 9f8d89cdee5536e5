"""The host's side of the protocol: images to a board, results back."""

import secrets
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.link import frame
from edgesq.link.frame import Ack, AckStatus, BoardInfo, Frame, FrameType
from edgesq.link.session import Session
from edgesq.link.transport import Transport


@dataclass(frozen=True)
class Inference:
    """What a board computed for one image.

    Attributes:
        outputs: int8 [n] per observed tensor: the output, then the logits.
        ticks: of the board's counter, spent in the engine alone.
        stack_bytes: deepest use of the board's stack so far; 0 where it cannot tell.
        retries: how often something had to be sent again.
        wire_bytes: sent and received.
        seconds: from the first byte sent to the last result.
    """

    outputs: tuple[NDArray[np.int8], ...]
    ticks: int
    stack_bytes: int
    retries: int
    wire_bytes: int
    seconds: float


class Client:
    """Talks to the board behind `transport`.

    Args:
        transport: an open port.
        timeout: seconds of silence after which the board is given up.
    """

    def __init__(self, transport: Transport, timeout: float = 5.0) -> None:
        self._transport = transport
        self._timeout = timeout
        self._session: Session | None = None
        self._info: BoardInfo | None = None
        self._image = 0

    def hello(self) -> BoardInfo:
        """Open a session and return what the board is; the end of an earlier session is dropped.

        Raises:
            BoardError: silent, gone, or speaks another protocol version.
        """
        session = Session(self._transport, secrets.randbelow(1 << 16), self._timeout)
        answer = None
        while answer is None:
            session.send(FrameType.HELLO, frame.pack_hello(), after_silence=True)
            answer = session.receive()
            if answer is not None and answer.type != FrameType.INFO:
                session.repeat()
                answer = None
        if frame.protocol_of(answer.payload) != frame.PROTOCOL_VERSION:
            raise session.error(
                f"the board speaks protocol version {frame.protocol_of(answer.payload)}, "
                f"this program {frame.PROTOCOL_VERSION}",
                "`edgesq flash` it again",
            )
        info = frame.unpack_info(answer.payload)
        if info is None:
            raise session.error("the board's INFO makes no sense", "`edgesq flash` it again")
        self._session, self._info, self._image = session, info, 0
        return info

    def session(self) -> tuple[Session, BoardInfo]:
        """Return the open session and what the board said of itself; open one if need be.

        Raises:
            BoardError: silent, gone, or speaks another protocol version.
        """
        if self._info is None or self._session is None:
            self.hello()
        assert self._info is not None
        assert self._session is not None
        return self._session, self._info

    @property
    def image(self) -> int:
        """The number of the last image sent in this session; 0 for none."""
        return self._image

    def next_image(self) -> int:
        """Number a new image."""
        self._image += 1
        return self._image

    def infer(self, image: bytes, *, ahead: bool = True) -> Inference:
        """Have the board compute one image.

        Args:
            image: int8 [H, W, C] as bytes; as many as the board's input has.
            ahead: send while the board computes. Without it no byte interrupts the engine, whose
                ticks are then the same every time.

        Raises:
            BoardError: silent, gone, refuses, or the line is too bad.
            ValueError: the image has another size.
        """
        session, info = self.session()
        if len(image) != info.input_bytes:
            raise ValueError(f"image of {len(image)} bytes, the board takes {info.input_bytes}")
        started, repeats, wire_bytes = time.monotonic(), session.repeats, session.wire_bytes
        self.next_image()
        _Stream(session, info, self._image, image, ahead).run()
        values, last = _fetch(session, info, self._image)
        ends = np.cumsum(info.observed_bytes)[:-1]
        return Inference(
            outputs=tuple(np.split(np.frombuffer(values, dtype=np.int8), ends)),
            ticks=last.ticks,
            stack_bytes=last.stack_bytes,
            retries=session.repeats - repeats,
            wire_bytes=session.wire_bytes - wire_bytes,
            seconds=time.monotonic() - started,
        )


class _Stream:
    """Sends one image, go-back-N within the board's window of unanswered wire bytes."""

    def __init__(
        self, session: Session, info: BoardInfo, number: int, image: bytes, ahead: bool
    ) -> None:
        self._session = session
        self._window = info.rx_window if ahead else 0  # one frame always goes
        self._room = frame.data_room(info.max_payload)
        self._number = number
        self._image = image
        self._sent = 0  # offset
        self._best = 0  # the furthest that the board ever said it is
        self._mark = session.seq  # answers to frames before this one are late
        self._in_flight: deque[tuple[int, int]] = deque()  # offset after it, wire bytes

    def run(self) -> None:
        """Return when the board has all of it and is done."""
        session = self._session
        self._fill()
        while True:
            answer = session.receive()
            if answer is None:
                self._ask()
                continue
            ack = frame.unpack_ack(answer.payload) if answer.type == FrameType.ACK else None
            if ack is None:
                continue  # BUSY, or late
            if self._take(ack, answer):
                return
            self._fill()

    def _fill(self) -> None:
        while self._sent < len(self._image):
            values = self._image[self._sent : self._sent + self._room]
            in_flight = sum(size for _, size in self._in_flight)
            if self._in_flight and in_flight + frame.wire_bytes(len(values)) > self._window:
                return
            payload = frame.pack_data(self._number, self._sent, values)
            size = self._session.send(FrameType.DATA, payload)
            self._sent += len(values)
            self._in_flight.append((self._sent, size))

    def _ask(self) -> None:
        """After a silence, ask where the board is with an empty DATA: it fits any ring.

        Nothing is repeated yet: the board may only be slow.
        """
        payload = frame.pack_data(self._number, self._best, b"")
        self._session.send(FrameType.DATA, payload, after_silence=True)

    def _take(self, ack: Ack, answer: Frame) -> bool:
        """Act on an ACK; return whether the board is done with the image."""
        is_ours = ack.image == self._number
        offset = min(ack.next_offset, len(self._image)) if is_ours else 0
        if is_ours and ack.status == AckStatus.DONE:
            return True
        if (answer.seq - self._mark) & 0xFF >= 0x80:
            return False
        if ack.status == AckStatus.REFUSED:
            raise self._session.error("the board refuses the image", "`edgesq flash` it again")
        if offset > self._best:
            self._best = offset
            self._session.progress()
        # The board has seen the last frame we sent: what it lacks is lost, not under way.
        saw_last = is_ours and answer.seq == (self._session.seq - 1) & 0xFF
        if ack.status == AckStatus.AGAIN or (saw_last and offset < self._sent):
            self._session.repeat()
            self._sent = offset
            self._mark = self._session.seq
            self._in_flight.clear()
        else:
            self._mark = answer.seq
        while self._in_flight and self._in_flight[0][0] <= offset:
            self._in_flight.popleft()
        return False


def _fetch(session: Session, info: BoardInfo, number: int) -> tuple[bytes, frame.Result]:
    """Ask for the results of image `number` piece by piece; return them and the last piece."""
    total = sum(info.observed_bytes)
    values, after_silence = b"", False
    last = None
    session.progress()
    while last is None or len(values) < total:
        request = frame.pack_result_get(number, len(values))
        session.send(FrameType.RESULT_GET, request, after_silence=after_silence)
        result = _receive_result(session, number, len(values), total)
        after_silence = result is None
        if result is None:
            continue
        values, last = values + result.values, result
        session.progress()
    return values, last


def _receive_result(session: Session, number: int, offset: int, total: int) -> frame.Result | None:
    """Return the piece at `offset`, None where it must be asked for again."""
    asked = (session.seq - 1) & 0xFF
    while True:
        answer = session.receive()
        if answer is None:
            session.repeats += 1  # silence has a bound of its own
            return None
        if answer.type == FrameType.ACK and answer.seq == asked:
            session.repeat()
            return None
        result = frame.unpack_result(answer.payload) if answer.type == FrameType.RESULT else None
        if result is not None and (result.image, result.offset, result.total) == (
            number,
            offset,
            total,
        ):
            if 0 < len(result.values) <= total - offset:
                return result
            raise session.error("the board's RESULT makes no sense", "`edgesq flash` it again")
