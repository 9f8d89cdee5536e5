"""A network in NHWC, between ONNX and what is made of it.

Values are named; a map is [1, H, W, C], a row [1, C]. Pads are (top, bottom, left, right). The
kinds of layers stand in `operators/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from edgesq.importers.net import Note
from edgesq.importers.quants import Array, Constant, Quant

Pads = tuple[int, int, int, int]
Pair = tuple[int, int]
Clip = tuple[float, float]

NO_PADS: Pads = (0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Layer:
    """One operator.

    Class attributes:
        kind: a word for its place in a .tflite.
        keeps_sign: its results are not negative where its inputs are not.

    Attributes:
        name: unique, letters, digits and underscores.
        inputs: names of the activations it reads.
        output: name of what it writes.
    """

    kind: ClassVar[str] = ""
    keeps_sign: ClassVar[bool] = False
    name: str
    inputs: tuple[str, ...]
    output: str

    @property
    def is_never_negative(self) -> bool:
        """Whether its results are not negative whatever its inputs."""
        return False


@dataclass(frozen=True, eq=False)
class Weighted(Layer):
    """What has weights, whose first axis is the output's channels, and a bias for each of these."""

    weights: Constant
    bias: Constant | None


@dataclass(frozen=True, eq=False)
class Reshape(Layer):
    """The same values in the same order under another shape."""

    kind: ClassVar[str] = "Reshape"
    keeps_sign: ClassVar[bool] = True


@dataclass(frozen=True, eq=False)
class Resize(Layer):
    """Each pixel repeated `factors` (rows, columns) times."""

    kind: ClassVar[str] = "Resize"
    keeps_sign: ClassVar[bool] = True
    factors: Pair


@dataclass(frozen=True, eq=False)
class Permute(Layer):
    """A map's axes in another order, which begins with the batch."""

    kind: ClassVar[str] = "Permute"
    keeps_sign: ClassVar[bool] = True
    order: tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Take(Layer):
    """Places along one axis of a map, in any order."""

    kind: ClassVar[str] = "Take"
    keeps_sign: ClassVar[bool] = True
    axis: int
    indices: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Place:
    """One value: its name in ONNX, and where its numbers are stored.

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
        inputs: what each image brings, in the file's order.
        outputs: the results, in the file's order.
        logits: what the softmax reads that an output comes from, by that output's name in ONNX.
        notes: what was decided on the way, for the report.
    """

    layers: tuple[Layer, ...]
    shapes: dict[str, tuple[int, ...]]
    quants: dict[str, Quant]
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]
    logits: Mapping[str, Place]
    notes: tuple[Note, ...] = ()
