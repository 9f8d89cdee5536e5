"""How an operator of a .tflite is read: what each file of operators says, and what they share.

A rule for shapes raises ArithmeticError, AttributeError, IndexError, TypeError or ValueError where
constants or options, which are whatever the file says, do not suit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgesq.formats.tflite.reader import SAME_PADDING, VALID_PADDING, Reader, dilations_of
from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.operators import Op

Shape = tuple[int, ...]

Made = Op | tuple[Op, ...]
"""What an operator becomes in the graph: one operator, or several in order."""


@dataclass(frozen=True)
class Steps:
    """Operators of a file that are read as one, in the form of one operator of the schema.

    Attributes:
        inputs, outputs: the file's numbers of what the first one reads and the last one makes.
        steps: name and operator of each, in order.
    """

    inputs: list[int]
    outputs: list[int]
    steps: tuple[tuple[str, Any], ...]
    builtinOptions: None = None  # noqa: N815 # the schema's word


@dataclass(frozen=True)
class Readable:
    """An operator that can be read.

    Attributes:
        read: makes it an operator of the graph, or several; its parts were checked by
            `operator_problem`.
        shape: what LiteRT makes of what it reads.
        inputs: how many inputs it may have.
        options: class of its options in the schema; None where they are not read.
        version: the first that takes int8.
        newest: version that LiteRT 2.3's reference kernels are listed for, where the converter
            writes a later one; None where it does not.
    """

    read: Callable[[Reader, Any], Made]
    shape: Callable[[Reader, Any], Sequence[int]]
    inputs: Collection[int] = (1,)
    options: str | None = None
    version: int = 2
    newest: int | None = None


Readables = dict[str, Readable]
"""By the operator's name in the schema."""

Advice = dict[str, str]
"""What to do about operators that cannot be read, by their names in the schema."""

Fits = dict[type[Op], Callable[[Graph, Any], bool]]
"""By class: whether the output's shape follows from the inputs'."""

Ranges = dict[type[Op], Callable[[Graph, Any], str | None]]
"""By class: what is wrong with its numbers, so that results could overflow; None: nothing."""


def constants(reader: Reader, index: int) -> list[int]:
    """Return the numbers of a constant.

    Raises:
        ValueError: it is none.
    """
    values = reader.data(index)
    if values is None:
        raise ValueError(f"{reader.name(index)} is computed or lacks its values")
    return [int(value) for value in values.flat]


def axis_of(axis: int, rank: int) -> int:
    """Return an axis counted from the front.

    Raises:
        ValueError: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} of {rank}")
    return axis % rank


def four(shape: Shape) -> Shape:
    """Return a shape that must have four axes.

    Raises:
        ValueError: it has not.
    """
    if len(shape) != 4:
        raise ValueError(f"{list(shape)} where [N, H, W, C] must be")
    return shape


def same_shape(reader: Reader, operator: Any) -> Shape:
    """Return the shape of the first input."""
    return reader.shape(operator.inputs[0])


def broadcast_shape(reader: Reader, operator: Any) -> Shape:
    """Return the shape that all inputs together have."""
    return np.broadcast_shapes(*(reader.shape(index) for index in operator.inputs))


def windows_shape(reader: Reader, operator: Any, size: Sequence[int], channels: int) -> Shape:
    """Return the shape that windows of a size (H, W) make."""
    batch, *image, _ = four(reader.shape(operator.inputs[0]))
    options = operator.builtinOptions
    if options.padding not in (SAME_PADDING, VALID_PADDING):
        raise ValueError(f"padding {options.padding}")
    if min(options.strideH, options.strideW) < 1:
        raise ValueError(f"strides {options.strideH} x {options.strideW}")
    shrunk = [0, 0]
    if options.padding == VALID_PADDING:
        shrunk = [(taps - 1) * by for taps, by in zip(size, dilations_of(options), strict=True)]
    strides = (options.strideH, options.strideW)
    spans = zip(image, shrunk, strides, strict=True)
    height, width = (ceil_div(extent - less, stride) for extent, less, stride in spans)
    return batch, height, width, channels


def refuse_output(reader: Reader, name: str, cls: type[Op], output: int) -> None:
    """Refuse an output whose scale and zero point are not those that TensorFlow Lite prescribes."""
    result = reader.tensors[output]
    steps, zero_point = cls.output_steps or (0, 0)
    if steps and (result.scale, result.zero_point) != (1 / steps, zero_point):
        raise reader.error(
            f"{name}: {cls.kind} must have output scale 1/{steps}, zero point {zero_point}"
        )


def hwc(graph: Graph, op: Op) -> tuple[list[tuple[int, int, int]], tuple[int, int, int]]:
    """Return [H, W, C] of an operator's inputs, and of its output."""
    return [graph.tensors[index].hwc for index in op.inputs], graph.tensors[op.output].hwc


def keeps_channels(graph: Graph, op: Op) -> bool:
    """Say whether the output has as many channels as the first input."""
    shapes, result = hwc(graph, op)
    return shapes[0][2] == result[2]
