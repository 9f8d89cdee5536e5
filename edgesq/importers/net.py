"""An ONNX model once its file has been read: operators, constants, shapes, quantization."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError

Array = NDArray[Any]
Note = tuple[str, str]
"""What was decided, and where."""


@dataclass(frozen=True, eq=False)
class Quant:
    """How stored integers map to reals: real = scale * (q - zero_point).

    Attributes:
        scale: float32 [1], or [C] along `axis`.
        zero_point: int64, as long as `scale`.
        dtype: of the stored integers.
        axis: the dimension that several scales belong to.
    """

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    dtype: np.dtype[Any]
    axis: int = 0

    def same(self, other: Quant) -> bool:
        """Say whether both map the same integers to the same reals."""
        return (
            self.dtype == other.dtype
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.zero_point, other.zero_point)
        )

    def spread(self, rank: int) -> tuple[Array, Array]:
        """Return scale and zero point in a shape that broadcasts against `rank` dimensions."""
        shape = [1] * rank
        if len(self.scale) > 1:
            shape[self.axis] = -1
        return self.scale.reshape(shape), self.zero_point.reshape(shape)


@dataclass(frozen=True, eq=False)
class Constant:
    """Numbers of the file: floats, or integers with a quantization."""

    values: Array
    quant: Quant | None = None

    def real(self) -> Array:
        """Return what the numbers stand for."""
        if self.quant is None:
            return self.values
        scale, zero_point = self.quant.spread(self.values.ndim)
        return ((self.values.astype(np.int64) - zero_point) * scale).astype(np.float32)


def read_quant(
    scale: Constant, zero_point: Constant | None, dtype: np.dtype[Any], axis: int, rank: int
) -> Quant:
    """Return the quantization that a scale and a zero point of the file say.

    Raises:
        ModelError: a scale that is not above zero and finite.
    """
    scales = scale.real().astype(np.float32).reshape(-1)
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ModelError(
            "a scale is not above zero and finite", hint="the file is damaged; export it again"
        )
    points = np.zeros(len(scales), np.int64)
    if zero_point is not None:
        points = points + zero_point.values.astype(np.int64).reshape(-1)
        dtype = zero_point.values.dtype
    return Quant(scales, points, dtype, axis % max(rank, 1))


@dataclass(frozen=True, eq=False)
class Node:
    """One operator of ONNX.

    Attributes:
        kind: ONNX's name of the operator; for QOperator forms that of the float operator.
        name: for messages and layer names; unique.
        inputs: names of values or constants; "" where an optional one is left out.
        output: name of its first output.
        attributes: by name.
        clip: lowest and highest real value of a fused activation.
        on_integers: whether its first input is stored integers, not reals.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any] = field(default_factory=dict)
    clip: tuple[float, float] | None = None
    on_integers: bool = False


@dataclass(eq=False)
class Net:
    """A model: batch 1, one input, one output, all shapes known.

    Attributes:
        nodes: in an order in which they can be computed.
        constants: by name.
        shapes: of every value, with its batch of 1.
        floats: the values that are floats in the file.
        quants: by value, for an int8 model.
        input: name of the image.
        output: name of the result.
        opset: version of ONNX's own operators.
        notes: what was decided while it was read, for the report.
    """

    nodes: list[Node]
    constants: dict[str, Constant]
    shapes: dict[str, tuple[int, ...]]
    floats: frozenset[str]
    quants: dict[str, Quant]
    input: str
    output: str
    opset: int
    notes: list[Note] = field(default_factory=list)

    def readers(self) -> dict[str, list[Node]]:
        """Return the nodes that read each value."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return found
