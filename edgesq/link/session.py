"""One session on the line: numbers and tags frames, and bounds every wait."""

import time
from collections import deque

from edgesq.errors import BoardError
from edgesq.link import frame
from edgesq.link.frame import Frame, FrameType
from edgesq.link.transport import Transport

_ASK_AGAIN_S = 0.5
_MAX_REPEATS = 10
_BUSY_S = 600.0


class Session:
    """Sends and receives the frames of one tag; firmware/SPEC.md, section 3, has the waits.

    Args:
        transport: an open port.
        tag: 0..65535, in every frame.
        timeout: seconds of silence after which the board is given up.

    Attributes:
        seq: sequence number of the next frame sent.
        repeats: how often something had to be sent again.
        wire_bytes: sent and received so far.
    """

    def __init__(self, transport: Transport, tag: int, timeout: float) -> None:
        self.seq = 0
        self.repeats = 0
        self.wire_bytes = 0
        self._transport = transport
        self._tag = tag
        self._timeout = timeout
        self._decoder = frame.Decoder()
        self._arrived: deque[Frame] = deque()
        self._heard = self._progressed = time.monotonic()
        self._fruitless = 0

    def send(self, type_: FrameType, payload: bytes, *, after_silence: bool = False) -> int:
        """Send a frame and return its wire bytes.

        Args:
            type_: what it is.
            payload: by type.
            after_silence: end what may have been cut on the line before it.

        Raises:
            BoardError: the port is gone or takes no more bytes.
        """
        encoded = frame.encode(type_, self.seq, self._tag, payload)
        self.seq = (self.seq + 1) & 0xFF
        self._transport.write(b"\0" + encoded if after_silence else encoded)
        self.wire_bytes += len(encoded)
        return len(encoded)

    def receive(self) -> Frame | None:
        """Return the next frame of this session, None where it is time to ask again.

        Raises:
            BoardError: the board is gone, silent, or busy for ever.
        """
        deadline = min(time.monotonic() + _ASK_AGAIN_S, self._heard + self._timeout)
        while not self._arrived:
            wait = deadline - time.monotonic()
            if wait <= 0:
                self._check_patience()
                return None
            data = self._transport.read(wait)
            self.wire_bytes += len(data)
            self._arrived.extend(got for got in self._decoder.feed(data) if got.tag == self._tag)
        self._heard = time.monotonic()
        self._check_patience()
        return self._arrived.popleft()

    def progress(self) -> None:
        """Note that the work went on: patience starts anew."""
        self._heard = self._progressed = time.monotonic()
        self._fruitless = 0

    def repeat(self) -> None:
        """Note that something must be sent again.

        Raises:
            BoardError: that has been tried often enough.
        """
        self.repeats += 1
        self._fruitless += 1
        if self._fruitless > _MAX_REPEATS:
            raise self.error(
                f"no progress in {_MAX_REPEATS} repeats",
                "check cable and baud rate, and that nothing else uses the port",
            )

    def error(self, message: str, hint: str) -> BoardError:
        """Return an error about this port."""
        return BoardError(message, where=self._transport.port, hint=hint)

    def _check_patience(self) -> None:
        now = time.monotonic()
        if now - self._heard >= self._timeout:
            raise self.error(
                f"the board is silent for {self._timeout:g} s",
                "reset it, check the baud rate, or `edgesq flash` it again",
            )
        if now - self._progressed > _BUSY_S:
            raise self.error(f"the board is busy for {_BUSY_S:g} s", "reset it")
