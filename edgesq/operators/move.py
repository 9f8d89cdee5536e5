"""What moves values and changes none, or puts some between them."""

from abc import abstractmethod
from dataclasses import dataclass

from edgesq.operators.base import Access, Op


@dataclass(frozen=True)
class Concatenation(Op, kind="CONCATENATION"):
    """Inputs one behind the other; all share scale and zero point with the output.

    Attributes:
        axis: of [H, W, C], along which; usually the channels.
    """

    axis: int = 2


class Move(Op, access=Access.MOVE):
    """What makes each output row of certain input rows, and stays between their values."""

    @abstractmethod
    def source_rows(self, row: int) -> tuple[int, int]:
        """Input rows [first, end) that output row `row` is made of."""


OUTSIDE = -1
"""Index, in a Pick, of what lies outside the input."""


@dataclass(frozen=True)
class Pick(Move):
    """Output value [y, x, c] is the input's [rows[y], columns[x], channels[c]], else `fill`.

    Attributes:
        rows, columns: indices into the input, by the output's own; OUTSIDE at one or both ends.
        channels: likewise.
        fill: int8 of what lies outside.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    channels: tuple[int, ...]
    fill: int

    def source_rows(self, row: int) -> tuple[int, int]:
        """Input rows [first, end) that output row `row` is made of."""
        source = self.rows[row]
        return (0, 0) if source == OUTSIDE else (source, source + 1)


class Pad(Pick, kind="PAD"):
    """The input with `fill` around it."""


class PadV2(Pad, kind="PADV2", holds_levels=True):
    """The same, `fill` is any number."""


class Slice(Pick, kind="SLICE"):
    """A part of the input."""


class StridedSlice(Slice, kind="STRIDED_SLICE"):
    """A part of the input, perhaps only every second, third, ... row, column or channel."""


class Gather(Pick, kind="GATHER"):
    """Rows, columns or channels in any order."""


class ResizeNearest(Pick, kind="RESIZE_NEAREST_NEIGHBOR"):
    """Rows and columns repeated or left out."""


class BroadcastTo(Pick, kind="BROADCAST_TO"):
    """One row, column or channel repeated."""


@dataclass(frozen=True)
class Transpose(Move, kind="TRANSPOSE"):
    """Rows, columns and channels in another order.

    Attributes:
        order: which of the input's axes [H, W, C] each of the output's is.
        height: rows of the input, all of which an output row needs unless rows stay rows.
    """

    order: tuple[int, int, int]
    height: int

    def source_rows(self, row: int) -> tuple[int, int]:
        """Input rows [first, end) that output row `row` is made of."""
        return (0, self.height) if self.order[0] else (row, row + 1)


class Tile(Pick, kind="TILE"):
    """Rows and columns repeated, each by itself or all one after the other."""


BETWEEN_STEPS = 1 << 10
"""Of a Between's weight, to the next row or column."""


@dataclass(frozen=True)
class Between:
    """A place between the rows, or columns, `first` and the next: `weight` / BETWEEN_STEPS behind.

    Where `weight` is 0 there need be no next one.
    """

    first: int
    weight: int

    @property
    def last(self) -> int:
        """The last row, or column, that counts."""
        return self.first + (self.weight > 0)


@dataclass(frozen=True)
class ResizeBilinear(Move, kind="RESIZE_BILINEAR"):
    """Output value [y, x] is a mean of the input's around [rows[y], columns[x]].

    It is rounded once, halves away from zero.
    """

    rows: tuple[Between, ...]
    columns: tuple[Between, ...]

    def source_rows(self, row: int) -> tuple[int, int]:
        """Input rows [first, end) that output row `row` is made of."""
        place = self.rows[row]
        return place.first, place.last + 1


@dataclass(frozen=True)
class SpaceToDepth(Move, kind="SPACE_TO_DEPTH"):
    """Squares of `block` by `block` pixels side by side in one pixel, row by row."""

    block: int

    def source_rows(self, row: int) -> tuple[int, int]:
        """Input rows [first, end) that output row `row` is made of."""
        return row * self.block, (row + 1) * self.block


@dataclass(frozen=True)
class DepthToSpace(Move, kind="DEPTH_TO_SPACE"):
    """One pixel taken apart into a square of `block` by `block` pixels, row by row."""

    block: int

    def source_rows(self, row: int) -> tuple[int, int]:
        """Input rows [first, end) that output row `row` is made of."""
        return row // self.block, row // self.block + 1
