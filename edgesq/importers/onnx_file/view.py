"""One operator with what is known of its inputs, for the rules that say what it makes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, helper

from edgesq.importers.onnx_file.tensors import numbers
from edgesq.importers.quants import Array
from edgesq.limits import MAX_DIMENSIONS, MAX_EXTENT, MAX_SIDE, MAX_VALUES

Shape = tuple[int, ...]


class WrongError(Exception):
    """An operator whose numbers contradict each other, or that is too large."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a value before the model is run.

    Attributes:
        shape: with its batch of 1.
        dtype: of its numbers.
        values: of a constant.
    """

    shape: Shape
    dtype: np.dtype[Any]
    values: Array | None = None

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


class View:
    """An operator of the file.

    Attributes:
        kind: ONNX's name of it.
        inputs: what is known of each; None where an optional one is left out.
        attributes: by name.
        opset: version of ONNX's own operators.
        outputs: how many it has.
    """

    def __init__(self, node: onnx.NodeProto, known: dict[str, Known], opset: int) -> None:
        self.kind, self.opset, self.outputs = node.op_type, opset, len(node.output)
        self.inputs = [known[name] if name else None for name in node.input]
        self.attributes = attributes_of(node)

    def known(self, position: int) -> Known:
        """Return what is known of an input that must be there."""
        found = self.inputs[position] if position < len(self.inputs) else None
        if found is None:
            raise WrongError(f"input {position} is missing")
        return found

    def shape(self, position: int = 0) -> Shape:
        """Return the shape of an input that must be there."""
        return self.known(position).shape

    def given(self, position: int) -> Known | None:
        """Return what is known of an input that may be left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    def reals(self, attribute: str, position: int) -> list[float] | None:
        """Return numbers that an attribute or a constant input holds; None where neither is."""
        listed = self.attributes.get(attribute)
        if listed is None:
            there = self.given(position)
            if there is None:
                return None
            if there.values is None:
                raise WrongError(f"{attribute} is computed from the image")
            if there.size > 2 * MAX_DIMENSIONS:
                raise WrongError(f"{attribute} of {there.size} numbers")
            listed = there.values.reshape(-1).tolist()
        return [float(one) for one in (listed if isinstance(listed, list) else [listed])]

    def counts(self, attribute: str, position: int) -> list[int] | None:
        """Return whole numbers as `reals` does."""
        found = self.reals(attribute, position)
        if found is None:
            return None
        if not all(math.isfinite(one) and one == int(one) for one in found):
            raise WrongError(f"{attribute} {found} are no whole numbers")
        return [int(one) for one in found]

    def window(self, attribute: str, usual: int, count: int, least: int) -> list[int]:
        """Return `count` extents of a window, all from `least` to an image's."""
        found = [int(one) for one in self.attributes.get(attribute, [usual] * count)]
        if len(found) != count or any(not least <= one <= MAX_SIDE for one in found):
            raise WrongError(f"{attribute} {found}; {count} of {least} to {MAX_SIDE} are right")
        return found


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """Return an operator's attributes: numbers, texts, lists of them, and arrays."""
    return {item.name: _attribute(item) for item in node.attribute}


def _attribute(item: AttributeProto) -> Any:
    if item.type == AttributeProto.TENSOR:
        return numbers(item.t)
    value = helper.get_attribute_value(item)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return list(value) if isinstance(value, (list, tuple)) or item.ints else value


def axis_of(axis: int, rank: int) -> int:
    """Return an axis counted from the front.

    Raises:
        WrongError: there is none of that number.
    """
    if not -rank <= axis < rank:
        raise WrongError(f"axis {axis} of {rank} dimensions")
    return int(axis) % rank


def counted(shape: Shape) -> int:
    """Return how many values a shape has.

    Raises:
        WrongError: more than the limit.
    """
    if len(shape) > MAX_DIMENSIONS:
        raise WrongError(f"makes {len(shape)} dimensions, {MAX_DIMENSIONS} are the most")
    if any(not 0 <= extent <= MAX_EXTENT for extent in shape) or math.prod(shape) > MAX_VALUES:
        raise WrongError(f"makes {list(shape)}, more than {MAX_VALUES:,} values")
    return math.prod(shape)
