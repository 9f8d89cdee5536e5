"""One session on the line: numbers and tags frames, knows what is unanswered, bounds every wait."""

import time
from collections import deque
from dataclasses import dataclass

from edgesq.errors import BoardError
from edgesq.link import frame
from edgesq.link.frame import AckStatus, Frame, FrameType
from edgesq.link.holders import how_to_free
from edgesq.link.transport import DEFAULT_BAUD, Transport

BITS_PER_BYTE = 10  # 8N1
_SHORT_ANSWER_BYTES = 24
_MARGIN_S, _ASK_MAX_S, _ASK_PATIENT_S = 0.02, 0.5, 0.5
_FIRST_GUESS_S = 0.05
_STUCK = 2.0
"""Consecutive timeouts without progress after which a board that still answers is given up."""

_BUSY_S = 600.0
_FAST_SILENCE_S = 2.0


class SessionLostError(BoardError):
    """The board has forgotten the session, or the line must go back to the default rate."""


@dataclass
class Counts:
    """What a client counts over all its sessions.

    Attributes:
        repeats: how often something had to be sent again.
        resets: sessions begun again: the board was reset, the port was away, or a rate fell back.
        sent_bytes: on the wire, to the board.
        wire_bytes: sent and received.
        waited_s: seconds spent in reading and writing, that is in waiting for line and board.
    """

    repeats: int = 0
    resets: int = 0
    sent_bytes: int = 0
    wire_bytes: int = 0
    waited_s: float = 0.0


@dataclass(frozen=True)
class _Sent:
    seq: int
    wire_bytes: int
    at: float


class Session:
    """Sends and receives the frames of one tag; firmware/SPEC.md, section 3, has the waits.

    Args:
        transport: an open port.
        tag: 0..65535, in every frame.
        timeout: seconds of silence after which the board is given up; without progress, twice that.
        counts: what to count into.

    Attributes:
        seq: sequence number of the next frame sent.
        answer_bytes: wire bytes of the longest answer that may come.
        is_patient: ask later after a silence, for a board that nothing must interrupt.
        counts: as given.
    """

    def __init__(
        self, transport: Transport, tag: int, timeout: float, counts: Counts | None = None
    ) -> None:
        self.seq = 0
        self.answer_bytes = _SHORT_ANSWER_BYTES
        self.is_patient = False
        self.counts = counts or Counts()
        self._transport = transport
        self._tag = tag
        self._timeout = timeout
        self._decoder = frame.Decoder()
        self._arrived: deque[Frame] = deque()
        self._unanswered: deque[_Sent] = deque()
        self._slowest = _FIRST_GUESS_S  # that an answer took lately
        self._asked = 0  # silences since the last good frame
        self._heard = self._progressed = self._worked = time.monotonic()

    def has_room(self, wire_bytes: int, window: int, most_frames: int) -> bool:
        """Say whether the board's ring takes one more frame.

        At a UART's pace the oldest unanswered frame has left the ring, or is leaving it at this
        moment; so `window` holds those behind it. Where nothing keeps that pace, `window` holds
        that frame too.
        """
        if not self._unanswered:
            return True
        behind = sum(sent.wire_bytes for sent in self._unanswered)
        if self._transport.is_paced:
            behind -= self._unanswered[0].wire_bytes
        return len(self._unanswered) < most_frames and behind + wire_bytes <= window

    def send(self, type_: FrameType, payload: bytes, *, after_silence: bool = False) -> int:
        """Send a frame and return its sequence number.

        Args:
            type_: what it is.
            payload: by type.
            after_silence: end what may have been cut on the line before it.

        Raises:
            BoardError: the port is gone or takes no more bytes.
        """
        encoded = frame.encode(type_, self.seq, self._tag, payload)
        if after_silence or self._asked:  # an ask may have met a full ring, and been cut
            encoded = b"\0" + encoded
        seq, self.seq = self.seq, (self.seq + 1) & 0xFF
        begun = time.monotonic()
        self._unanswered.append(_Sent(seq, len(encoded), begun))
        self._transport.write(encoded)
        self.counts.waited_s += time.monotonic() - begun
        self.counts.sent_bytes += len(encoded)
        self.counts.wire_bytes += len(encoded)
        return seq

    def receive(self, limit: float | None = None) -> Frame | None:
        """Return the next frame of this session, None where it is time to ask again.

        Args:
            limit: seconds to wait; None: as long as an answer may take on this line.

        Raises:
            BoardError: the board is gone, silent, busy for ever, or gets no further.
            SessionLostError: the board does not know the session, or is silent at another rate
                than the default one.
        """
        wait = self._ask_after() if limit is None else limit
        deadline = min(time.monotonic() + wait, self._heard + self._timeout)
        while not self._arrived:
            begun = time.monotonic()
            left = deadline - begun
            if left <= 0:
                self._asked += 1
                self._check_patience()
                return None
            data = self._transport.read(left)
            self.counts.waited_s += time.monotonic() - begun
            self.counts.wire_bytes += len(data)
            self._arrived.extend(got for got in self._decoder.feed(data) if got.tag == self._tag)
        return self._hear(self._arrived.popleft())

    def progress(self) -> None:
        """Note that the work went on: patience starts anew."""
        self._heard = self._progressed = self._worked = time.monotonic()

    def resume(self) -> None:
        """Go on after a pause of any length that was ours.

        Raises:
            SessionLostError: the board will have gone back to the default rate meanwhile.
        """
        pause = time.monotonic() - self._heard
        if self._transport.baud != DEFAULT_BAUD and pause > _FAST_SILENCE_S / 2:
            raise self._lost(f"nothing was sent at {self._transport.baud} baud for {pause:.1f} s")
        self.progress()

    def repeat(self) -> None:
        """Note that something must be sent again."""
        self.counts.repeats += 1

    def error(self, message: str, hint: str) -> BoardError:
        """Return an error about this port."""
        return BoardError(message, where=self._transport.port, hint=hint)

    def _given_up(self, message: str, hint: str) -> BoardError:
        """Return an error about this port that names who else may hear the board."""
        others = self._transport.others()
        if not others:
            return self.error(message, hint)
        message = f"{message}; {', '.join(others)} has the port open too"
        return self.error(message, how_to_free(others))

    def _hear(self, got: Frame) -> Frame:
        now = time.monotonic()
        self._heard, self._asked = now, 0
        if got.type == FrameType.BUSY:
            self._worked = now
        else:
            self._take_answer(got.seq, now)
        self._check_patience()
        if got.type == FrameType.ACK:
            ack = frame.unpack_ack(got.payload)
            if ack is not None and ack.status == AckStatus.NO_SESSION:
                raise self._lost("the board was reset in the middle")
        return got

    def _take_answer(self, seq: int, now: float) -> None:
        """Frames are answered in order: this one, and what is older, has left the board's ring."""
        while self._unanswered and (seq - self._unanswered[0].seq) & 0xFF < 0x80:
            sent = self._unanswered.popleft()
            if sent.seq == seq:
                self._slowest = max(now - sent.at, 0.9 * self._slowest)

    def _ask_after(self) -> float:
        """Return after how many silent seconds to ask: what is on its way, there and back."""
        if self.is_patient:
            return _ASK_PATIENT_S
        waiting = sum(sent.wire_bytes for sent in self._unanswered)
        line = (waiting + self.answer_bytes) * BITS_PER_BYTE / self._transport.baud
        wait = _MARGIN_S + max(line, 1.5 * self._slowest)
        return float(min(_ASK_MAX_S, wait * 2 ** min(self._asked, 5)))

    def _lost(self, message: str) -> SessionLostError:
        return SessionLostError(message, where=self._transport.port, hint="try again")

    def _check_patience(self) -> None:
        now = time.monotonic()
        silence = now - self._heard
        if self._transport.baud != DEFAULT_BAUD and silence >= _FAST_SILENCE_S:
            raise self._lost(f"the board is silent at {self._transport.baud} baud")
        if silence >= self._timeout:
            hint = "reset it, check the baud rate, or `edgesq flash` it again"
            raise self._given_up(f"the board is silent for {self._timeout:g} s", hint)
        if now - self._progressed > _BUSY_S:
            raise self.error(f"the board is busy for {_BUSY_S:g} s", "reset it")
        if now - self._worked > (stuck := _STUCK * self._timeout):
            hint = "check cable and baud rate, and that nothing else uses the port"
            raise self._given_up(f"no progress in {stuck:g} s", hint)
