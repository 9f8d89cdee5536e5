"""What each operator of a board's table takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgesq.builds import Operator
from edgesq.graph import Graph
from edgesq.records import Count, Part, Positive


@dataclass(frozen=True)
class OperatorProfile:
    """One operator. The field names are the JSON's keys.

    Attributes:
        name: of its layers.
        kind: of the graph's operators it computes.
        function: that the board runs.
        macs: multiply-accumulates per image.
        ticks: of the board's counter, median over the images; None where they tell nothing, as
            in Unicorn.
        us: the same in microseconds; None on an emulated board, which takes no time of its own.
        instructions: the same; None where the board cannot count.
        share: of all operators' ticks, 0..1; None where those are.
        cycles: the same, of the core's clock; None where the board counts something else.
    """

    name: str
    kind: str
    function: str
    macs: Count
    ticks: Positive | None
    us: Positive | None
    instructions: Count | None
    share: Part | None
    cycles: Count | None = None


def profile(
    graph: Graph,
    operators: Sequence[Operator],
    ticks: Sequence[Sequence[int]],
    us_per_tick: float | None,
    instructions_per_tick: float | None,
    cycles_per_tick: float | None,
) -> tuple[OperatorProfile, ...]:
    """Return what each operator takes.

    Args:
        graph: the model.
        operators: the board's table.
        ticks: of every operator, by image; at least one image.
        us_per_tick: None where that is not known.
        instructions_per_tick: likewise.
        cycles_per_tick: likewise.
    """
    medians = np.median(np.array(ticks, np.float64), axis=0)
    total = float(medians.sum())
    worth = (us_per_tick, instructions_per_tick, cycles_per_tick)
    tells = any(one is not None for one in worth)
    return tuple(
        OperatorProfile(
            operator.name,
            operator.kind,
            operator.function,
            operator.macs(graph),
            float(median) if tells else None,
            None if us_per_tick is None else float(median) * us_per_tick,
            None if instructions_per_tick is None else round(median * instructions_per_tick),
            (float(median) / total if total else 0.0) if tells else None,
            None if cycles_per_tick is None else round(median * cycles_per_tick),
        )
        for operator, median in zip(operators, medians, strict=True)
    )
