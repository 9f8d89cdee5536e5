"""What operators hold that run fused: strips of columns of what lies between them.

A band of output rows is made strip by strip, through all operators. Rows that the next band's
windows want again are computed again; columns that the next strip's want again are kept. Where a
chain is running, a band is one row of its pool's input, and the maxima are held elsewhere.

Mirror: firmware/src/ops/esq_fused.c.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from edgesq.integers import ceil_div, round_up
from edgesq.kernels.row_op import Chain, Stage
from edgesq.operators import Op, Window, Windowed

ALIGNMENT_BYTES = 16
"""Of each tensor, and of working memory behind them."""

STATE_BYTES = 144
"""In front of them: where a strip is. Mirror: struct strip in firmware/src/ops/esq_fused.c."""

Span = tuple[int, int]
"""Rows, or columns, [first, end)."""

POINT = Window(1, 1, 1, 1, 0, 0, 0, 0)
"""Of what sees one pixel for each of its own."""

_NOTHING: Span = (0, 0)


@dataclass(frozen=True)
class Strips:
    """What is held and computed with bands of some rows and strips of some columns.

    Attributes:
        rows, columns: that are held of each tensor; 0 of the input and of the output. Of running
            maxima no rows.
        offsets: bytes into the working memory, of each tensor.
        bytes: of all tensors, and of where a strip is.
        bands: of an image.
        rows_made: of each stage, in all bands of an image.
        widths: of each stage, the columns that each strip makes.
        moved_bytes: of columns that are kept for the next strip, in all bands of an image.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    offsets: tuple[int, ...]
    bytes: int
    bands: int
    rows_made: tuple[int, ...]
    widths: tuple[tuple[int, ...], ...]
    moved_bytes: int


def window_of(op: Op) -> Window:
    """Return what an operator sees of its input for a value of its output."""
    return op.window if isinstance(op, Windowed) else POINT


def units_of(chain: Chain) -> int:
    """Return the rows of which bands are made: of the output, or under a running pool's windows."""
    height = chain.shapes[-1][0]
    return rows_under_pool(chain, height - 1)[1] if chain.running else height


def rows_under_pool(chain: Chain, row: int) -> Span:
    """Return the rows of a running pool's input that make one row of maxima."""
    pool = chain.stages[-2]
    return _under(window_of(pool.item.op), 0, (row, row + 1), chain.shapes[pool.source][0])


@lru_cache(maxsize=4096)
def rows_under(chain: Chain, unit: int) -> Span:
    """Return the rows of the input that make one of the rows of which bands are made."""
    return _row_spans(chain, (unit, unit + 1))[0]


@lru_cache(maxsize=4096)
def strips_of(chain: Chain, rows: int, columns: int) -> Strips | None:
    """Return what a chain holds; None where columns would have to be there that are not.

    Args:
        chain: the fused operators.
        rows: of a band.
        columns: of the output, of a strip.
    """
    held_rows, rows_made = _rows(chain, rows)
    across = _across(chain, columns)
    if across is None:
        return None
    held_columns, widths, kept = across
    offsets, place, moved = [0], STATE_BYTES, 0
    for number, (_, _, pixel_bytes) in enumerate(chain.shapes[1:-1], 1):
        offsets.append(place)
        row_bytes = round_up(held_columns[number] * pixel_bytes, 4)
        place += round_up(held_rows[number] * row_bytes, ALIGNMENT_BYTES)
        moved += kept[number] * held_rows[number] * pixel_bytes
    bands = ceil_div(units_of(chain), rows)
    return Strips(
        held_rows, held_columns, (*offsets, 0), place, bands, rows_made, widths, moved * bands
    )


def _rows(chain: Chain, rows: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the rows that are held of each tensor, and those that each stage makes."""
    units, held, made = units_of(chain), [0] * len(chain.shapes), [0] * len(chain.stages)
    for first in range(0, units, rows):
        spans = _row_spans(chain, (first, min(first + rows, units)))
        held = [max(most, end - top) for most, (top, end) in zip(held, spans, strict=True)]
        for index, stage in enumerate(chain.stages):
            made[index] += spans[stage.result][1] - spans[stage.result][0]
    if chain.running:
        made[-2:] = [chain.shapes[-1][0]] * 2
    return (0, *held[1:-1], 0), tuple(made)


def _across(
    chain: Chain, columns: int
) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...], tuple[int, ...]] | None:
    """Return the columns held of each tensor, made by each stage in each strip, kept in a row."""
    width, count = chain.shapes[-1][1], len(chain.shapes)
    held, kept, lefts, done = [0] * count, [0] * count, [0] * count, [0] * count
    widths: list[list[int]] = [[] for _ in chain.stages]
    for first in range(0, width, columns):
        spans = _spans(chain, chain.stages, 1, (first, min(first + columns, width)), done)
        if any(_is_beside(stage, spans, done) for stage in chain.stages):
            return None
        for number, (left, end) in enumerate(spans[1:-1], 1):
            if left < end:
                if left < lefts[number]:
                    return None
                kept[number] += max(done[number] - left, 0)
                held[number] = max(held[number], max(end, done[number]) - left)
                lefts[number] = left
        for made, stage in zip(widths, chain.stages, strict=True):
            made.append(_made(stage, spans, done))
        done = [max(end, was) for (_, end), was in zip(spans, done, strict=True)]
    return (0, *held[1:-1], 0), tuple(map(tuple, widths)), tuple(kept)


def _made(stage: Stage, spans: Sequence[Span], done: Sequence[int]) -> int:
    """Return the columns that a stage makes in a strip."""
    first, end = spans[stage.result]
    return max(end - max(first, done[stage.result]), 0)


def _row_spans(chain: Chain, band: Span) -> list[Span]:
    """Return the rows that each tensor must hold to make a band; of running maxima none."""
    stages = chain.stages[:-2] if chain.running else chain.stages
    return _spans(chain, stages, 0, band, [0] * len(chain.shapes))


def _spans(
    chain: Chain, stages: Sequence[Stage], axis: int, made: Span, done: Sequence[int]
) -> list[Span]:
    """Return what each tensor must hold of its rows, or columns, to make some of the last one.

    Args:
        chain: the fused operators.
        stages: those of them that make it.
        axis: 0 for rows, 1 for columns.
        made: of what the last stage writes.
        done: of each tensor, where those end that are there already.
    """
    spans = [_NOTHING] * len(chain.shapes)
    spans[stages[-1].result] = made
    for stage in reversed(stages):
        first, end = max(spans[stage.result][0], done[stage.result]), spans[stage.result][1]
        if first < end:
            extent = chain.shapes[stage.source][axis]
            under = _under(window_of(stage.item.op), axis, (first, end), extent)
            spans[stage.source] = _joined(spans[stage.source], under)
    return spans


def _under(window: Window, axis: int, made: Span, extent: int) -> Span:
    stride = (window.stride_h, window.stride_w)[axis]
    before = (window.pad_top, window.pad_left)[axis]
    size = (window.tall, window.width)[axis]
    first, end = made[0] * stride - before, (made[1] - 1) * stride - before + size
    return min(max(first, 0), extent), min(max(end, 0), extent)


def _joined(one: Span, two: Span) -> Span:
    if one[0] >= one[1]:
        return two
    return min(one[0], two[0]), max(one[1], two[1])


def _is_beside(stage: Stage, spans: Sequence[Span], done: Sequence[int]) -> bool:
    """Say whether what a stage makes next begins in the padding, but not where the map does."""
    first = max(spans[stage.result][0], done[stage.result])
    window = window_of(stage.item.op)
    return first < spans[stage.result][1] and 0 < first * window.stride_w < window.pad_left
