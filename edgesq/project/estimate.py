"""What a board is estimated to take in instructions and in time, and how far off that may be."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from edgesq.graph import Graph
from edgesq.plan import Candidate
from edgesq.plan.reading import flash_reads
from edgesq.records import Count, Positive, made
from edgesq.targets import Target

_SMALL = 20_000
"""Instructions below which the steps' overhead counts more than the kernels, and is off by more."""

_SMALL_DOUBT = 0.35


@dataclass(frozen=True)
class _Core:
    """What is known of a core; cores.toml names the sources.

    Attributes:
        instructions: for one of the estimate.
        doubt: largest part by which an image's instructions were off.
        cycles: per instruction, by kernel family, without wait states.
        cycles_doubt: part by which a network may take more or fewer.
    """

    instructions: float
    doubt: Positive
    cycles: dict[str, float]
    cycles_doubt: Positive = 0.0


@cache
def _cores() -> dict[str, _Core]:
    text = files("edgesq.project").joinpath("cores.toml").read_text(encoding="utf-8")
    return made(dict[str, _Core], tomllib.loads(text))


@dataclass(frozen=True)
class FlashReads:
    """What an image reads from a flash that is slower than the core, estimated.

    Attributes:
        bytes: that the flash's cache does not hold, code apart.
        cycles: of the core while it waits for them.
    """

    bytes: Count
    cycles: Count


@dataclass(frozen=True)
class Time:
    """What an image takes at a board's clock, on paper: nothing of it was measured on silicon.

    Attributes:
        cycles: of the core, those included in which it waits for flash.
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
        flash_reads: what of that it waits for; None where the flash is as fast as the core, or the
            target says nothing of it.
    """

    instructions: int
    doubt: float | None
    time: Time | None
    flash_reads: FlashReads | None = None


def estimate_plan(graph: Graph, chosen: Candidate, target: Target) -> Estimate:
    """Return what a plan takes on a board, waits for its flash included."""
    flash = target.region("flash")
    if flash is None or not flash.read_clocks_per_word:
        return estimate(chosen.instructions, target)
    n_bytes = flash_reads(graph, chosen.plan, target.kernels, flash)
    reads = FlashReads(n_bytes, round(n_bytes / 4 * flash.read_clocks_per_word))
    return estimate(chosen.instructions, target, reads)


def estimate(instructions: float, target: Target, reads: FlashReads | None = None) -> Estimate:
    """Return what instructions take on a board.

    Args:
        instructions: of a Candidate, or of one of its operators.
        target: the board.
        reads: from its flash.
    """
    core = _cores().get(target.cpu)
    if core is None:
        return Estimate(round(instructions), None, None, reads)
    # Steps take no more on a core whose kernels take more: there the factor is off itself.
    small = round(_SMALL_DOUBT + core.instructions - 1, 2)
    doubt = small if instructions < _SMALL else core.doubt
    count = round(instructions * core.instructions)
    return Estimate(count, doubt, board_time(count, target, reads, doubt), reads)


def board_time(
    instructions: int, target: Target, reads: FlashReads | None = None, doubt: float = 0.0
) -> Time | None:
    """Return how long a board takes; None for a core, or kernels on it, that are not known.

    Args:
        instructions: per image, counted or estimated.
        target: the board.
        reads: from its flash.
        doubt: part by which the instructions may be off; 0 where they were counted.
    """
    core = _cores().get(target.cpu)
    if core is None or target.kernels not in core.cycles or not target.clock_hz:
        return None
    cycles = instructions * core.cycles[target.kernels] + (reads.cycles if reads else 0)
    us = cycles * 1e6 / target.clock_hz
    off = (1 + doubt) * (1 + core.cycles_doubt) - 1
    return Time(round(cycles), target.clock_hz, us, round(off, 2))
