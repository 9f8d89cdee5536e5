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


@dataclass(frozen=True)
class Gate:
    """One of an LSTM's gates.

    Attributes:
        weights: int8 [U, I], of the input.
        recurrent: int8 [U, U], of what was put out last.
        bias: int32 [U].
    """

    weights: int
    recurrent: int
    bias: int


@dataclass(frozen=True)
class Lstm(Stateful, kind="UNIDIRECTIONAL_SEQUENCE_LSTM"):
    """A long short-term memory over the columns of its input, each a step of time.

    Attributes:
        gates: input, forget, cell and output.
        cell: int16 [U], in steps of a power of two.
        hidden: int8 [U]: what was put out last.
        product: scale and zero point in which an output is made.
        clip: largest magnitude of the cell; 0: any.
    """

    gates: tuple[Gate, Gate, Gate, Gate]
    cell: State
    hidden: State
    product: tuple[float, int]
    clip: int

    @property
    def parameters(self) -> tuple[int, ...]:
        """Weights and biases of all gates."""
        return (*self.factors, *(gate.bias for gate in self.gates))

    @property
    def states(self) -> tuple[State, ...]:
        """The cell and what was put out last."""
        return self.cell, self.hidden

    @property
    def factors(self) -> tuple[int, ...]:
        """The weights of all gates."""
        return tuple(each for gate in self.gates for each in (gate.weights, gate.recurrent))
