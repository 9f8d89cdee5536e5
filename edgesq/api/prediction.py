"""What a model makes of an image, here or on a board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgesq import markup
from edgesq.calibrate import Classes

if TYPE_CHECKING:
    from edgesq.graph import Int8Array

_TOP = 5


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """What a model makes of one image.

    Attributes:
        int8: the first output as the board gives it, int8, of the output's shape without the batch.
        values: the same in reals, float32: (int8 - zero point) * scale.
        label: number of the likeliest class; None where the outputs are no classes.
        classes: the names of the classes; without names where nobody says.
        outputs: every output in reals, by name (`output`, or `output0` and so on of several).
    """

    int8: Int8Array
    values: NDArray[np.float32]
    label: int | None
    classes: Classes
    outputs: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """Name of the likeliest class, its number where nobody says; None without classes."""
        return None if self.label is None else self.classes.name_of(self.label)

    @property
    def top(self) -> tuple[tuple[str, float], ...]:
        """Name and value of the five largest outputs, the largest first; none without classes.

        Of equal outputs the likeliest class is first: the logits, which are finer, say it. One
        output is the probability of class 1.
        """
        if self.label is None:
            return ()
        flat = self.values.reshape(-1)
        first = 1 if len(flat) == 1 else 0
        others = np.arange(first, first + len(flat)) != self.label
        best = np.lexsort((others, -flat))[:_TOP]
        return tuple((self.classes.name_of(first + int(at)), float(flat[at])) for at in best)

    def __repr__(self) -> str:
        if self.label is None:
            low, high = float(self.values.min()), float(self.values.max())
            return f"Prediction(values {list(self.values.shape)} from {low:.4g} to {high:.4g})"
        shown = ", ".join(f"{name}: {value:.4g}" for name, value in self.top)
        return f"Prediction({self.name}; {shown})"

    def _repr_html_(self) -> str:
        if self.label is None:
            return markup.lines([repr(self)])
        rows = tuple((name, f"{value:.4g}") for name, value in self.top)
        return markup.Table(f"likeliest: {self.name}", ("class",), ("value",), rows)._repr_html_()
