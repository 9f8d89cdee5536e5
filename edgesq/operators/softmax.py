"""Softmax."""

from dataclasses import dataclass

from edgesq.operators.base import Op


@dataclass(frozen=True)
class Softmax(Op, kind="SOFTMAX", rescales=True, output_steps=(256, -128)):
    """Softmax over the last dimension; output scale 1/256, zero point -128."""

    beta: float
