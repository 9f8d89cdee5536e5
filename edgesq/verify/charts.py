"""Where the marks of a chart are, in units of its viewBox; report.html.j2 draws them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgesq.integers import ceil_div

_MIN_LSB = 3
"""A histogram reaches at least so far from 0."""


@dataclass(frozen=True)
class Bar:
    """One bar, from its lower edge up.

    Attributes:
        x, y, width, height: its place, y downwards.
        title: shown where the pointer rests on it.
        is_zero: whether it stands for no difference.
    """

    x: float
    y: float
    width: float
    height: float
    title: str
    is_zero: bool


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """Values by difference in quantization steps; heights are logarithmic, a lone value shows.

    Attributes:
        width, height: of the drawing.
        base: y of the axis.
        bars: one for each difference that occurs.
        ticks: of the axis.
    """

    width: float
    height: float
    base: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def histogram(
    pairs: Sequence[tuple[int, int]], width: float = 320, height: float = 130
) -> Histogram:
    """Return the chart of pairs of a difference and the values that have it; at least one pair."""
    most = max(_MIN_LSB, *(abs(step) for step, _ in pairs))
    base, step_width = height - 20, width / (2 * most + 1)
    tallest = math.log10(1 + max(values for _, values in pairs))
    bars = []
    for step, values in pairs:
        tall = (base - 8) * math.log10(1 + values) / tallest
        left = (step + most) * step_width
        title = f"{step:+d} LSB: {values:,} values" if step else f"equal: {values:,} values"
        inset = min(1.0, step_width / 8)
        bars.append(Bar(left + inset, base - tall, step_width - 2 * inset, tall, title, step == 0))
    ticks = (Tick(0, f"{-most:d}"), Tick(width / 2, "0"), Tick(width, f"+{most:d}"))
    return Histogram(width, height, base, tuple(bars), ticks)


@dataclass(frozen=True)
class Point:
    """A point of a curve with its label."""

    x: float
    y: float
    label: str
    title: str


@dataclass(frozen=True)
class Curve:
    """Instructions against RAM; x is logarithmic.

    Attributes:
        width, height: of the drawing.
        left, base: where the axes are.
        points: in their order.
        chosen: the one to mark.
        x_ticks, y_ticks: of the axes.
    """

    width: float
    height: float
    left: float
    base: float
    points: tuple[Point, ...]
    chosen: Point
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]

    @property
    def path(self) -> str:
        """The line through the points, as SVG's polyline has it."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


def curve(
    plans: Sequence[tuple[int, float, str]],
    chosen: tuple[int, float],
    width: float = 640,
    height: float = 300,
) -> Curve:
    """Return the chart of plans.

    Args:
        plans: arena bytes, instructions per image, label.
        chosen: arena bytes and instructions of the plan to mark.
        width: of the drawing.
        height: of the drawing.
    """
    left, right, top, base = 56.0, width - 24, 28.0, height - 40
    arenas = [*(plan[0] for plan in plans), chosen[0]]
    low, high = math.log2(min(arenas)) - 0.25, math.log2(max(arenas)) + 0.25
    most = 1.15 * max(*(plan[1] for plan in plans), chosen[1])

    def point(arena: int, instructions: float, label: str) -> Point:
        x = left + (right - left) * (math.log2(arena) - low) / (high - low)
        y = base - (base - top) * instructions / most
        title = f"{label}: {arena:,} B, {instructions / 1e6:,.2f} M instructions"
        return Point(x, y, label, title)

    powers = range(math.ceil(low), math.floor(high) + 1)
    every = max(1, ceil_div(len(powers), 6))
    x_ticks = tuple(
        Tick(point(2**power, 0, "").x, _kib(2**power)) for power in list(powers)[::every]
    )
    step = _round_step(most / 4)
    y_ticks = tuple(
        Tick(point(2, level * step, "").y, f"{level * step / 1e6:g}")
        for level in range(int(most / step) + 1)
    )
    return Curve(
        width,
        height,
        left,
        base,
        tuple(point(*plan) for plan in plans),
        point(*chosen, "this build"),
        x_ticks,
        y_ticks,
    )


def _kib(size: int) -> str:
    return f"{size // 1024:,} KiB" if size >= 1024 else f"{size} B"


def _round_step(least: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
