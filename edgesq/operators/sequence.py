"""What remembers: state kept from one image of a sequence to the next."""

from abc import abstractmethod
from dataclasses import dataclass

from edgesq.operators.base import Op


@dataclass(frozen=True)
class State:
    """Values that an operator keeps from call to call, symmetric or with a zero point.

    Attributes:
        name: of the variable tensor.
        count: values.
        value_bytes: 1 or 2 of each.
        scale: of a value.
        zero_point: what each value is after a reset; 0 where a value has 2 bytes.
    """

    name: str
    count: int
    value_bytes: int
    scale: float
    zero_point: int

    @property
    def bytes(self) -> int:
        """Bytes of all values."""
        return self.count * self.value_bytes


@dataclass(frozen=True)
class Stateful(Op, rescales=True):
    """What computes its output from its input and from what it kept of the images before."""

    @property
    @abstractmethod
    def states(self) -> tuple[State, ...]:
        """What it keeps, the widest values first."""

    @property
    @abstractmethod
    def factors(self) -> tuple[int, ...]:
        """Its constants each of whose values is multiplied once per step."""


@dataclass(frozen=True)
class Svdf(Stateful, kind="SVDF"):
    """A filter over features in time: a convolution of rank `rank` over the newest inputs.

    Attributes:
        features: int8 [F, I], from an input to F features.
        times: int16 [F, M], of the M newest values of each feature, the newest last.
        bias: int32 [F / rank].
        rank: features that are added up to one output.
        kept: the features' newest values, int16 [F, M].
    """

    features: int
    times: int
    bias: int
    rank: int
    kept: State

    @property
    def parameters(self) -> tuple[int, ...]:
        """Weights and bias."""
        return self.features, self.times, self.bias

    @property
    def states(self) -> tuple[State, ...]:
        """The newest values of the features."""
        return (self.kept,)

    @property
    def factors(self) -> tuple[int, ...]:
        """Both weights."""
        return self.features, self.times
