"""The host side of the protocol: send images, receive results, recover from failures between."""

import contextlib
import secrets
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import BoardError, DamagedError
from edgesq.limits import TIMEOUT_S
from edgesq.link import baud, frame
from edgesq.link.baud import RateOutcome
from edgesq.link.frame import FrameType
from edgesq.link.info import BoardInfo, protocol_of, unpack_info
from edgesq.link.session import Counts, Session, SessionLostError
from edgesq.link.stream import Finished, Stream
from edgesq.link.transport import DEFAULT_BAUD, PortGoneError, Transport

_MAX_RESETS = 20
"""Resets of the board within one image after which the run is given up."""


@dataclass(frozen=True)
class Inference:
    """What a board computed for one image.

    Attributes:
        outputs: int8 [n] per observed tensor: the output, then the logits.
        ticks: of the board's counter, spent in the engine alone.
        stack_bytes: deepest use of the board's stack so far; 0 where it cannot tell.
        arena_bytes: of the arena, up to the last byte written so far; 0 where it cannot tell.
        retries: how often something had to be sent again.
        resets: how often the session was begun again: board reset, port away, rate fallen back.
        sent_bytes: on the wire, to the board.
        wire_bytes: sent and received.
        baud: bits per second of the line at its end.
        seconds: since the last result of the image before, or since the stream began.
        port: of the board, where several share the images; empty where one has them all.
        waited_s: of these seconds, spent waiting for line and board.
    """

    outputs: tuple[NDArray[np.int8], ...]
    ticks: int
    stack_bytes: int
    arena_bytes: int
    retries: int
    resets: int
    sent_bytes: int
    wire_bytes: int
    baud: int
    seconds: float
    port: str = ""
    waited_s: float = 0.0


class Client:
    """Talks to the board behind `transport`.

    Args:
        transport: an open port, at the default rate.
        timeout: seconds of silence, or without a port, after which the board is given up.

    Attributes:
        tried: what came of the rates tried, in their order, in bits per second.
        steps: images of a sequence, where the board's model keeps state from image to image: a
            reset comes before each so many. Each image is one by itself where nobody says more.
    """

    def __init__(self, transport: Transport, timeout: float = TIMEOUT_S) -> None:
        self._transport = transport
        self._timeout = timeout
        self._session: Session | None = None
        self._info: BoardInfo | None = None
        self._counts = Counts()
        self._image = 0  # number of the last image
        self._rates: tuple[int, ...] = (DEFAULT_BAUD,)
        self.tried: dict[int, RateOutcome] = {}
        self.steps = self._said_steps = 1

    @property
    def baud(self) -> int:
        """Bits per second of the line now."""
        return self._transport.baud

    @property
    def has_fixed_rate(self) -> bool:
        """Whether the line's rate is the far end's affair."""
        return self._transport.has_fixed_rate

    def hello(self) -> BoardInfo:
        """Open a session and return what the board is; the end of an earlier session is dropped.

        Raises:
            BoardError: silent, gone, damaged, or speaks another protocol version.
        """
        # Numbers that no earlier session had: a late frame of one fits nowhere.
        self._image = secrets.randbelow(1 << 31)
        self._session, self._info = self._hello(self._image)
        return self._info

    def session(self) -> tuple[Session, BoardInfo]:
        """Return the open session and what the board said of itself; open one if need be.

        Raises:
            BoardError: silent, gone, damaged, or speaks another protocol version.
        """
        if self._session is None or self._info is None:
            self.hello()
        assert self._session is not None
        assert self._info is not None
        return self._session, self._info

    @property
    def image(self) -> int:
        """The number of the last image of this session, or of the one before its first."""
        return self._image

    def next_image(self) -> int:
        """Number a new image."""
        self._image += 1
        return self._image

    def recover(self, error: BoardError) -> None:
        """Begin a new session with the same board, which forgot the last one or went away.

        Args:
            error: what was raised, SessionLostError or PortGoneError.

        Raises:
            BoardError: it does not come back, or another one does.
        """
        assert self._info is not None, "there was a session"
        self._begin_again(error, self._image, self._info)

    def set_baud(self, wanted: int | None) -> int:
        """Take the line to another rate for the client's life, where both sides hold it.

        Args:
            wanted: bits per second; None for the fastest that both sides hold.

        Returns:
            The rate now: the default one where nothing else holds.

        Raises:
            BoardError: silent or gone.
        """
        self._rates = (*baud.RATES, DEFAULT_BAUD) if wanted is None else (wanted, DEFAULT_BAUD)
        self.session()
        return self._switch()

    def timed(self) -> float | None:
        """Return how many bytes per second the board takes, as long echoes show; None without one.

        Raises:
            BoardError: silent or gone.
        """
        session, info = self.session()
        return baud.timed(session, self._transport.baud, info.max_payload)

    def close(self) -> None:
        """Leave the board, if it is still there, at the default rate."""
        if self._session is not None:
            with contextlib.suppress(BoardError):
                baud.back(self._session, self._transport)

    def infer(self, image: bytes, *, ahead: bool = True) -> Inference:
        """Have the board compute one image; see `stream`."""
        (inference,) = self.stream([image], ahead=ahead)
        return inference

    def stream(
        self, images: Iterable[bytes], *, ahead: bool = True
    ) -> Generator[Inference, None, None]:
        """Have the board compute images; yield one result for each, in their order.

        Where the board is reset or its port goes away and comes back, the images that it has not
        answered are sent again, and of their sequence those before them.

        Args:
            images: int8 [H, W, C] each as bytes; taken from when they are needed.
            ahead: send while the board computes. Without it no byte interrupts the engine, whose
                ticks are then the same every time.

        Raises:
            BoardError: silent, gone, refuses, or the line is too bad.
            ValueError: an image has another size than the board's input.
        """
        session, info = self.session()
        if (
            info.keeps_state and max(self.steps, self._said_steps) > 1
        ):  # the last stream may have ended within a sequence
            session, _ = self._hello(self._image)
            self._session = session
        stream = Stream(info, iter(images), self._image + 1, ahead=ahead, steps=self.steps)
        stream.begin(session)
        started, before = time.monotonic(), replace(self._counts)
        is_clean = False
        try:
            while (finished := self._run(stream, info)) is not None:
                now, counts = time.monotonic(), replace(self._counts)
                self._image = stream.first - 1
                spent = now - started
                yield _inference(finished, info, before, counts, self.baud, spent)
                started, before = now, counts
            is_clean = True
        finally:
            if not is_clean:  # the board may be in the middle of an image
                self._session = None

    def _run(self, stream: Stream, info: BoardInfo) -> Finished | None:
        """Run the stream to its next result, through as many sessions as it takes."""
        for _ in range(_MAX_RESETS):
            try:
                return stream.run()
            except (SessionLostError, PortGoneError) as error:
                stream.begin(self._begin_again(error, stream.sequence - 1, info))
        raise BoardError(
            f"the session broke {_MAX_RESETS} times in one image",
            where=self._transport.port,
            hint="does the board reset by itself? check its supply and watchdog",
        )

    def _begin_again(self, error: BoardError, before: int, info: BoardInfo) -> Session:
        """Return a new session with the same board, once it is there again."""
        self._counts.resets += 1
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                if isinstance(error, PortGoneError):
                    self._transport.reopen(deadline - time.monotonic())
                else:
                    self._transport.set_baud(DEFAULT_BAUD)
                self._session, found = self._hello(before)
                break
            except (SessionLostError, PortGoneError) as again:
                if time.monotonic() > deadline:
                    raise
                error = again
        if found != info:
            raise BoardError(
                f"another board came back, with model {found.model_sha256}",
                where=self._transport.port,
                hint="leave the boards as they are while images stream",
            )
        self._switch()
        return self._session

    def _switch(self) -> int:
        """Go to the fastest rate wanted that holds; what does not is not tried again."""
        session, info = self.session()
        while len(self._rates) > 1 and self._transport.baud == DEFAULT_BAUD:
            wanted = self._rates[0]
            outcome = baud.switch(session, self._transport, info.max_payload, wanted)
            if wanted != DEFAULT_BAUD:
                self.tried[wanted] = outcome
            if outcome == RateOutcome.HELD:
                break
            self._rates = self._rates[1:]
        session.progress()
        return self._transport.baud

    def _hello(self, before: int) -> tuple[Session, BoardInfo]:
        tag, self._said_steps = secrets.randbelow(1 << 16), self.steps
        session = Session(self._transport, tag, self._timeout, self._counts)
        answer = None
        while answer is None:
            session.send(FrameType.HELLO, frame.pack_hello(before, self.steps), after_silence=True)
            answer = session.receive()
            if answer is not None and answer.type != FrameType.INFO:
                answer = None
            if answer is None:
                session.repeat()
        version = protocol_of(answer.payload)
        if version != frame.PROTOCOL_VERSION:
            raise session.error(
                f"the board speaks protocol version {version}, this program "
                f"{frame.PROTOCOL_VERSION}",
                "`edgesq flash` it again",
            )
        info = unpack_info(answer.payload)
        if info is None:
            raise session.error("the board's INFO makes no sense", "`edgesq flash` it again")
        if info.damaged:
            operator = info.damaged_op
            raise DamagedError(
                "a layer" if operator is None else f"operator {operator}",
                where=self._transport.port,
                operator=operator,
                model_sha256=info.model_sha256,
            )
        session.progress()
        return session, info


def _inference(
    finished: Finished, info: BoardInfo, before: Counts, now: Counts, rate: int, seconds: float
) -> Inference:
    ends = np.cumsum(info.observed_bytes)[:-1]
    return Inference(
        outputs=tuple(np.split(np.frombuffer(finished.values, dtype=np.int8), ends)),
        ticks=finished.ticks,
        stack_bytes=finished.stack_bytes,
        arena_bytes=finished.arena_bytes,
        retries=now.repeats - before.repeats,
        resets=now.resets - before.resets,
        sent_bytes=now.sent_bytes - before.sent_bytes,
        wire_bytes=now.wire_bytes - before.wire_bytes,
        baud=rate,
        seconds=seconds,
        waited_s=now.waited_s - before.waited_s,
    )
