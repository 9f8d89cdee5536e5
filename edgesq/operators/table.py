"""Every class of operators, and by which name of a .tflite it is read."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from edgesq.operators.base import Op
from edgesq.operators.conv import Conv2D
from edgesq.operators.curve import STEPS, Curve
from edgesq.operators.int16 import Int16
from edgesq.operators.move import Concatenation, Slice
from edgesq.operators.shape import Reshape

Handler = TypeVar("Handler")


def _kinds(parent: type[Op]) -> Iterator[type[Op]]:
    for cls in parent.__subclasses__():
        if "kind" in vars(cls):
            yield cls
        yield from _kinds(cls)


OPERATORS: tuple[type[Op], ...] = tuple(dict.fromkeys(_kinds(Op)))
"""Every class that an operator of a graph may have."""

READ_AS: dict[str, type[Op] | None] = {
    **{cls.kind: cls for cls in reversed(OPERATORS) if not issubclass(cls, Int16)},
    **dict.fromkeys(STEPS, Curve),
    "BATCH_TO_SPACE_ND": None,
    "DEQUANTIZE": None,
    "EXPAND_DIMS": Reshape,
    "PACK": Concatenation,
    "SPACE_TO_BATCH_ND": Conv2D,
    "SPLIT": Slice,
    "SPLIT_V": Slice,
    "SQUEEZE": Reshape,
    "UNPACK": Slice,
}
"""What a graph usually has of an operator, by its name in a .tflite; None where that is nothing."""


def handler(table: Mapping[type[Op], Handler], op: type[Op]) -> Handler:
    """Return a stage's entry for a class of operators, or for its nearest parent that has one.

    Raises:
        TypeError: it has nothing; a test holds that this never happens.
    """
    for cls in op.__mro__:
        if cls in table:
            return table[cls]
    raise TypeError(f"this stage has nothing for {op.__name__}")
