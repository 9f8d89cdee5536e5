"""Compute the shape of what an operator makes, as TensorFlow Lite does, from what it reads.

A file says the shape of every tensor, and of some of them a second time: the sizes of a RESIZE, the
constants of a RESHAPE. LiteRT believes these. A file in which the two differ is refused.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from edgesq.errors import ModelError
from edgesq.formats.tflite.check import listed
from edgesq.formats.tflite.reader import MAX_AXES, Reader
from edgesq.formats.tflite.table import READABLES
from edgesq.limits import MAX_EXTENT


def check_shape(reader: Reader, kind: str, operator: Any) -> None:
    """Compare the declared shape of an operator's output with what LiteRT makes; note it if open.

    Raises:
        ModelError: LiteRT would make another one, or it cannot be told.
    """
    output = operator.outputs[0]
    name = reader.name(output)
    try:
        made = tuple(int(extent) for extent in READABLES[kind].shape(reader, operator))
    # Constants and options are whatever the file says.
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
        raise reader.error(f"{name}: {kind} does not suit its shapes: {error}") from error
    if len(made) > MAX_AXES or any(not 0 < extent <= MAX_EXTENT for extent in made):
        raise reader.error(f"{name}: {kind} makes the shape {list(made)[:MAX_AXES]}")
    tensor = reader.source.tensors[output]
    declared = tuple(tensor.shape)
    expected = declared
    if len(made) == len(declared):
        opened = _open_axes(tensor)
        pairs = enumerate(zip(made, declared, strict=True))
        expected = tuple(pair[0 if axis in opened else 1] for axis, pair in pairs)
    if not declared or made == expected:
        tensor.shape, tensor.shapeSignature = list(made), None
    else:
        raise reader.error(
            f"{name}: {kind} makes the shape {list(made)}, the file says {list(declared)}",
            "the file contradicts itself: convert the model again",
        )


def is_open(reader: Reader, operator: Any) -> bool:
    """Say whether the file leaves the shape of an operator's output open, all of it or in part."""
    tensor = reader.source.tensors[operator.outputs[0]]
    return not tensor.shape or bool(_open_axes(tensor))


def _open_axes(tensor: Any) -> set[int]:
    """Return the axes of which the file does not know the extent; it writes 1 there, or -1."""
    signature = listed(tensor.shapeSignature)
    if len(signature) != len(tensor.shape):
        signature = tensor.shape
    known = zip(tensor.shape, signature, strict=True)
    return {axis for axis, extents in enumerate(known) if min(extents) < 0}


def settle_shape(reader: Reader, kind: str, operator: Any) -> None:
    """Note the shape of an operator's output if the file leaves it open and it can be computed."""
    if kind in READABLES and operator.outputs and is_open(reader, operator):
        with suppress(ModelError):
            check_shape(reader, kind, operator)
