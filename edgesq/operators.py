"""THE table of operators: a class each, with what is the same for all operators of a kind.

Every stage has a table of its own, from these classes to what it does with such an operator, and
`handler` looks it up; a test holds that no stage lacks one. Numbers of tensors index
`Graph.tensors`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypedDict, TypeVar, Unpack

from numpy.typing import NDArray

Handler = TypeVar("Handler")


class Access(Enum):
    """How an operator walks its rows."""

    WINDOW = "one output row from the input rows under a window"
    ROW = "one output row from the same input row"
    MAXIMUM = "one input row into one of the output rows whose window holds it"
    REDUCE = "one row into sums over the whole image"
    MOVE = "one output row from the input rows whose values it takes"
    RESHAPE = "one input row to where its values belong"


@dataclass(frozen=True)
class Window:
    """A sliding window in pixels; padding is explicit on all four sides."""

    height: int
    width: int
    stride_h: int
    stride_w: int
    pad_top: int
    pad_bottom: int
    pad_left: int
    pad_right: int


class _Facts(TypedDict, total=False):
    """Class attributes of `Op` that a class sets by keywords; all others are as its parent's."""

    kind: str
    access: Access
    is_valuewise: bool
    rescales: bool
    output_steps: tuple[int, int]
    holds_levels: bool
    channel_axis: int


@dataclass(frozen=True)
class Op:
    """One operator; `inputs` and `output` index `Graph.tensors` (activations only).

    Class attributes:
        kind: its name in the schema of .tflite.
        access: how the runtime walks its rows.
        is_valuewise: each output value comes from the values at the same place alone, so that the
            output may be written over an input.
        rescales: its output has a scale of its own; others pass the levels of their input on.
        output_steps: 1 / scale, and zero point, of an output for which TensorFlow Lite knows only
            these; None where the file says them.
        holds_levels: it has a constant in the levels of its input, whose scale may not change.
    """

    kind: ClassVar[str]
    access: ClassVar[Access] = Access.ROW
    is_valuewise: ClassVar[bool] = False
    rescales: ClassVar[bool] = False
    output_steps: ClassVar[tuple[int, int] | None] = None
    holds_levels: ClassVar[bool] = False
    name: str
    inputs: tuple[int, ...]
    output: int

    def __init_subclass__(cls, **facts: Unpack[_Facts]) -> None:
        for name, value in facts.items():
            setattr(cls, name, value)

    @property
    def parameters(self) -> tuple[int, ...]:
        """Tensors besides `inputs` that may be constants: weights and bias, or operands."""
        return ()


@dataclass(frozen=True)
class Windowed(Op, access=Access.WINDOW):
    """What looks at its input through a window."""

    window: Window


@dataclass(frozen=True)
class Convolution(Windowed, rescales=True, channel_axis=0):
    """What has weights, a bias and a multiplier per output channel.

    Weights are int8 with a scale per channel, the bias is int32; `clamp` is the fused activation.

    Class attributes:
        channel_axis: the axis of the weights that is the output's channels.
    """

    channel_axis: ClassVar[int]
    weights: int
    bias: int
    clamp: tuple[int, int]

    @property
    def parameters(self) -> tuple[int, ...]:
        """Weights and bias."""
        return self.weights, self.bias

    def along_weights(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return one value per output channel, [O] or [1], so that it broadcasts to the weights."""
        shape = [1] * 4
        shape[self.channel_axis] = -1
        return values.reshape(shape)


class Conv2D(Convolution, kind="CONV_2D"):
    """Convolution, weights OHWI."""


class FullyConnected(Conv2D, kind="FULLY_CONNECTED"):
    """A convolution whose window is the whole image, or one pixel; its sums are rounded once."""


class DepthwiseConv2D(Convolution, kind="DEPTHWISE_CONV_2D", channel_axis=3):
    """Each channel c convolved by itself into channels [c * m, (c + 1) * m) of C * m.

    Weights [1, H, W, C * m].
    """


class GroupedConv2D(Convolution, kind="CONV_2D"):
    """Convolution in G groups: output channels [g * O / G, ...) see input channels [g * I, ...).

    Weights [O, H, W, I], I channels of the G * I that the input has.
    """


@dataclass(frozen=True)
class MaxPool2D(Windowed, kind="MAX_POOL_2D", access=Access.MAXIMUM):
    """Maximum over a window; padded places do not count."""

    clamp: tuple[int, int]


@dataclass(frozen=True)
class AveragePool2D(Windowed, kind="AVERAGE_POOL_2D"):
    """Mean over the part of a window inside the image, rounded half away from zero."""

    clamp: tuple[int, int]


class Concatenation(Op, kind="CONCATENATION"):
    """Inputs side by side along the channels; all share scale and zero point with the output."""


@dataclass(frozen=True)
class Binary(Op, is_valuewise=True, rescales=True):
    """Two operands value by value, each with its own scale and zero point.

    One has the output's shape; the other one too, or it is one pixel that all pixels meet, or one
    value. It may be a constant, [C] or [1].

    Attributes:
        operands: both, in order; `inputs` are those that are not constants.
        clamp: the fused activation.
    """

    operands: tuple[int, int]
    clamp: tuple[int, int]

    @property
    def parameters(self) -> tuple[int, ...]:
        """Both operands."""
        return self.operands


class Add(Binary, kind="ADD"):
    """The first operand plus the second."""


class Sub(Binary, kind="SUB"):
    """The first operand minus the second."""


class Mul(Binary, kind="MUL"):
    """The first operand times the second."""


class Lookup(Op, is_valuewise=True, rescales=True):
    """Each value by itself, by a table of 256 answers; see `lookup_table`."""


class Quantize(Lookup, kind="QUANTIZE"):
    """The same reals with another scale and zero point."""


@dataclass(frozen=True)
class Rectifier(Lookup):
    """RELU, RELU6 and their like: rescaled, then cut to `clamp`."""

    clamp: tuple[int, int]


class Relu(Rectifier, kind="RELU"):
    """Cut at 0 from below."""


class Relu6(Rectifier, kind="RELU6"):
    """Cut to [0, 6]."""


class ReluN1To1(Rectifier, kind="RELU_N1_TO_1"):
    """Cut to [-1, 1]."""


class Relu0To1(Rectifier, kind="RELU_0_TO_1"):
    """Cut to [0, 1]."""


class Minimum(Rectifier, kind="MINIMUM", rescales=False, holds_levels=True):
    """Cut from above, at a constant of the input's own scale."""


class Maximum(Rectifier, kind="MAXIMUM", rescales=False, holds_levels=True):
    """Cut from below, at a constant of the input's own scale."""


@dataclass(frozen=True)
class LeakyRelu(Lookup, kind="LEAKY_RELU"):
    """x, or alpha * x where that is negative."""

    alpha: float


class HardSwish(Lookup, kind="HARD_SWISH"):
    """x * clamp(x + 3, 0, 6) / 6."""


class Logistic(Lookup, kind="LOGISTIC", output_steps=(256, -128)):
    """1 / (1 + exp(-x))."""


class Tanh(Lookup, kind="TANH", output_steps=(128, 0)):
    """Hyperbolic tangent."""


class Mean(Op, kind="MEAN", access=Access.REDUCE, rescales=True):
    """Mean over height and width: [1, H, W, C] to [1, C] or [1, 1, 1, C]; or of [1, W, C]."""


@dataclass(frozen=True)
class Softmax(Op, kind="SOFTMAX", rescales=True, output_steps=(256, -128)):
    """Softmax over the last dimension; output scale 1/256, zero point -128."""

    beta: float


class Reshape(Op, kind="RESHAPE", access=Access.RESHAPE):
    """The same values in the same order under another shape."""


class Move(Op, access=Access.MOVE):
    """What makes each output row of certain input rows: all so far move values and change none."""

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
        channels: likewise, evenly apart.
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


class ResizeNearest(Pick, kind="RESIZE_NEAREST_NEIGHBOR"):
    """Rows and columns repeated or left out."""


class Tile(Pick, kind="TILE"):
    """Rows and columns repeated, each by itself or all one after the other."""


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


def _kinds(parent: type[Op]) -> Iterator[type[Op]]:
    for cls in parent.__subclasses__():
        if "kind" in vars(cls):
            yield cls
        yield from _kinds(cls)


OPERATORS: tuple[type[Op], ...] = tuple(_kinds(Op))
"""Every class that an operator of a graph may have."""

READ_AS: dict[str, type[Op] | None] = {
    **{cls.kind: cls for cls in reversed(OPERATORS)},
    "DEQUANTIZE": None,
    "EXPAND_DIMS": Reshape,
    "REDUCE_MAX": MaxPool2D,
    "SQUEEZE": Reshape,
    "TRANSPOSE": Reshape,
}
"""What a graph usually has of an operator, by its name in a .tflite; None where that is nothing."""


def handler(table: Mapping[type[Op], Handler], op: type[Op]) -> Handler:
    """Return a stage's entry for a class of operators, or for its nearest parent that has one.

    Raises:
        TypeError: it has nothing; a test holds that this never happens.
    """
    for cls in op.__mro__:
        if cls in table:
            return table[cls]
    raise TypeError(f"this stage has nothing for {op.__name__}")
