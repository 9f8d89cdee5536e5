"""Operators whose values are int16 and whose weights are int8; what moves values is as for int8.

They are classes of their own, so that no stage takes one for its int8 likeness by accident.
"""

from dataclasses import dataclass

from edgesq.operators.base import Op
from edgesq.operators.conv import Convolution
from edgesq.operators.pool import AveragePool2D, MaxPool2D
from edgesq.operators.reduce import Mean
from edgesq.operators.softmax import Softmax


class Int16(Op):
    """What all of them are."""


class Conv2DInt16(Int16, Convolution, kind="CONV_2D"):
    """Convolution, weights OHWI, bias int64; sums are rescaled by a multiplier of 16 bits."""


class FullyConnectedInt16(Conv2DInt16, kind="FULLY_CONNECTED"):
    """A convolution whose window is the whole image, or one pixel."""


class DepthwiseConv2DInt16(Int16, Convolution, kind="DEPTHWISE_CONV_2D", channel_axis=3):
    """Each channel c convolved by itself into channels [c * m, (c + 1) * m) of C * m."""


@dataclass(frozen=True)
class AddInt16(Int16, kind="ADD", is_valuewise=True, rescales=True):
    """Two maps of the same shape, rescaled and added; `clamp` is the fused activation."""

    clamp: tuple[int, int]


class SubInt16(AddInt16, kind="SUB"):
    """The first less the second."""


class MaxPool2DInt16(Int16, MaxPool2D, kind="MAX_POOL_2D"):
    """Maximum over a window."""


class AveragePool2DInt16(Int16, AveragePool2D, kind="AVERAGE_POOL_2D"):
    """Mean over the part of a window inside the image, rounded half away from zero."""


class MeanInt16(Int16, Mean, kind="MEAN"):
    """Mean over height and width."""


class SoftmaxInt16(Int16, Softmax, kind="SOFTMAX", output_steps=(1 << 15, 0)):
    """Softmax over the last dimension, by two tables; output scale 1/32768, zero point 0."""


class LogisticInt16(
    Int16, kind="LOGISTIC", is_valuewise=True, rescales=True, output_steps=(1 << 15, 0)
):
    """1 / (1 + exp(-x)), between the values of a table."""


class TanhInt16(Int16, kind="TANH", is_valuewise=True, rescales=True, output_steps=(1 << 15, 0)):
    """Hyperbolic tangent, by the same table."""


@dataclass(frozen=True)
class RescaleInt16(Int16, is_valuewise=True, rescales=True):
    """The same reals with another scale, cut to `clamp`."""

    clamp: tuple[int, int]


class QuantizeInt16(RescaleInt16, kind="QUANTIZE"):
    """The same reals with another scale."""


class ReluInt16(RescaleInt16, kind="RELU"):
    """Cut at 0 from below."""


class Relu6Int16(RescaleInt16, kind="RELU6"):
    """Cut to [0, 6]."""
