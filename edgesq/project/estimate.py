"""What a board is estimated to take in instructions and in time, and how far off that may be."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgesq.records import Count, Positive
from edgesq.targets import Target

_MEASURED = {
    "cortex-m0": (1.7, 0.15),
    "cortex-m0plus": (1.7, 0.15),
    "cortex-m3": (1.0, 0.1),
    "cortex-m4": (1.0, 0.1),
    "cortex-m7": (1.0, 0.1),
    "cortex-m33": (1.0, 0.1),
    "cortex-m55": (1.0, 0.1),
}
"""By core: instructions for one of the estimate, and the largest part by which an image was off.

`kernels/cost.py` was fitted to cores that multiply to 64 bits; Cortex-M0 and M0+ do not. The rest
is measured by `make bench BENCH=--estimates`.
"""

_SMALL = 20_000
"""Instructions below which the steps' overhead counts more than the kernels, and is off by more."""

_SMALL_DOUBT = 0.35


@dataclass(frozen=True)
class _Pace:
    """How long a core takes for an instruction.

    Attributes:
        cycles: per instruction, by kernel family.
        doubt: part by which a network may take more or less.
    """

    cycles: Mapping[str, float]
    doubt: float


_PACES = {
    "cortex-m0": _Pace({"portable": 1.45}, 0.1),
    "cortex-m0plus": _Pace({"portable": 1.35}, 0.1),
    "cortex-m3": _Pace({"portable": 1.5}, 0.25),
    "cortex-m4": _Pace({"portable": 1.45, "dsp": 1.5}, 0.25),
    "cortex-m33": _Pace({"portable": 1.45, "dsp": 1.5}, 0.3),
    "cortex-m7": _Pace({"dsp": 1.05}, 0.4),
    "cortex-m55": _Pace({"mve": 1.25}, 0.4),
}
"""By core, without wait states: the manuals' tables, or LLVM's model of M7 and M55.

Source: `make bench BENCH=--cycles`, which names the manuals. The doubt is more than networks
differ: branches of one to three cycles, what issues together, caches.
"""


@dataclass(frozen=True)
class Time:
    """What an image takes at a board's clock, on paper: nothing of it was measured on silicon.

    Attributes:
        cycles: of the core, without wait states.
        clock_hz: of the board.
        us: microseconds at that clock.
        doubt: part by which the board may take more or less.
    """

    cycles: Count
    clock_hz: Count
    us: Positive
    doubt: Positive

    @property
    def words(self) -> str:
        """The time in a line."""
        at = f"{self.us / 1000:,.1f} ms at {self.clock_hz / 1e6:g} MHz"
        return (
            f"{at} ({self.cycles:,} cycles), estimated, no silicon, off by up to {self.doubt:.0%}"
        )


@dataclass(frozen=True)
class Estimate:
    """What an image takes on a board.

    Attributes:
        instructions: estimated.
        doubt: largest part by which the board counts more or fewer; None on a core that was never
            measured.
        time: at the board's clock; None on a core of which nothing is known.
    """

    instructions: int
    doubt: float | None
    time: Time | None


def estimate(instructions: float, target: Target) -> Estimate:
    """Return what a plan takes on a board.

    Args:
        instructions: of a Candidate.
        target: the board.
    """
    factor, doubt = _MEASURED.get(target.cpu, (1.0, None))
    if doubt is not None and instructions < _SMALL:
        doubt = _SMALL_DOUBT
    count = round(instructions * factor)
    return Estimate(count, doubt, None if doubt is None else board_time(count, target, doubt))


def board_time(instructions: int, target: Target, doubt: float = 0.0) -> Time | None:
    """Return how long a board takes; None for a core, or kernels on it, that are not known.

    Args:
        instructions: per image, counted or estimated.
        target: the board.
        doubt: part by which the instructions may be off; 0 where they were counted.
    """
    pace = _PACES.get(target.cpu)
    if pace is None or target.kernels not in pace.cycles or not target.clock_hz:
        return None
    cycles = instructions * pace.cycles[target.kernels]
    off = (1 + doubt) * (1 + pace.doubt) - 1
    us = cycles * 1e6 / target.clock_hz
    return Time(round(cycles), target.clock_hz, us, round(off, 2))
