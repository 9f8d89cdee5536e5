"""Axes of charts: what place a value has, and which values are written beside them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgesq.integers import ceil_div
from edgesq.pages.picture import Drawing

_MAX_TICKS = 6


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        label: what is measured, with its unit.
        low: least value on it.
        high: largest one, above `low`.
        ticks: values that are written, with their text.
        scale: maps values to what is even along the axis.
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    scale: Callable[[float], float] = field(default=float)

    def at(self, value: float, start: float, end: float) -> float:
        """Return the place of a value between two ends."""
        low, high = self.scale(self.low), self.scale(self.high)
        return start + (end - start) * (self.scale(value) - low) / (high - low)


def from_zero(label: str, most: float, per: float = 1.0) -> Axis:
    """Return a linear axis from 0 to a little above the largest value.

    Args:
        label: what is measured.
        most: the largest value.
        per: what a written unit is in values, as 1e6 where millions are written.
    """
    high = 1.1 * most or per
    step = round_step(high / per / _MAX_TICKS)
    count = math.floor(high / per / step)
    return Axis(
        label,
        0.0,
        high,
        tuple((at * step * per, f"{at * step:,g}") for at in range(count + 1)),
    )


def linear(label: str, low: float, high: float) -> Axis:
    """Return a linear axis around two values, which need not begin at 0."""
    spread = max(high - low, 0.02 * high)
    low, high = max(0.0, low - 0.06 * spread), high + 0.06 * spread
    step = round_step((high - low) / _MAX_TICKS)
    values = [at * step for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Axis(label, low, high, tuple((value, f"{value:,g}") for value in values))


def of_bytes(label: str, sizes: Sequence[float]) -> Axis:
    """Return a logarithmic axis that holds some sizes, each above 0, with powers of two on it."""
    low, high = math.log2(min(sizes)) - 0.3, math.log2(max(sizes)) + 0.3
    powers = list(range(math.ceil(low), math.floor(high) + 1))
    if len(powers) < 2:  # sizes so close that other values must be written
        step = round_step((2**high - 2**low) / 4)
        first, last = math.ceil(2**low / step), math.floor(2**high / step)
        values = [at * step for at in range(first, last + 1)]
    else:
        values = [2.0**power for power in powers[:: ceil_div(len(powers), _MAX_TICKS)]]
    ticks = tuple((value, bytes_text(value)) for value in values)
    return Axis(label, 2**low, 2**high, ticks, math.log2)


def round_step(least: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= least), 10 * power)


def bytes_text(size: float) -> str:
    """Return a size in a few characters: KiB from 1,024 B on."""
    return f"{size / 1024:,.4g} KiB" if size >= 1024 else f"{size:,.0f} B"


@dataclass(frozen=True)
class Frame:
    """The part of a drawing that two axes span."""

    x: Axis
    y: Axis
    left: float
    right: float
    top: float
    base: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a pair of values."""
        return self.x.at(x, self.left, self.right), self.y.at(y, self.base, self.top)

    def draw(self, drawing: Drawing) -> None:
        """Draw both axes with their ticks, values and labels."""
        for value, text in self.y.ticks:
            at = self.y.at(value, self.base, self.top)
            drawing.line(self.left, at, self.right, at, "axis")
            drawing.text(self.left - 7, at + 4, text, anchor="end")
        drawing.line(self.left, self.base, self.right, self.base, "axis")
        for value, text in self.x.ticks:
            at = self.x.at(value, self.left, self.right)
            drawing.line(at, self.base, at, self.base + 5, "axis")
            drawing.text(at, self.base + 19, text, anchor="middle")
        drawing.text(8, self.top - 14, self.y.label)
        drawing.text((self.left + self.right) / 2, self.base + 38, self.x.label, anchor="middle")
