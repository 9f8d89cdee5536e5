"""An ONNX model once its file has been read: operators, constants, shapes, quantization."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edgesq.importers.quants import Constant, Quant

Note = tuple[str, str]
"""What was decided, and where."""


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

    def pair(self, attribute: str) -> tuple[int, int]:
        """Return an attribute for rows and columns, 1 where it is left out."""
        listed = self.attributes.get(attribute, (1, 1))
        return int(listed[0]), int(listed[1])


@dataclass(eq=False)
class Net:
    """A model: batch 1, all shapes known.

    Attributes:
        nodes: in an order in which they can be computed.
        constants: by name.
        shapes: of every value, with its batch of 1.
        floats: the values that are floats in the file.
        quants: by value, for an int8 model.
        inputs: names of what each image brings, in the file's order.
        outputs: names of the results, in the file's order.
        opset: version of ONNX's own operators.
        notes: what was decided while it was read, for the report.
    """

    nodes: list[Node]
    constants: dict[str, Constant]
    shapes: dict[str, tuple[int, ...]]
    floats: frozenset[str]
    quants: dict[str, Quant]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    opset: int
    notes: list[Note] = field(default_factory=list)

    def readers(self) -> dict[str, list[Node]]:
        """Return the nodes that read each value."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return found
