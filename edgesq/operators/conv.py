"""Convolutions."""

from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from edgesq.integers import ceil_div
from edgesq.operators.base import Access, Windowed


@dataclass(frozen=True)
class Convolution(Windowed, rescales=True, channel_axis=0):
    """What has weights, a bias and a multiplier per output channel.

    Weights are int8 with a scale per channel, the bias is int32; `clamp` is the fused activation.

    Class attributes:
        channel_axis: the axis of the weights that is the output's channels.

    Attributes:
        wide: the weights of `wide_channels`, int16 [n, H, W, I], which do not fit int8; `weights`
            has them cut to int8. None where all fit.
        wide_channels: of the output, in order.
    """

    channel_axis: ClassVar[int]
    weights: int
    bias: int
    clamp: tuple[int, int]
    wide: int | None = None
    wide_channels: tuple[int, ...] = ()

    @property
    def parameters(self) -> tuple[int, ...]:
        """Weights and bias, and the weights of wide channels."""
        return (self.weights, self.bias, *(() if self.wide is None else (self.wide,)))

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


class TransposeConv(Convolution, kind="TRANSPOSE_CONV", access=Access.MOVE):
    """Each input pixel times the weights, added up where they overlap; weights OHWI.

    Strides are from one input pixel to the next within the output; paddings are of the output, what
    is left out before and behind it.
    """

    def source_rows(self, row: int) -> tuple[int, int]:
        """Rows [first, end) whose taps reach output row `row`; perhaps beside the input."""
        place, window = row + self.window.pad_top, self.window
        first = ceil_div(place - window.height + 1, window.stride_h)
        return first, place // window.stride_h + 1


class GroupedConv2D(Convolution, kind="CONV_2D"):
    """Convolution in G groups: output channels [g * O / G, ...) see input channels [g * I, ...).

    Weights [O, H, W, I], I channels of the G * I that the input has.
    """
