"""What a kernel family is: the questions that all that plans, packs and counts may ask of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from edgesq.graph import Graph
from edgesq.kernels.channels import Channels
from edgesq.kernels.conv_params import ConvParams
from edgesq.kernels.decoding import Decoding
from edgesq.kernels.initializer import Fields, Value
from edgesq.kernels.kernel import Kernel, WideLayer
from edgesq.kernels.phases import Phase
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.operators import Conv2D, Convolution, FullyConnected, FullyConnectedInt16, Mul

RESCALING_BYTES = 16
"""struct esq_rescaling."""

ANY_CORE = "1"
"""`core_has` of a family that is C for every core."""


def _none(*_: object) -> None:
    """Answer that there is no such thing."""


def _no_kernels(*_: object) -> Iterator[Kernel]:
    yield from ()


def _no_outputs(*_: object) -> frozenset[int]:
    return frozenset()


def _never(*_: object) -> bool:
    return False


class PairParams(NamedTuple):
    """An operator on two operands as a struct of a kernel's own, apart from its constants.

    Attributes:
        arrays: definitions of what its fields point to.
        kind: the struct, which begins with the constants as struct esq_add does.
        fields: of that struct behind the constants.
    """

    arrays: str
    kind: str
    fields: Fields


@dataclass(frozen=True)
class Family:
    """A kernel family: its rows of the table. What a family need not have has a default.

    Attributes:
        name: as targets and reports say it, and as its C functions end; firmware/src/NAME.
        core_has: what the preprocessor sees of a core that can run it; ANY_CORE where all can.
        core_hint: what else to try where a core that can run it is not compiled for as one, behind
            a semicolon; empty for nothing.
        code_bytes: flash that its code takes beside the portable kernels', at most; held by a test
            on every board.
        kernels: yields the kernels that an operator may have, those that compute most pixels
            together first; told whether the operator's weights may grow.
        coded_kernels: yields the ways in which an operator's weights may be decoded.
        takes_coded: says whether there is a kernel for a convolution's coded weights.
        extra_bytes: returns the bytes by which an operator's packed weights exceed the model's.
        requantization_bytes: returns what a convolution's requantization takes in flash, without
            the bias.
        conv_params: returns a convolution's parameters as C data: of the model, the convolution,
            its kernel, the operator's number in the arrays' names, and its struct esq_window.
        instructions: estimates what an operator takes per image, apart from rows and steps.
        decoding: what it takes to decode a weight.
        tabled_kernels: yields the ways to make the table of requantization of a kernel.
        short_channels: returns the few bits per channel that may stand for a layer's table of
            requantization; None where there is no such table.
        grown: returns the outputs of operators whose weights may grow so that they run faster: of
            operators, the bytes there are for that, the instructions that each must save, and the
            outputs of those with coded weights.
        gains_by_code: says whether a faster kernel can be had for a layer by coded weights.
        wide_layer: names a layer whose weights take two bytes each, and why; None where none do.
        pairs_channels: whether two channels share a lane as 256 A + B in its packed weights.
        folds_zero_point: whether sums are of raw inputs, their zero point folded into the bias.
        arena_parts: by how much its working memory may make an arena larger, in the planner's parts
            of it: 1 where more memory gains a few percent, more where it gains more.
        mul_params: returns the struct of MUL that its kernel takes, of the model and the operator;
            None where that is the portable one's.
        phase_kernel: returns how a phase of a dilated or transposed convolution runs in the memory
            of the operator's kernel: of the model, the operator, that kernel and the phase.
        affine_drops: bits that its kernel for one slope per channel drops of a product.
    """

    name: str
    core_has: str
    code_bytes: int
    kernels: Callable[[Graph, RowOp, bool], Iterator[Kernel]]
    coded_kernels: Callable[[Graph, RowOp], Iterator[Kernel]]
    takes_coded: Callable[[Graph, Conv2D], bool]
    extra_bytes: Callable[[Graph, RowOp], int]
    requantization_bytes: Callable[[Graph, Convolution], int]
    conv_params: Callable[[Graph, Convolution, Kernel, int, Value], ConvParams]
    instructions: Callable[[Graph, RowOp], float]
    decoding: Decoding
    tabled_kernels: Callable[[Graph, RowOp, Kernel], Iterator[Kernel]] = _no_kernels
    short_channels: Callable[[Graph, Conv2D], Channels | None] = _none
    grown: Callable[[Graph, Ops, int, float, frozenset[int]], frozenset[int]] = _no_outputs
    gains_by_code: Callable[[Graph, Conv2D], bool] = _never
    wide_layer: Callable[[Graph, RowOp], WideLayer | None] = _none
    pairs_channels: bool = False
    folds_zero_point: bool = False
    arena_parts: int = 1
    mul_params: Callable[[Graph, Mul], PairParams | None] = _none
    affine_drops: int = 0
    core_hint: str = ""
    phase_kernel: Callable[[Graph, RowOp, Kernel, Phase], Kernel | None] = _none


def requantization_bytes(each: int, graph: Graph, op: Convolution) -> int:
    """Return what a convolution's requantization takes in flash.

    Args:
        each: bytes per channel.
        graph: the model.
        op: the convolution; a FULLY_CONNECTED is rescaled once, by a struct of its own.
    """
    more = RESCALING_BYTES if isinstance(op, FullyConnected | FullyConnectedInt16) else 0
    return graph.tensors[op.bias].shape[0] * (each + more)
