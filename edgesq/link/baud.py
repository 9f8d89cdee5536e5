"""Change the baud rate together with the board, prove it by echoes, and fall back by timeout."""

import secrets
import time
from enum import StrEnum

from edgesq.link import frame
from edgesq.link.frame import FrameType
from edgesq.link.session import BITS_PER_BYTE, Session
from edgesq.link.transport import DEFAULT_BAUD, Transport

RATES = (3_000_000, 2_000_000, 1_500_000, 1_000_000, 921_600, 460_800, 230_400)
"""Rates that `--baud auto` tries, in bits per second."""

_ECHOES, _ECHOES_MISSED = 8, 1
_LATENCY_S = 0.15
_TIMED_ECHOES, _TIMED_S = 5, 1.0
_SETTLE_S = 0.05
_FALLBACK_S = 3.0


class RateOutcome(StrEnum):
    """What came of a rate that was tried: it is held, or by whom it is not."""

    HELD = "held"
    COMPUTER = "computer"
    BOARD = "board"
    LINE = "line"


def switch(session: Session, transport: Transport, max_payload: int, baud: int) -> RateOutcome:
    """Take the line to `baud` where computer, board and line hold it; return whether they do.

    Otherwise the line is as before, at the default rate.

    Args:
        session: open, nothing unanswered.
        transport: its port, at the default rate.
        max_payload: of the board.
        baud: bits per second.

    Raises:
        BoardError: the board is gone.
    """
    if baud == DEFAULT_BAUD:
        return RateOutcome.HELD
    can = transport.set_baud(baud)
    transport.set_baud(DEFAULT_BAUD)
    if not can:
        return RateOutcome.COMPUTER
    if not _ask_board(session, baud):
        return RateOutcome.BOARD
    time.sleep(_SETTLE_S)
    transport.set_baud(baud)
    if _echoes(session, transport, max_payload):
        return RateOutcome.HELD
    back(session, transport)
    return RateOutcome.LINE


def timed(session: Session, baud: int, max_payload: int) -> float | None:
    """Return how many bytes per second the board takes, as long echoes show; None without one.

    Their way back is counted too, so it takes somewhat more.

    Args:
        session: open, nothing unanswered.
        baud: of the line now.
        max_payload: of the board.

    Raises:
        BoardError: the board is gone.
    """
    room = frame.echo_room(max_payload)
    quickest = None
    for _ in range(_TIMED_ECHOES):
        payload = frame.pack_baud(baud, secrets.token_bytes(room))
        begun = time.monotonic()
        session.send(FrameType.BAUD, payload, after_silence=True)
        if _answer(session, (payload,), _TIMED_S) is not None:
            spent = time.monotonic() - begun
            quickest = spent if quickest is None else min(spent, quickest)
    session.progress()
    return None if quickest is None else room / quickest


def back(session: Session, transport: Transport) -> None:
    """Take the line back to the default rate.

    The board is told; where it does not hear it, it goes back by itself when nothing good comes.

    Raises:
        BoardError: the board is gone.
    """
    if transport.baud == DEFAULT_BAUD:
        return
    session.send(FrameType.BAUD, frame.pack_baud(DEFAULT_BAUD), after_silence=True)
    _answer(session, (frame.pack_baud(DEFAULT_BAUD),), _LATENCY_S)
    time.sleep(_SETTLE_S)
    transport.set_baud(DEFAULT_BAUD)
    _ask_board(session, DEFAULT_BAUD)


def _ask_board(session: Session, baud: int) -> bool:
    """Return whether the board says that it switches; ask until it must be back where we are."""
    accepted = frame.pack_baud(baud)
    deadline = time.monotonic() + _FALLBACK_S
    while time.monotonic() < deadline:
        session.send(FrameType.BAUD, accepted, after_silence=True)
        answer = _answer(session, (accepted, frame.pack_baud(0)), _LATENCY_S)
        if answer is not None:
            return answer == accepted
    return False


def _echoes(session: Session, transport: Transport, max_payload: int) -> bool:
    """Return whether long frames pass both ways, one after the other."""
    missed = 0
    for _ in range(_ECHOES):
        payload = frame.pack_baud(transport.baud, secrets.token_bytes(frame.echo_room(max_payload)))
        line = 2 * len(payload) * BITS_PER_BYTE / transport.baud
        session.send(FrameType.BAUD, payload, after_silence=True)
        missed += _answer(session, (payload,), _LATENCY_S + line) is None
        if missed > _ECHOES_MISSED:
            return False
    return True


def _answer(session: Session, expected: tuple[bytes, ...], wait: float) -> bytes | None:
    """Return the first of the expected payloads of BAUD_SET that comes within `wait` seconds."""
    session.progress()
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0:
        got = session.receive(left)
        if got is not None and got.type == FrameType.BAUD_SET and got.payload in expected:
            return got.payload
    return None
