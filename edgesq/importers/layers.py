"""A network in NHWC, between ONNX and what is made of it.

Values are named; a map is [1, H, W, C], a row [1, C]. Pads are (top, bottom, left, right).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from edgesq.importers.net import Array, Constant, Note, Quant

Pads = tuple[int, int, int, int]
Pair = tuple[int, int]
Clip = tuple[float, float]

NO_PADS: Pads = (0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Layer:
    """One operator.

    Attributes:
        name: unique, letters, digits and underscores.
        inputs: names of the activations it reads.
        output: name of what it writes.
    """

    kind: ClassVar[str] = ""
    name: str
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True, eq=False)
class Conv(Layer):
    """Convolution with weights [O, H, W, I / groups] and bias [O]."""

    kind: ClassVar[str] = "Conv"
    weights: Constant
    bias: Constant | None
    strides: Pair
    pads: Pads
    groups: int
    clip: Clip | None = None


@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """Product of all values of the input with weights [O, N], plus bias [O]."""

    kind: ClassVar[str] = "Dense"
    weights: Constant
    bias: Constant | None
    clip: Clip | None = None


@dataclass(frozen=True, eq=False)
class Pool(Layer):
    """Maximum or average over windows; padded places do not count."""

    kind: ClassVar[str] = "Pool"
    function: Literal["max", "average"]
    size: Pair
    strides: Pair
    pads: Pads
    clip: Clip | None = None


@dataclass(frozen=True, eq=False)
class Mean(Layer):
    """Average over height and width, to [1, 1, 1, C]."""

    kind: ClassVar[str] = "Mean"


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """Inputs side by side along dimension `axis`."""

    kind: ClassVar[str] = "Concat"
    axis: int


@dataclass(frozen=True, eq=False)
class Binary(Layer):
    """Sum, difference or product of two activations, or of one and a constant.

    Attributes:
        function: which.
        constant: [] or [C], the second operand; None where there are two activations.
        swapped: the constant is the first operand.
    """

    kind: ClassVar[str] = "Binary"
    function: Literal["add", "sub", "mul"]
    constant: Constant | None = None
    swapped: bool = False
    clip: Clip | None = None


@dataclass(frozen=True, eq=False)
class Affine(Layer):
    """A batch normalization: scale [C] times the input, plus offset [C]."""

    kind: ClassVar[str] = "Affine"
    scale: Array
    offset: Array


@dataclass(frozen=True, eq=False)
class Activation(Layer):
    """A function of each value.

    Attributes:
        function: clip(alpha, beta), or ONNX's operator with its alpha and beta.
        alpha: first parameter.
        beta: second parameter.
    """

    kind: ClassVar[str] = "Activation"
    function: Literal["clip", "leaky_relu", "sigmoid", "hard_sigmoid", "hard_swish", "tanh"]
    alpha: float = 0.0
    beta: float = 0.0


@dataclass(frozen=True, eq=False)
class Softmax(Layer):
    """Softmax over the last dimension."""

    kind: ClassVar[str] = "Softmax"


@dataclass(frozen=True, eq=False)
class Pad(Layer):
    """A constant border around rows, columns and channels (before, after)."""

    kind: ClassVar[str] = "Pad"
    pads: Pads
    channels: Pair
    value: float


@dataclass(frozen=True, eq=False)
class Resize(Layer):
    """Each pixel repeated `factors` (rows, columns) times."""

    kind: ClassVar[str] = "Resize"
    factors: Pair


@dataclass(frozen=True, eq=False)
class Blocks(Layer):
    """SPACE_TO_DEPTH or DEPTH_TO_SPACE."""

    kind: ClassVar[str] = "Blocks"
    to_depth: bool
    block: int


@dataclass(frozen=True, eq=False)
class Slice(Layer):
    """Part of a [1, H, W, C] map; `end` is exclusive."""

    kind: ClassVar[str] = "Slice"
    begin: tuple[int, ...]
    end: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Reshape(Layer):
    """The same values in the same order under another shape."""

    kind: ClassVar[str] = "Reshape"


@dataclass(frozen=True, eq=False)
class Requantize(Layer):
    """The same reals with another scale."""

    kind: ClassVar[str] = "Requantize"


@dataclass(frozen=True, eq=False)
class Place:
    """One value as ONNX calls it and as it is stored.

    Attributes:
        onnx: its name in the file.
        name: of the stored tensor.
        place: for each of ONNX's numbers its position in the stored tensor; in ONNX's shape.
    """

    onnx: str
    name: str
    place: Array


@dataclass(frozen=True, eq=False)
class Network:
    """Layers in the order in which they are computed.

    Attributes:
        layers: operators.
        shapes: of every activation, [1, H, W, C] or [1, C].
        quants: int8, of every activation of an int8 model; empty for a float one.
        input: the image.
        output: the result.
        logits: what a final softmax reads; None without one.
        notes: what was decided on the way, for the report.
    """

    layers: tuple[Layer, ...]
    shapes: dict[str, tuple[int, ...]]
    quants: dict[str, Quant]
    input: Place
    output: Place
    logits: Place | None = None
    notes: tuple[Note, ...] = ()
