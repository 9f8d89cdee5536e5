"""How long a run will take, and where its time went: line, board or this computer."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from edgesq.link.baud import RateOutcome
from edgesq.link.frame import data_room, wire_bytes
from edgesq.link.info import BoardInfo
from edgesq.link.session import BITS_PER_BYTE
from edgesq.link.transport import DEFAULT_BAUD
from edgesq.verify.cores import is_process, target_of
from edgesq.verify.facts import PaceFacts, RateFacts
from edgesq.verify.tally import Tally

_WORDS = {
    RateOutcome.HELD: "held",
    RateOutcome.COMPUTER: "this computer's port does not run at it",
    RateOutcome.BOARD: "the board does not hold it",
    RateOutcome.LINE: "the line does not hold it",
}
_FASTER = "--baud auto looks for a faster rate"


@dataclass(frozen=True)
class Outlook:
    """What a run has before it.

    Attributes:
        images: to be streamed.
        image_bytes: of each.
        bytes_per_s: image bytes that the lines of all boards take at most, as far as is known.
        baud: bits per second; None where the line has no rate, and was timed instead.
        hint: what would make it faster; None where nothing is known that would.
    """

    images: int
    image_bytes: int
    bytes_per_s: float
    baud: int | None
    hint: str | None

    @property
    def seconds(self) -> float:
        """Seconds that the lines take, where no row can be coded shorter."""
        return self.images * self.image_bytes / self.bytes_per_s

    def __str__(self) -> str:
        """Return it in words."""
        at = "as fast as the board takes them"
        if self.baud is not None:
            at = f"on the line at {self.baud:,} baud"
        hint = f"; {self.hint}" if self.hint else ""
        megabytes = self.images * self.image_bytes / 1e6
        return (
            f"{self.images:,} images of {self.image_bytes:,} B, {megabytes:,.1f} MB: at most "
            f"{_duration(self.seconds)} {at}, and what the board computes{hint}"
        )


def outlook(
    images: int, infos: Sequence[BoardInfo], baud: int, timed: float | None, *, may_rise: bool
) -> Outlook:
    """Return what a run has before it.

    Args:
        images: to be streamed, over all boards.
        infos: of the boards.
        baud: of their lines.
        timed: bytes per second that one line was seen to take; None where it has a rate.
        may_rise: whether a faster rate was not looked for, and could be.
    """
    info = infos[0]
    room = data_room(info.max_payload)
    paced = baud / BITS_PER_BYTE * room / wire_bytes(room)
    one = paced if timed is None else timed
    hint = _FASTER if timed is None and may_rise else None
    return Outlook(
        images, info.input_bytes, one * len(infos), baud if timed is None else None, hint
    )


def has_rate(info: BoardInfo) -> bool:
    """Say whether a board is at the end of a real line, and not a process of this computer."""
    return not is_process(info)


def pace(
    tally: Tally, infos: Sequence[BoardInfo], tried: Sequence[tuple[str, int, RateOutcome]]
) -> PaceFacts:
    """Return where the time of a run went.

    Args:
        tally: of its images.
        infos: of its boards.
        tried: port, rate and what came of it, in the order tried.
    """
    seconds = tally.seconds * len(infos)
    line = board = None
    is_emulated = False
    computer = 0.0
    if seconds:
        computer = _part(1 - tally.waited_s / seconds)
        target = target_of(infos[0])
        is_host = target is not None and target.is_host
        is_emulated = is_process(infos[0]) and not is_host
        share = tally.sent_s / seconds
        line = share if has_rate(infos[0]) and share <= 1 else None
        hz = statistics.fmean(info.tick_hz for info in infos)
        spent = tally.ticks.total() / hz if hz else 0.0
        board = 1 - computer if is_emulated else _part(spent / seconds) if hz else None
    shares = {"line": line, "board": board, "computer": computer}
    bound = max(shares, key=lambda name: shares[name] or 0.0) if seconds else None
    rates = tuple(RateFacts(port, rate, outcome.value) for port, rate, outcome in tried)
    rate = tally.images * infos[0].input_bytes / tally.seconds if tally.seconds else 0.0
    hint = None
    if bound == "line" and tally.baud == DEFAULT_BAUD and not rates:
        hint = _FASTER
    return PaceFacts(
        rate, bound, line, board, computer, _why(shares, tally.baud, is_emulated, hint), rates
    )


def rate_words(rate: RateFacts) -> str:
    """Return a rate and what came of it."""
    return f"{rate.baud:,}: {_WORDS[RateOutcome(rate.outcome)]}"


def _why(shares: dict[str, float | None], baud: int, is_emulated: bool, hint: str | None) -> str:
    clauses = {
        "line": f"the line at {baud:,} baud was busy for",
        "board": "the emulated board took" if is_emulated else "the board computed for",
        "computer": "this computer took",
    }
    known = {name: share for name, share in shares.items() if share is not None}
    order = sorted(known, key=lambda name: -known[name])
    if not known or not any(known.values()):
        return "no image was streamed"
    words = ", ".join(f"{clauses[name]} {known[name]:.0%}" for name in order)
    return f"{words} of the time{f'; {hint}' if hint else ''}"


def _part(share: float) -> float:
    return min(1.0, max(0.0, share))


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
