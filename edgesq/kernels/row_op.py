"""An operator of the runtime, as the planner hands it to a kernel family."""

from dataclasses import dataclass

from edgesq.graph import Graph
from edgesq.kernels.kernel import Kernel
from edgesq.operators import Access, Conv2D, Op, Window


@dataclass(frozen=True)
class Slot:
    """Where a tensor lives: some of the rows, columns and channels of a storage.

    Attributes:
        storage: index of the storage, one ring of rows.
        height, width: of the tensor.
        channels: bytes of a pixel: one of each int8, two of each int16.
        row_offset: rows of the storage before its first one.
        offset_bytes: from a row's start to its first pixel.
        pixel_bytes: bytes from one pixel to the next.
        row_bytes: bytes from one row of the ring to the next: a multiple of 4, but in a storage
            that is read as one block at the end.
    """

    storage: int
    height: int
    width: int
    channels: int
    row_offset: int
    offset_bytes: int
    pixel_bytes: int
    row_bytes: int


@dataclass(frozen=True)
class RowOp:
    """One operator of the runtime.

    Attributes:
        op: the graph's operator; a Concatenation here copies one of its inputs.
        feeder: a convolution computed a few pixels at a time into `op`'s sums, never as a row.
        inputs, output: slot numbers.
        pixel_bytes: bytes from one pixel to the next, of the inputs and of the output.
        access: how it walks the rows.
        window: of `feeder` or `op`; None where it has none.
        reduced_rows: rows that Access.REDUCE adds up.
        band_units: units of work per step; 1 where rows are accumulated.
        sums_bytes: accumulators, kept from its first step to its last.
        kernel: how it runs; the portable kernel until the planner has decided.
        waits: whether its first band waits for all input rows.
    """

    op: Op
    feeder: Conv2D | None
    inputs: tuple[int, ...]
    output: int
    pixel_bytes: tuple[int, ...]
    access: Access
    window: Window | None
    reduced_rows: int
    band_units: int
    sums_bytes: int
    kernel: Kernel
    waits: bool = False

    @property
    def ops(self) -> tuple[Op, ...]:
        """The graph's operators that this one computes."""
        return (self.op,) if self.feeder is None else (self.feeder, self.op)

    @property
    def first(self) -> Op:
        """The operator that reads the input rows: the feeder where there is one."""
        return self.feeder or self.op

    def macs(self, graph: Graph) -> int:
        """Multiply-accumulates per image."""
        return sum(graph.macs(op) for op in self.ops)


Ops = tuple[RowOp, ...]
"""All operators of a model, in topological order."""
