"""Take operators with several outputs apart: one for each output that something reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Operators = Iterable[tuple[str, Any]]

SEVERAL = ("SPLIT", "SPLIT_V", "UNPACK")
"""Operators whose outputs are parts of their input, each for itself."""


@dataclass(frozen=True)
class Part:
    """One output of an operator of the schema, in the form of an operator.

    Attributes:
        whole: the operator.
        number: of the output.
    """

    whole: Any
    number: int

    @property
    def inputs(self) -> list[int]:
        """The file's numbers of what the operator reads."""
        return list(self.whole.inputs)

    @property
    def outputs(self) -> list[int]:
        """The file's number of this output alone."""
        return [self.whole.outputs[self.number]]

    @property
    def builtinOptions(self) -> Any:  # noqa: N802 # the schema's word
        """The operator's options."""
        return self.whole.builtinOptions


def apart(operators: Operators, results: Iterable[int]) -> list[tuple[str, Any]]:
    """Return the operators; of those with several outputs a `Part` for each that is read.

    Args:
        operators: name and operator, in order.
        results: the file's numbers of the model's outputs.
    """
    known = list(operators)
    read = {index for _, one in known for index in one.inputs} | set(results)
    return [
        (kind, piece)
        for kind, one in known
        for piece in (_parts(one, read) if kind in SEVERAL else (one,))
    ]


def _parts(operator: Any, read: set[int]) -> list[Part]:
    outputs = enumerate(operator.outputs)
    return [Part(operator, number) for number, index in outputs if index in read]


def wholes(operators: Iterable[Any]) -> list[Any]:
    """Return operators of the schema, each once, where some are parts."""
    whole = [one.whole if isinstance(one, Part) else one for one in operators]
    return list({id(one): one for one in whole}.values())
