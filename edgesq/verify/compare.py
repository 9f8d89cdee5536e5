"""Compare what a board computed with what it should have, value by value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgesq.graph import Int8Array


@dataclass(frozen=True)
class Difference:
    """How one image's values differ.

    Attributes:
        values: compared, over all observed tensors.
        differing: of these, not equal.
        max_abs_lsb: largest difference in quantization steps.
        same_top1: whether the largest output is at the same place.
    """

    values: int
    differing: int
    max_abs_lsb: int
    same_top1: bool

    @property
    def is_exact(self) -> bool:
        """Whether every value is equal."""
        return self.differing == 0


def compare(expected: Sequence[Int8Array], got: Sequence[Int8Array]) -> Difference:
    """Compare the observed tensors of one image.

    Args:
        expected: int8 or int16 [n] per tensor, the output first.
        got: the same from the board.

    Raises:
        ValueError: another number of tensors, or another size.
    """
    if [len(values) for values in expected] != [len(values) for values in got]:
        raise ValueError("expected and got have different sizes")
    steps = np.abs(np.concatenate(expected).astype(np.int32) - np.concatenate(got).astype(np.int32))
    return Difference(
        values=len(steps),
        differing=int(np.count_nonzero(steps)),
        max_abs_lsb=int(steps.max(initial=0)),
        same_top1=bool(np.argmax(expected[0]) == np.argmax(got[0])),
    )
