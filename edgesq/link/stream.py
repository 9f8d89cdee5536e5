"""Images through a sliding window, the next one without a pause; results back in order.

The board wants one position at a time, (image, offset), and says it in every ACK. We send ahead of
it within its window, and go back to it where something was lost (go-back-N). The board keeps the
results of an image until the next one is done; so the next one's last byte waits for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgesq.link import frame, rows
from edgesq.link.frame import AckStatus, Frame, FrameType
from edgesq.link.info import BoardInfo
from edgesq.link.session import Session

_MIN_ROOM = 56
_FRAMES_AHEAD = 16
_FRAMES_AHEAD_ON_A_BAD_LINE = 3
"""Frames sent ahead on a bad line: every frame after a lost one is lost too."""


@dataclass(frozen=True)
class Finished:
    """All results of one image.

    Attributes:
        values: bytes of the observed tensors, one after the other.
        ticks: of the board's counter, spent in the engine.
        stack_bytes: deepest use of the board's stack so far; 0 where it cannot tell.
        arena_bytes: of the arena, up to the last byte written so far; 0 where it cannot tell.
    """

    values: bytes
    ticks: int
    stack_bytes: int
    arena_bytes: int


@dataclass(frozen=True)
class _Sendable:
    """An image as it goes over the line.

    Attributes:
        type: of its frames.
        content: its bytes, coded or as they are.
    """

    type: FrameType
    content: bytes


class Stream:
    """Sends images and fetches their results; outlives the session it began in.

    Args:
        info: what the board said of itself.
        images: int8 [H, W, C] each, as bytes.
        first: number of the first of them.
        ahead: send while the board computes; otherwise nothing is sent before the last frame is
            answered.
        steps: images of a sequence, where the board's model keeps state from image to image.

    Attributes:
        first: number of the oldest image whose results are not all here.
        sequence: number of the first image of its sequence: a new session begins there.
    """

    def __init__(
        self, info: BoardInfo, images: Iterator[bytes], first: int, *, ahead: bool, steps: int = 1
    ) -> None:
        self.first = self.sequence = first
        self._steps = steps if info.keeps_state else 1
        self._info = info
        self._images = images
        self._ahead = ahead
        self._pending: list[_Sendable] = []  # images from `sequence` on
        self._full = self._room = frame.data_room(info.max_payload)

    def begin(self, session: Session) -> None:
        """Start over in a new session, whose HELLO named the image before `sequence`."""
        session.is_patient = not self._ahead
        self._session = session
        # Positions: sent next by us, the furthest sent so far, the last that the board wanted.
        self._sent = self._furthest = self._wanted = (self.sequence, 0)
        self._mark = session.seq  # answers to frames before this one are late
        self._get: int | None = None  # sequence number of the RESULT_GET that is not answered
        self._values = b""  # of image `first`

    def run(self) -> Finished | None:
        """Return the next image's results, None where there are no more images.

        Raises:
            SessionLostError: `begin` again in another one.
            PortGoneError: likewise.
            BoardError: the board is silent, refuses, or the line is too bad.
            ValueError: an image has another size than the board's input.
        """
        self._session.resume()
        self._fill()
        while self.first < self.sequence + len(self._pending):
            answer = self._session.receive()
            if answer is None:
                self._ask()
            elif answer.type == FrameType.RESULT:
                finished = self._take_result(answer)
                if finished is not None:
                    return finished
            elif answer.type == FrameType.ACK:
                self._take_ack(answer)
            self._fill()
        return None

    # --- what we send ---

    def _fill(self) -> None:
        if not self._send_get():
            return
        while (piece := self._next_piece()) is not None:
            number, offset = self._sent
            if not self._has_room(frame.wire_bytes(len(piece.content))):
                return
            self._session.send(piece.type, frame.pack_data(number, offset, piece.content))
            offset += len(piece.content)
            whole = offset == len(self._pending[number - self.sequence].content)
            self._sent = (number + 1, 0) if whole else (number, offset)
            self._furthest = max(self._furthest, self._sent)

    def _next_piece(self) -> _Sendable | None:
        """Return what to send at `_sent`, None where all that may be sent is."""
        number, offset = self._sent
        if number > self.first and not self._ahead:
            return None
        image = self._image(number)
        if image is None:
            return None
        end = len(image.content) - (number > self.first)
        content = image.content[offset : min(offset + self._room, end)]
        return _Sendable(image.type, content) if content else None

    def _image(self, number: int) -> _Sendable | None:
        index = number - self.sequence
        if index == len(self._pending):
            image = next(self._images, None)
            if image is None:
                return None
            if len(image) != self._info.input_bytes:
                raise ValueError(
                    f"image of {len(image)} bytes, the board takes {self._info.input_bytes}"
                )
            self._pending.append(_sendable(image, self._info))
        return self._pending[index]

    def _send_get(self) -> bool:
        """Ask for results where there are some to ask for; return False if there is no room."""
        if self._get is not None or self._wanted[0] <= self.first:
            return True
        if not self._has_room(frame.wire_bytes(2)):
            return False
        request = frame.pack_result_get(self.first, len(self._values), self._room)
        self._session.answer_bytes = frame.wire_bytes(self._room)
        self._get = self._session.send(FrameType.RESULT_GET, request)
        return True

    def _has_room(self, wire_bytes: int) -> bool:
        most = _FRAMES_AHEAD if self._room == self._full else _FRAMES_AHEAD_ON_A_BAD_LINE
        return self._session.has_room(wire_bytes, self._info.rx_window, most if self._ahead else 1)

    def _ask(self) -> None:
        """After a silence, ask where the board is with an empty DATA, which does no harm anywhere.

        Nothing is repeated yet: the board may only be slow.
        """
        payload = frame.pack_data(self.first, 0, b"")
        self._session.send(FrameType.DATA, payload, after_silence=True)

    # --- what comes back ---

    def _take_ack(self, answer: Frame) -> None:
        ack = frame.unpack_ack(answer.payload)
        if ack is None or ack.wanted > self._furthest:
            return
        if ack.status == AckStatus.REFUSED:
            raise self._session.error("the board refuses the image", "`edgesq flash` it again")
        if ack.wanted > self._wanted:
            self._wanted = ack.wanted
            self._sent = max(self._sent, ack.wanted)
            self._room = min(self._full, self._room + self._room // 4 + 1)
            self._session.progress()
        is_about_get = answer.seq == self._get
        self._check_get(answer)
        if is_about_get or (answer.seq - self._mark) & 0xFF >= 0x80:
            return
        last = (self._session.seq - 1) & 0xFF
        saw_last = answer.seq == last  # so what the board lacks is lost, not under way
        if (last - answer.seq) & 0xFF < 0x80:  # not a guess at a damaged frame that never was
            self._mark = answer.seq
        if (saw_last or ack.status == AckStatus.AGAIN) and self._wanted < self._sent:
            self._sent = self._wanted
            self._mark = self._session.seq
            self._shrink()

    def _check_get(self, answer: Frame) -> None:
        """An answer to RESULT_GET or to a later frame, that is no RESULT: it must be sent again."""
        if self._get is not None and (answer.seq - self._get) & 0xFF < 0x80:
            self._get = None
            self._shrink()

    def _shrink(self) -> None:
        self._session.repeat()
        self._room = max(_MIN_ROOM, self._room // 2)

    def _take_result(self, answer: Frame) -> Finished | None:
        result = frame.unpack_result(answer.payload)
        if result is None or (result.image, result.offset) != (self.first, len(self._values)):
            return None
        total = sum(self._info.observed_bytes)
        if result.total != total or not 0 < len(result.values) <= total - result.offset:
            raise self._session.error(
                "the board's RESULT makes no sense", "`edgesq flash` it again"
            )
        self._values += result.values
        self._get = None
        self._session.progress()
        if len(self._values) < total:
            return None
        finished = Finished(self._values, result.ticks, result.stack_bytes, result.arena_bytes)
        self._values = b""
        self.first += 1
        if self.first - self.sequence == self._steps:
            del self._pending[: self._steps]
            self.sequence = self.first
        return finished


def _sendable(image: bytes, info: BoardInfo) -> _Sendable:
    """Return an image with its rows coded where the board takes that and it is shorter."""
    if info.takes_coded:
        coded = rows.encode(np.frombuffer(image, np.int8).reshape(info.input_shape))
        if len(coded) < len(image):
            return _Sendable(FrameType.CODED, coded)
    return _Sendable(FrameType.DATA, image)
