"""An operator of the runtime, as the planner hands it to a kernel family."""

from dataclasses import dataclass

from edgesq.graph import Conv2D, Op, Window
from edgesq.kernels.kernel import Streamed, Tabled
from edgesq.operators import Access


@dataclass(frozen=True)
class Slot:
    """Where a tensor lives: channels [offset, offset + channels) of the pixels of a storage.

    Attributes:
        storage: index of the storage, one ring of rows.
        height, width, channels: of the tensor.
        channel_offset: bytes from a pixel's start.
        pixel_bytes: bytes from one pixel to the next.
        row_bytes: bytes from one row of the ring to the next: a multiple of 4, but in a storage
            that is read as one block at the end.
    """

    storage: int
    height: int
    width: int
    channels: int
    channel_offset: int
    pixel_bytes: int
    row_bytes: int


@dataclass(frozen=True)
class RowOp:
    """One operator of the runtime.

    Attributes:
        op: the graph's operator; a Concatenation here copies one of its inputs.
        feeder: a convolution computed a few pixels at a time into `op`'s sums, never as a row.
        inputs, output: slot numbers.
        access: how it walks the rows.
        window: of `feeder` or `op`; None where it has none.
        reduced_rows: rows that Access.REDUCE adds up.
        band_units: units of work per step; 1 where rows are accumulated.
        sums_bytes: accumulators, kept from its first step to its last.
        work_bytes: working memory of one step.
        pixels: output pixels that a packed kernel computes together; 0 for portable kernels.
        waits: whether its first band waits for all input rows.
        streamed: how its weights are decoded; None where they lie in flash as they are.
        tabled: how its table of requantization is made; None where that lies in flash too.
    """

    op: Op
    feeder: Conv2D | None
    inputs: tuple[int, ...]
    output: int
    access: Access
    window: Window | None
    reduced_rows: int
    band_units: int
    sums_bytes: int
    work_bytes: int
    pixels: int = 0
    waits: bool = False
    streamed: Streamed | None = None
    tabled: Tabled | None = None

    @property
    def ops(self) -> tuple[Op, ...]:
        """The graph's operators that this one computes."""
        return (self.op,) if self.feeder is None else (self.feeder, self.op)


Ops = tuple[RowOp, ...]
"""All operators of a model, in topological order."""
