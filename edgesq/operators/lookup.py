"""Functions of one value."""

from dataclasses import dataclass

from edgesq.operators.base import Op


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
