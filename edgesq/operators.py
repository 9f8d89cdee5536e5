"""The operators of a graph, one class each; numbers of tensors index `Graph.tensors`."""

from dataclasses import dataclass
from typing import ClassVar


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


@dataclass(frozen=True)
class Op:
    """One operator; `inputs` and `output` index `Graph.tensors` (activations only)."""

    kind: ClassVar[str]
    name: str
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True)
class Conv2D(Op):
    """Convolution, per-channel weights OHWI int8, bias int32; `clamp` is the fused activation."""

    kind: ClassVar[str] = "CONV_2D"
    window: Window
    weights: int
    bias: int
    clamp: tuple[int, int]


@dataclass(frozen=True)
class FullyConnected(Conv2D):
    """A convolution whose window is the whole image, or one pixel; its sums are rounded once."""

    kind: ClassVar[str] = "FULLY_CONNECTED"


@dataclass(frozen=True)
class DepthwiseConv2D(Op):
    """Each channel c convolved by itself into channels [c * m, (c + 1) * m) of C * m.

    Per-channel weights [1, H, W, C * m] int8, bias int32; `clamp` is the fused activation.
    """

    kind: ClassVar[str] = "DEPTHWISE_CONV_2D"
    window: Window
    weights: int
    bias: int
    clamp: tuple[int, int]


@dataclass(frozen=True)
class GroupedConv2D(Op):
    """Convolution in G groups: output channels [g * O / G, ...) see input channels [g * I, ...).

    Per-channel weights [O, H, W, I] int8, I channels of the G * I that the input has; bias int32;
    `clamp` is the fused activation.
    """

    kind: ClassVar[str] = "CONV_2D"
    window: Window
    weights: int
    bias: int
    clamp: tuple[int, int]


Convolution = Conv2D | DepthwiseConv2D | GroupedConv2D
"""What has weights, a bias and a multiplier per output channel."""


@dataclass(frozen=True)
class MaxPool2D(Op):
    """Maximum over a window; padded places do not count."""

    kind: ClassVar[str] = "MAX_POOL_2D"
    window: Window
    clamp: tuple[int, int]


@dataclass(frozen=True)
class AveragePool2D(Op):
    """Mean over the part of a window inside the image, rounded half away from zero."""

    kind: ClassVar[str] = "AVERAGE_POOL_2D"
    window: Window
    clamp: tuple[int, int]


@dataclass(frozen=True)
class Concatenation(Op):
    """Inputs side by side along the channels; all share scale and zero point with the output."""

    kind: ClassVar[str] = "CONCATENATION"


@dataclass(frozen=True)
class Binary(Op):
    """Two operands value by value, each with its own scale and zero point.

    One has the output's shape; the other one too, or it is one pixel that all pixels meet, or one
    value. It may be a constant, [C] or [1].

    Attributes:
        operands: both, in order; `inputs` are those that are not constants.
        clamp: the fused activation.
    """

    operands: tuple[int, int]
    clamp: tuple[int, int]


@dataclass(frozen=True)
class Add(Binary):
    """The first operand plus the second."""

    kind: ClassVar[str] = "ADD"


@dataclass(frozen=True)
class Sub(Binary):
    """The first operand minus the second."""

    kind: ClassVar[str] = "SUB"


@dataclass(frozen=True)
class Mul(Binary):
    """The first operand times the second."""

    kind: ClassVar[str] = "MUL"


@dataclass(frozen=True)
class Lookup(Op):
    """Each value by itself, by a table of 256 answers; see `lookup_table`."""


@dataclass(frozen=True)
class Quantize(Lookup):
    """The same reals with another scale and zero point."""

    kind: ClassVar[str] = "QUANTIZE"


@dataclass(frozen=True)
class Rectifier(Lookup):
    """RELU, RELU6 and their like: rescaled, then cut to `clamp`."""

    clamp: tuple[int, int]


@dataclass(frozen=True)
class Relu(Rectifier):
    """Cut at 0 from below."""

    kind: ClassVar[str] = "RELU"


@dataclass(frozen=True)
class Relu6(Rectifier):
    """Cut to [0, 6]."""

    kind: ClassVar[str] = "RELU6"


@dataclass(frozen=True)
class ReluN1To1(Rectifier):
    """Cut to [-1, 1]."""

    kind: ClassVar[str] = "RELU_N1_TO_1"


@dataclass(frozen=True)
class Relu0To1(Rectifier):
    """Cut to [0, 1]."""

    kind: ClassVar[str] = "RELU_0_TO_1"


@dataclass(frozen=True)
class Minimum(Rectifier):
    """Cut from above, at a constant of the input's own scale."""

    kind: ClassVar[str] = "MINIMUM"


@dataclass(frozen=True)
class Maximum(Rectifier):
    """Cut from below, at a constant of the input's own scale."""

    kind: ClassVar[str] = "MAXIMUM"


@dataclass(frozen=True)
class LeakyRelu(Lookup):
    """x, or alpha * x where that is negative."""

    kind: ClassVar[str] = "LEAKY_RELU"
    alpha: float


@dataclass(frozen=True)
class HardSwish(Lookup):
    """x * clamp(x + 3, 0, 6) / 6."""

    kind: ClassVar[str] = "HARD_SWISH"


@dataclass(frozen=True)
class Logistic(Lookup):
    """1 / (1 + exp(-x))."""

    kind: ClassVar[str] = "LOGISTIC"


@dataclass(frozen=True)
class Tanh(Lookup):
    """Hyperbolic tangent."""

    kind: ClassVar[str] = "TANH"


@dataclass(frozen=True)
class Mean(Op):
    """Mean over height and width: [1, H, W, C] to [1, C] or [1, 1, 1, C]; or of [1, W, C]."""

    kind: ClassVar[str] = "MEAN"


@dataclass(frozen=True)
class Softmax(Op):
    """Softmax over the last dimension; output scale 1/256, zero point -128."""

    kind: ClassVar[str] = "SOFTMAX"
    beta: float


@dataclass(frozen=True)
class Reshape(Op):
    """The same values in the same order under another shape."""

    kind: ClassVar[str] = "RESHAPE"


OUTSIDE = -1
"""Of a Pick: no row, column or channel of the input."""


@dataclass(frozen=True)
class Pick(Op):
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


@dataclass(frozen=True)
class Pad(Pick):
    """The input with `fill` around it."""

    kind: ClassVar[str] = "PAD"


@dataclass(frozen=True)
class PadV2(Pad):
    """The same, `fill` is any number."""

    kind: ClassVar[str] = "PADV2"


@dataclass(frozen=True)
class Slice(Pick):
    """A part of the input."""

    kind: ClassVar[str] = "SLICE"


@dataclass(frozen=True)
class StridedSlice(Slice):
    """A part of the input, perhaps only every second, third, ... row, column or channel."""

    kind: ClassVar[str] = "STRIDED_SLICE"


@dataclass(frozen=True)
class ResizeNearest(Pick):
    """Rows and columns repeated or left out."""

    kind: ClassVar[str] = "RESIZE_NEAREST_NEIGHBOR"


@dataclass(frozen=True)
class Tile(Pick):
    """Rows and columns repeated, each by itself or all one after the other."""

    kind: ClassVar[str] = "TILE"


@dataclass(frozen=True)
class SpaceToDepth(Op):
    """Squares of `block` by `block` pixels side by side in one pixel, row by row."""

    kind: ClassVar[str] = "SPACE_TO_DEPTH"
    block: int

    def source_rows(self, row: int) -> tuple[int, int]:
        """Input rows [first, end) that output row `row` is made of."""
        return row * self.block, (row + 1) * self.block


@dataclass(frozen=True)
class DepthToSpace(Op):
    """One pixel taken apart into a square of `block` by `block` pixels, row by row."""

    kind: ClassVar[str] = "DEPTH_TO_SPACE"
    block: int

    def source_rows(self, row: int) -> tuple[int, int]:
        """Input rows [first, end) that output row `row` is made of."""
        return row // self.block, row // self.block + 1


Move = Pick | SpaceToDepth | DepthToSpace
"""What moves values and changes none."""
