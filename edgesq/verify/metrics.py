"""Sums over images, from which a comparison's figures come; their size does not grow with images.

Figures are those of all values of all images together.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from edgesq.graph import Int8Array, Tensor
from edgesq.records import Count, Packed, Positive

TOP = 5
_MAX_LSB, _MAX_LSB_INT16 = 255, 65_535


class Steps(Packed):
    """Values by difference in quantization steps: int64 [511], from -255 on.

    Where int16 differ by more, they become as many as those can have.
    """

    def __init__(self) -> None:
        self.counts: NDArray[np.int64] = np.zeros(2 * _MAX_LSB + 1, dtype=np.int64)

    @property
    def most(self) -> int:
        """The largest difference that can be counted."""
        return len(self.counts) // 2

    def add(self, differences: NDArray[np.int32]) -> None:
        """Count differences."""
        if np.abs(differences).max(initial=0) > self.most:
            self.counts = np.pad(self.counts, _MAX_LSB_INT16 - self.most)
        self.counts += np.bincount(differences + self.most, minlength=len(self.counts))

    def numbers(self) -> list[int]:
        """Return the counts."""
        return list(self.counts.tolist())

    @classmethod
    def of(cls, numbers: list[int]) -> Self:
        """Return what counts were made from.

        Raises:
            ValueError: there are not as many as there may be.
        """
        made = cls()
        if len(numbers) not in (2 * _MAX_LSB + 1, 2 * _MAX_LSB_INT16 + 1):
            raise ValueError(f"{len(numbers)} counts of differences, {len(made.counts)} are needed")
        made.counts = np.array(numbers, np.int64)
        return made


@dataclass
class OutputSums:
    """One output of a board against the same of another form of the model.

    Attributes:
        values: compared.
        squares: sum of squared differences, in reals.
        dot: sum of products, in reals.
        got_squares: sum of the board's squares, in reals.
        expected_squares: of the other's.
        steps: values by difference in quantization steps.
    """

    values: Count = 0
    squares: Positive = 0.0
    dot: float = 0.0
    got_squares: Positive = 0.0
    expected_squares: Positive = 0.0
    steps: Steps = field(default_factory=Steps)

    def add(self, expected: NDArray[Any], got: Int8Array, tensor: Tensor) -> None:
        """Add one image's values.

        Args:
            expected: [K] as `got`, or floats in reals.
            got: int8 or int16 [K].
            tensor: whose scale and zero point apply.
        """
        real_got = (got.astype(np.float64) - tensor.zero_point) * tensor.scale
        if expected.dtype == got.dtype:
            levels = expected.astype(np.int32)
            real = (expected.astype(np.float64) - tensor.zero_point) * tensor.scale
        else:
            real = expected.astype(np.float64)
            rounded = np.round(real / tensor.scale) + tensor.zero_point
            levels = np.clip(rounded, *tensor.levels).astype(np.int32)
        self.values += got.size
        self.squares += float(np.square(real_got - real).sum())
        self.dot += float((real_got * real).sum())
        self.got_squares += float(np.square(real_got).sum())
        self.expected_squares += float(np.square(real).sum())
        self.steps.add(got - levels)

    @property
    def differing(self) -> int:
        """Values that are not equal."""
        return self.values - int(self.steps.counts[self.steps.most])

    @property
    def max_abs_lsb(self) -> int:
        """Largest difference in quantization steps."""
        return max((abs(step) for step, _ in self.histogram), default=0)

    @property
    def histogram(self) -> tuple[tuple[int, int], ...]:
        """Pairs of a difference, board minus other, in quantization steps, and values with it."""
        counts = self.steps.counts
        return tuple((int(at) - self.steps.most, int(counts[at])) for at in np.flatnonzero(counts))

    @property
    def rmse(self) -> float:
        """Root of the mean squared difference, in reals."""
        return math.sqrt(self.squares / self.values) if self.values else 0.0

    @property
    def cosine(self) -> float | None:
        """Cosine of the angle between all values; None where one side is all zero."""
        norms = math.sqrt(self.got_squares * self.expected_squares)
        return min(1.0, max(-1.0, self.dot / norms)) if norms else None

    @property
    def sqnr_db(self) -> float | None:
        """Power of the other's values over that of the difference; None where one of them is 0."""
        if not self.squares or not self.expected_squares:
            return None
        return 10 * math.log10(self.expected_squares / self.squares)


def best(values: NDArray[Any]) -> list[int]:
    """Return the places of the five largest, the largest first; of equals the first is first."""
    return [int(place) for place in np.argsort(-values.astype(np.float64), kind="stable")[:TOP]]
