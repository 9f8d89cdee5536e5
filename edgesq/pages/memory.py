"""The arena over time: which block lies where, and in which steps it is in use."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from edgesq.pages.axes import from_zero
from edgesq.pages.picture import Anchor, Drawing, Picture, shortened
from edgesq.plan import STEP_INPUT, Plan
from edgesq.plan.allocation import Item

MAX_COLUMNS = 240
"""Columns of a map; each stands for as many steps as are needed."""

MAX_BLOCKS = 200
"""Blocks drawn, the largest first."""

MAX_NAME = 60
"""Characters of a name in a sentence."""

NEAR = 24
"""Steps before and after the fullest one that its picture shows."""

_CHAR, _LINE = 6.4, 14
_LEFT, _RIGHT, _TOP, _WIDTH, _HEIGHT = 64.0, 16.0, 60.0, 880.0, 430.0

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Block:
    """A block of an arena, and what it is for.

    Attributes:
        item: the block.
        kind: "rows kept", "sums", "working memory", "progress" or "state".
    """

    item: Item
    kind: str

    @property
    def words(self) -> str:
        """What it is, how large and where."""
        item = self.item
        rows = f"{item.ring_rows} row{'s' * (item.ring_rows != 1)} of " if item.ring_rows else ""
        end = item.offset + item.bytes
        return (
            f"{rows}{item.name}: {item.bytes:,} B of {self.kind}, bytes {item.offset:,} to {end:,}"
        )


_CLASSES = {
    "rows kept": "one",
    "working memory": "two",
    "sums": "three",
    "progress": "four",
    "state": "three",
}


def blocks(plan: Plan) -> tuple[Block, ...]:
    """Return all blocks of a plan's arena."""
    return (
        *(Block(item, "rows kept") for item in plan.rings.values()),
        *(Block(item, "sums") for item in plan.sums.values()),
        *(Block(item, "working memory") for item in plan.work.values()),
        Block(plan.progress, "progress"),
        *(Block(item, "state") for item in plan.states.values()),
    )


def at_peak(plan: Plan) -> tuple[int, tuple[Block, ...]]:
    """Return the step with the most bytes in use, and the blocks then in use, the largest first."""
    step, _ = plan.peak()
    found = [each for each in blocks(plan) if each.item.live >> step & 1]
    return step, tuple(sorted(found, key=lambda each: -each.item.bytes))


def peak_words(plan: Plan) -> str:
    """Say in a sentence where the arena is fullest, and why."""
    step, found = at_peak(plan)
    rows = plan.steps[: step + 1].count(STEP_INPUT)
    total = plan.steps.count(STEP_INPUT)
    runs = plan.steps[step]
    doing = (
        f"while {shortened(plan.ops[runs].op.name, MAX_NAME)} runs"
        if runs < len(plan.ops)
        else "as a row comes in"
    )
    by_kind: dict[str, int] = {}
    for each in found:
        by_kind[each.kind] = by_kind.get(each.kind, 0) + each.item.bytes
    parts = ", ".join(f"{size:,} B {kind}" for kind, size in by_kind.items())
    largest = found[0].item
    return (
        f"The arena of {plan.arena_bytes:,} B is fullest at step {step:,} of {len(plan.steps):,}, "
        f"{doing}, with {rows:,} of {total:,} image rows taken in: {parts}. The largest block is "
        f"{shortened(largest.name, MAX_NAME)}, {largest.bytes:,} B."
    )


def arena_map(plan: Plan) -> Picture:
    """Return the arena over one image: blocks by step and byte, the fullest step marked."""
    steps = len(plan.steps)
    columns = min(steps, MAX_COLUMNS)
    edges = [steps * at // columns for at in range(columns + 1)]
    drawing = Drawing(_WIDTH, _HEIGHT, f"the arena over the {steps:,} steps of one image")
    chart = _Map(drawing, plan, edges)
    chart.draw_blocks()
    total = plan.steps.count(STEP_INPUT)
    inputs = [step for step, op in enumerate(plan.steps) if op == STEP_INPUT]
    for part in range(4):
        row = part * total // 4
        chart.tick(inputs[row], f"image row {row + 1}" if part == 0 else f"row {row + 1}")
    chart.tick(steps, "end", "end")
    step, _ = plan.peak()
    chart.mark(step, f"fullest: step {step:,}")
    chart.legend(f"steps of one image, 1 to {steps:,}")
    return drawing.picture()


def peak_map(plan: Plan) -> Picture:
    """Return the arena in the steps around the fullest one, step by step."""
    peak, _ = plan.peak()
    first, end = max(peak - NEAR, 0), min(peak + NEAR + 1, len(plan.steps))
    drawing = Drawing(_WIDTH, _HEIGHT, f"the arena in steps {first:,} to {end - 1:,}")
    chart = _Map(drawing, plan, list(range(first, end + 1)))
    chart.highlight(peak)
    chart.draw_blocks()
    for step in range(first, end):
        if (step - peak) % 8 == 0:
            runs = plan.steps[step]
            name = plan.ops[runs].op.name if runs < len(plan.ops) else "row in"
            chart.tick(step, shortened(name, 17), "middle")
    chart.mark(peak, f"fullest: step {peak:,}")
    chart.legend(f"steps {first:,} to {end - 1:,}, and which operator runs")
    return drawing.picture()


class _Map:
    """Draws blocks by step and byte.

    Args:
        drawing: to draw on.
        plan: whose arena it is.
        edges: first step of each column, and the end of the last one.
    """

    def __init__(self, drawing: Drawing, plan: Plan, edges: Sequence[int]) -> None:
        self._drawing, self._plan, self._edges = drawing, plan, edges
        self._right, self._base = drawing.width - _RIGHT, drawing.height - 56
        self._bytes = from_zero("bytes of the arena", plan.arena_bytes / 1.1)
        for value, text in self._bytes.ticks:
            at = self._y(value)
            drawing.line(_LEFT, at, self._right, at, "axis")
            drawing.text(_LEFT - 7, at + 4, text, anchor="end")
        drawing.text(8, _TOP - 10, self._bytes.label)

    def _x(self, step: float) -> float:
        first, end = self._edges[0], self._edges[-1]
        return _LEFT + (self._right - _LEFT) * (step - first) / (end - first)

    def _y(self, offset: float) -> float:
        return self._bytes.at(offset, self._base, _TOP)

    def draw_blocks(self) -> None:
        """Draw the largest blocks: a path each, a rectangle for each run of columns in use."""
        found = sorted(blocks(self._plan), key=lambda each: -each.item.bytes)[:MAX_BLOCKS]
        for each in found:
            runs = self._runs(each.item.live)
            if not runs:
                continue
            top, base = self._y(each.item.offset + each.item.bytes), self._y(each.item.offset)
            spans = [(self._x(first), self._x(end)) for first, end in runs]
            commands = "".join(
                f"M{left:.1f} {top:.1f}H{right:.1f}V{base:.1f}H{left:.1f}z" for left, right in spans
            )
            self._drawing.path(commands, _CLASSES[each.kind], each.words)
            if each.kind in ("rows kept", "sums"):
                self._name(each, max(spans, key=lambda span: span[1] - span[0]), top, base)

    def _name(self, block: Block, span: tuple[float, float], top: float, base: float) -> None:
        """Write a block's name where there is room."""
        room = floor((span[1] - span[0] - 6) / _CHAR)
        if base - top >= _LINE and room >= 8:
            middle = (top + base) / 2 + 4
            self._drawing.text(span[0] + 4, middle, shortened(block.item.name, room), "inside")

    def _runs(self, live: int) -> list[tuple[int, int]]:
        """Return the first and the end step of each run of columns in which a block is in use."""
        first, end = self._edges[0], self._edges[-1]
        bits = (live >> first) & ((1 << (end - first)) - 1)
        used = _bits(bits, end - first)
        starts = np.array(self._edges[:-1]) - first
        in_column = np.concatenate([[False], np.logical_or.reduceat(used, starts), [False]])
        turns = np.flatnonzero(in_column[1:] != in_column[:-1]).tolist()
        pairs = zip(turns[::2], turns[1::2], strict=True)
        return [(self._edges[one], self._edges[other]) for one, other in pairs]

    def tick(self, step: int, words: str, anchor: Anchor = "start") -> None:
        """Write words under a step."""
        width = self._x(step + 1) - self._x(step) if anchor == "middle" else 0
        at = self._x(step) + width / 2
        self._drawing.line(at, self._base, at, self._base + 5, "axis")
        self._drawing.text(at, self._base + 18, words, anchor=anchor)

    def highlight(self, step: int) -> None:
        """Lay a ground under a step."""
        left, right = self._x(step), self._x(step + 1)
        self._drawing.rect(left, _TOP, right - left, self._base - _TOP, "now")

    def mark(self, step: int, words: str) -> None:
        """Mark a step with words above it."""
        at = (self._x(step) + self._x(step + 1)) / 2
        is_right = at > (_LEFT + self._right) / 2
        self._drawing.line(at, _TOP - 6, at, self._base, "at")
        words_at = at + (6 if is_right else -6)
        self._drawing.text(words_at, _TOP - 10, words, "strong", "end" if is_right else "start")

    def legend(self, words: str) -> None:
        """Write what the axis of steps is, and what the colours mean."""
        middle = (_LEFT + self._right) / 2
        self._drawing.text(middle, self._base + 40, words, anchor="middle")
        at = _LEFT
        for kind, look in _CLASSES.items():
            self._drawing.rect(at, 12, 12, 12, look)
            self._drawing.text(at + 17, 22, kind, "ink")
            at += 36 + _CHAR * len(kind)


def _bits(bits: int, count: int) -> Bools:
    """Return the lowest bits of a number, the lowest first."""
    packed = np.frombuffer(bits.to_bytes(count // 8 + 1, "little"), np.uint8)
    return np.unpackbits(packed, bitorder="little")[:count].astype(np.bool_)
