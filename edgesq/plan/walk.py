"""Which rows each operator reads and writes, unit by unit: all that scheduling has to know.

A unit is the smallest piece of work: one output row, or one input row for an accumulating operator.
"""

from dataclasses import dataclass

from edgesq.graph import Window
from edgesq.plan.lower import Access, Lowered, RowOp

Span = tuple[int, int]
"""Rows [first, end)."""


@dataclass(frozen=True)
class Walk:
    """An operator's path: `reads[u]` of each input and `writes[u]` of the output, per unit."""

    reads: tuple[Span, ...]
    writes: tuple[Span, ...]
    band_units: int

    @property
    def units(self) -> int:
        """Units until the image is done."""
        return len(self.reads)

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
    source, result = lowered.slots[op.inputs[0]], lowered.slots[op.output]
    assert source is not None
    assert result is not None
    if op.access is Access.ROW:
        rows = _each(result.height)
        return Walk(rows, rows, op.band_rows)
    if op.access is Access.WINDOW:
        assert op.window is not None
        reads = tuple(_under(op.window, row, source.height) for row in range(result.height))
        return Walk(reads, _each(result.height), op.band_rows)
    if op.window is None:
        values, row_values = source.width * source.channels, result.width * result.channels
        writes = tuple(
            (row * values // row_values, -(-(row + 1) * values // row_values))
            for row in range(source.height)
        )
    else:
        windows = [_under(op.window, row, source.height) for row in range(result.height)]
        writes = tuple(_holding(windows, row) for row in range(source.height))
        if op.scratch_bytes:
            writes = ((0, 0),) * (source.height - 1) + ((0, 1),)
    return Walk(_each(source.height), writes, op.band_rows)


def _each(height: int) -> tuple[Span, ...]:
    return tuple((row, row + 1) for row in range(height))


def _under(window: Window, row: int, height: int) -> Span:
    """Input rows under the window of an output row."""
    top = row * window.stride_h - window.pad_top
    return max(0, top), min(height, top + window.height)


def _holding(windows: list[Span], row: int) -> Span:
    """Output rows whose window holds an input row."""
    rows = [index for index, (first, end) in enumerate(windows) if first <= row < end]
    return (rows[0], rows[-1] + 1) if rows else (0, 0)
