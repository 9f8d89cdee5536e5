"""Which rows each operator reads and writes, unit by unit: all that scheduling has to know.

A unit is the smallest piece of work: one output row; or, for an operator that accumulates, what one
input row adds to one output row.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from edgesq.integers import ceil_div
from edgesq.kernels.row_op import Chain, RowOp
from edgesq.kernels.strips import rows_under, rows_under_pool, units_of
from edgesq.operators import Access, Move, TransposeConv
from edgesq.plan.lower import Lowered

Span = tuple[int, int]
"""Rows [first, end)."""


@dataclass(frozen=True)
class Walk:
    """An operator's path, unit by unit.

    Attributes:
        reads: rows of an input that each unit reads.
        writes: rows of the output that it writes.
        band_units: units per step.
        waits_for: input rows that there must be before the first unit.
        pixels: inputs, by position, that are one pixel, which every unit reads.
    """

    reads: tuple[Span, ...]
    writes: tuple[Span, ...]
    band_units: int
    waits_for: int = 0
    pixels: frozenset[int] = frozenset()

    def read(self, position: int, unit: int) -> Span:
        """Return the rows of an input that a unit reads."""
        return (0, 1) if position in self.pixels else self.reads[unit]

    @cached_property
    def needed_rows(self) -> list[int]:
        """Input rows that there must be for a step that begins with unit 0, 1, ..."""
        ends = [end for _, end in self.reads]
        return [
            max(self.waits_for, *ends[unit : unit + self.band_units]) for unit in range(self.units)
        ]

    @property
    def units(self) -> int:
        """Units until the image is done."""
        return len(self.reads)

    def pending(self, unit: int) -> bool:
        """Say whether a unit takes the input row that the one before it took."""
        return 0 < unit < self.units and self.reads[unit] == self.reads[unit - 1]

    @cached_property
    def complete_rows(self) -> list[int]:
        """Output rows complete after 0, 1, ... units."""
        last = {row: unit for unit, span in enumerate(self.writes) for row in range(*span)}
        rows, counts = 0, [0]
        for unit in range(self.units):
            while last.get(rows, self.units) <= unit:
                rows += 1
            counts.append(rows)
        return counts


def walk(lowered: Lowered, op: RowOp) -> Walk:
    """Return the path of one operator."""
    sources, result = [lowered.slots[number] for number in op.inputs], lowered.slots[op.output]
    source, pixels = sources[0], frozenset[int]()
    assert source is not None
    assert result is not None
    reads = writes = _each(result.height)
    if op.chain is not None:
        reads = tuple(rows_under(op.chain, unit) for unit in range(units_of(op.chain)))
        if op.chain.running:
            writes = _ended(op.chain, result.height)
    elif op.access is Access.WINDOW:
        reads = _windows(op, source.height, result.height)
    elif op.access is Access.MAXIMUM:
        windows = _windows(op, source.height, result.height)
        pairs = [
            (row, place)
            for row in range(source.height)
            for place, (first, end) in enumerate(windows)
            if first <= row < end
        ]
        reads = tuple((row, row + 1) for row, _ in pairs)
        writes = tuple((place, place + 1) for _, place in pairs)
    elif op.access is Access.REDUCE:
        height = op.reduced_rows
        reads = _windows(op, source.height, height) if op.window else _each(height)
        writes = ((0, 0),) * (height - 1) + ((0, 1),)
    elif op.access is Access.MOVE:
        assert isinstance(op.op, Move | TransposeConv)
        reads = _inside((op.op.source_rows(row) for row in range(result.height)), source.height)
    elif op.access is Access.RESHAPE:
        values, row_values = source.width * source.channels, result.width * result.channels
        reads = _each(source.height)
        writes = tuple(
            (row * values // row_values, ceil_div((row + 1) * values, row_values))
            for row in range(source.height)
        )
    elif result.height > 1:
        pixels = frozenset(k for k, slot in enumerate(sources) if slot and slot.height == 1)
    return Walk(reads, writes, op.band_units, source.height if op.waits else 0, pixels)


def _ended(chain: Chain, rows: int) -> tuple[Span, ...]:
    """Return the output rows that are complete with each row of a running pool's input."""
    ends = [rows_under_pool(chain, row)[1] for row in range(rows)]
    counts = [bisect_right(ends, unit) for unit in range(units_of(chain) + 1)]
    return tuple(pairwise(counts))


def _windows(op: RowOp, height: int, rows: int) -> tuple[Span, ...]:
    """Input rows under the window of each output row."""
    assert op.window is not None
    tops = (row * op.window.stride_h - op.window.pad_top for row in range(rows))
    return _inside(((top, top + op.window.tall) for top in tops), height)


def _inside(spans: Iterable[Span], height: int) -> tuple[Span, ...]:
    """Return what of each span lies in the image, perhaps nothing."""
    inside = ((max(0, first), max(0, min(height, end))) for first, end in spans)
    return tuple((min(first, end), end) for first, end in inside)


def _each(height: int) -> tuple[Span, ...]:
    return tuple((row, row + 1) for row in range(height))
