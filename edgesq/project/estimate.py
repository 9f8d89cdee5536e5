"""What a board is estimated to take in instructions, and how far off that may be."""

from dataclasses import dataclass

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
class Estimate:
    """Instructions per image.

    Attributes:
        instructions: estimated.
        doubt: largest part by which the board counts more or fewer; None on a core that was never
            measured.
    """

    instructions: int
    doubt: float | None


def estimate(instructions: float, target: Target) -> Estimate:
    """Return what a plan takes on a board.

    Args:
        instructions: of a Candidate.
        target: the board.
    """
    factor, doubt = _MEASURED.get(target.cpu, (1.0, None))
    if doubt is not None and instructions < _SMALL:
        doubt = _SMALL_DOUBT
    return Estimate(round(instructions * factor), doubt)
