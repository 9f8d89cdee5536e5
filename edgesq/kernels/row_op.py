"""An operator of the runtime, as the planner hands it to a kernel family."""

from dataclasses import dataclass, field

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
class Stage:
    """One of several operators that are fused, from one of their tensors to another.

    Attributes:
        item: the operator, as it runs on whole maps.
        source, result: the tensors' numbers in their chain.
        channels: bytes from a pixel's start to the first one of the source, and of the result.
    """

    item: "RowOp"
    source: int
    result: int
    channels: tuple[int, int]


@dataclass(frozen=True)
class Chain:
    """Operators that are fused: what lies between them is never held as rows of a map.

    Attributes:
        graph: the model.
        outputs: slots that they write, in topological order; with the model they say the rest.
        stages: in the same order.
        running: whether the last but one is a max pool whose maxima are kept from step to step. A
            step then takes one row of that pool's input; the last one, a 1x1 convolution, takes
            each row of maxima that is complete, strip by strip, and the next row begins there.
        shapes: of each tensor, the input's first, the output's last: height, width, and bytes from
            one pixel to the next.
    """

    graph: Graph
    outputs: tuple[int, ...]
    running: bool
    stages: tuple[Stage, ...] = field(compare=False)
    shapes: tuple[tuple[int, int, int], ...] = field(compare=False)


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
        chain: operators that it runs fused, the last of which is `op`; None where it is one alone.
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
    chain: Chain | None = None

    @property
    def ops(self) -> tuple[Op, ...]:
        """The graph's operators that this one computes."""
        if self.chain:
            return tuple(op for stage in self.chain.stages for op in stage.item.ops)
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
