"""What is decided once per operator: which kernel runs it, and what that takes."""

from dataclasses import dataclass
from enum import StrEnum

PORTABLE = "portable"
"""The family of what no other family has a kernel for."""

CONV_PARTS = "esq_run_conv2d_parts"
"""The function of a convolution, of any family, with coded weights, a table made on the board, or a
mean that alone reads it."""

WIDE = "esq_run_wide"
"""Runs a kernel of any family, then computes channels anew whose weights do not fit int8."""


FUSED = "esq_run_fused"
"""The function of operators that are fused, of any family."""

PHASES = "esq_run_conv2d_phases"
"""The function of a dilated or transposed convolution, of any family."""


class Form(StrEnum):
    """How an operator is computed, where a family has more than one way."""

    DIRECT = "direct"
    TABLE = "table"
    """Each value's answer is looked up."""
    LINE = "line"
    """A multiplication, an addition and a shift per value, of constants per channel."""
    SUM = "sum"
    """A slope for each of two values, and a correction by one of them."""
    GROUPS = "groups"
    """A convolution per group."""
    PHASES = "phases"
    """A plain convolution per phase of a dilated or transposed one."""
    WINOGRAD = "winograd"
    SQUARES = "winograd by squares"
    """Winograd along both sides, its weights transformed for each band."""
    FUSED = "fused"
    """Several operators, strip by strip."""
    RUNNING = "fused, maxima kept"
    """The same, with a max pool whose maxima are kept from step to step."""


@dataclass(frozen=True)
class Coded:
    """How an operator's coded weights are decoded.

    Attributes:
        tile: output channels decoded together, then used for all rows of a band.
        table_bits: index into the table of codes.
        table_offset, rows_offset, weights_offset: bytes into the operator's working memory of the
            table of codes, of the tile's requantization, and of its weights.
        channel_bytes: of the weights, as the kernel family packs them.
        kernel_rows: of a channel, decoded together where Winograd transforms them; else 0.
        has_masks: whether the code has masks, whose table stands behind that of codes.
    """

    tile: int
    table_bits: int
    table_offset: int
    rows_offset: int
    weights_offset: int
    channel_bytes: int
    kernel_rows: int = 0
    has_masks: bool = False


@dataclass(frozen=True)
class Tabled:
    """How an operator's table of requantization is made while the network runs.

    Attributes:
        tile: output channels whose part of the table is there together.
        rows_offset: bytes into the operator's working memory.
        saved_bytes: of flash, that it takes less than the table.
    """

    tile: int
    rows_offset: int
    saved_bytes: int


@dataclass(frozen=True)
class Held:
    """What of a convolution is in working memory at a time, where that is not always all.

    Attributes:
        taps: of the windows, set out together.
        channels: whose sums are held together.
    """

    taps: int
    channels: int


@dataclass(frozen=True)
class Fused:
    """How operators run that are fused.

    Attributes:
        columns: of their output, that a strip makes.
        kernels: of each.
        work_offset: bytes into the working memory of what these work in.
    """

    columns: int
    kernels: tuple["Kernel", ...]
    work_offset: int


@dataclass(frozen=True)
class Kernel:
    """How an operator runs. The planner decides it; all that comes after reads it.

    Attributes:
        family: whose C function it is.
        name: of the C function, without its family; some functions run kernels of all families.
        form: which of several ways of computing.
        pixels: output pixels computed together, at least 1; 0 where there is no such choice.
        work_bytes: working memory of one step.
        coded: how its weights are decoded; None where they lie in flash as they are.
        tabled: how its table of requantization is made; None where that lies in flash too.
        held: what is in working memory at a time; None where its family leaves no choice.
        fused: how each of several operators runs; None where it is one alone.
    """

    family: str
    name: str
    form: Form = Form.DIRECT
    pixels: int = 0
    work_bytes: int = 0
    coded: Coded | None = None
    tabled: Tabled | None = None
    held: Held | None = None
    fused: Fused | None = None

    @property
    def function(self) -> str:
        """The C function that takes the operator's steps."""
        return PHASES if self.form is Form.PHASES else self.plain_function

    @property
    def plain_function(self) -> str:
        """The same, of what takes a phase's steps where there are phases."""
        if self.family == PORTABLE or self.name in (CONV_PARTS, FUSED):
            return self.name
        if self.form is Form.GROUPS:
            return "esq_run_conv2d_groups"
        return f"{self.name}_{self.family}{'_streamed' if self.coded else ''}"


@dataclass(frozen=True)
class WideLayer:
    """A layer whose weights take two bytes each in flash.

    Attributes:
        name: of the layer.
        bytes: of flash, about, that it takes more than with one byte per weight.
        why: the channel that two do not fit a lane with, and what is too large for it.
    """

    name: str
    bytes: int
    why: str
