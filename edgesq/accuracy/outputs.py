"""How near the int8 forms' raw outputs are to the float model's, where they are no classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgesq.accuracy.forms import FLOAT, TFLITE_INT8, Batch
from edgesq.calibrate.preprocessing import levels_of_reals
from edgesq.graph import Graph


@dataclass(frozen=True)
class OutputGap:
    """One output of one form against another form.

    Attributes:
        output: its name, as `verify` has it.
        form: which is looked at.
        against: which it is compared with: the float model, or TFLite int8 without one.
        values: that were compared.
        equal: share of them on the same int8 level.
        max_steps: largest difference, in steps of the output's scale.
        mean_steps: mean difference, likewise.
        sqnr_db: power of the other form's values over that of the difference; None where one is
            zero.
    """

    output: str
    form: str
    against: str
    values: int
    equal: float
    max_steps: float
    mean_steps: float
    sqnr_db: float | None


@dataclass(eq=False)
class _Sums:
    values: int = 0
    equal: int = 0
    most: float = 0.0
    steps: float = 0.0
    signal: float = 0.0
    noise: float = 0.0


class OutputCount:
    """Sums over all images of what `OutputGap` tells."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._sums: dict[tuple[int, str, str], _Sums] = {}

    def add(self, batch: Batch) -> None:
        """Count a batch, whose `made` has all outputs."""
        against = FLOAT if FLOAT in batch.made else TFLITE_INT8
        for form, values in batch.made.items():
            if form == against:
                continue
            for number, (mine, other) in enumerate(zip(values, batch.made[against], strict=True)):
                tensor = self._graph.tensors[self._graph.outputs[number]]
                sums = self._sums.setdefault((number, form, against), _Sums())
                levels = [
                    levels_of_reals(one, tensor.scale, tensor.zero_point) for one in (mine, other)
                ]
                gaps = np.abs(mine.astype(np.float64) - other)
                sums.values += mine.size
                sums.equal += int(np.count_nonzero(levels[0] == levels[1]))
                sums.most = max(sums.most, float(gaps.max()) / tensor.scale)
                sums.steps += float(gaps.sum()) / tensor.scale
                sums.signal += float(np.sum(other.astype(np.float64) ** 2))
                sums.noise += float(np.sum(gaps**2))

    def gaps(self) -> tuple[OutputGap, ...]:
        """Return what was found, by output."""
        names = self._graph.observed_names
        return tuple(
            OutputGap(
                names[number],
                form,
                against,
                sums.values,
                sums.equal / sums.values,
                round(sums.most, 4),
                sums.steps / sums.values,
                10 * float(np.log10(sums.signal / sums.noise))
                if sums.signal and sums.noise
                else None,
            )
            for (number, form, against), sums in sorted(self._sums.items())
        )
