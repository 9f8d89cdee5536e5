"""What a plan is asked for: a goal, limits, and how many rows operators compute per step."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgesq.choices import Goal
from edgesq.graph import Graph


@dataclass(frozen=True, order=True)
class Fusion:
    """Operators that run as one, strip by strip.

    Attributes:
        outputs: the slots that they write, in topological order.
        running: whether a max pool among them keeps its maxima from step to step, so that nothing
            is computed again.
    """

    outputs: tuple[int, ...]
    running: bool = False


@dataclass(frozen=True)
class Bands:
    """Rows that operators compute per step; never more than their output has.

    Attributes:
        rows: of all operators that are not named below; one row takes the least RAM.
        by_height: of operators by the height of their output, in rows.
        by_output: of single operators by the slot they write; goes before `by_height`.
        fused: operators that run as one. None in a change of bands: as they were.
        whole: slots that are complete before anything reads them; None likewise.
    """

    rows: int = 1
    by_height: Mapping[int, int] = field(default_factory=dict)
    by_output: Mapping[int, int] = field(default_factory=dict)
    fused: frozenset[Fusion] | None = None
    whole: frozenset[int] | None = None

    def changed(self, change: "Bands") -> "Bands":
        """Return these bands with all that `change` names."""
        return Bands(
            self.rows,
            {**self.by_height, **change.by_height},
            {**self.by_output, **change.by_output},
            self.fused if change.fused is None else change.fused,
            self.whole if change.whole is None else change.whole,
        )

    @property
    def is_below_rows(self) -> bool:
        """Whether anything is fused or held whole."""
        return bool(self.fused or self.whole)

    def of(self, height: int, output: int) -> int:
        """Return the rows per step of an operator.

        Args:
            height: rows of its output.
            output: the slot it writes.
        """
        rows = self.by_output.get(output, self.by_height.get(height, self.rows))
        return min(rows, height)


Rows = tuple[object, ...]
"""Rows per step of each of the graph's operators, what is fused, what is held whole."""


def rows_of(graph: Graph, bands: Bands) -> Rows:
    """Return what bands come to for a model: different ones may come to the same."""
    rows = (bands.of(graph.tensors[op.output].hwc[0], op.output) for op in graph.ops)
    return (*rows, bands.fused or frozenset(), bands.whole or frozenset())


FLASH_WORTH = {Goal.RAM: 200.0, Goal.BALANCED: 100.0, Goal.SPEED: 0.0}
"""Instructions per image that a byte of flash is worth, by goal.

Tables of requantization are made on the board where that costs less, and weights grow for Winograd
where that saves more.
"""

_SHORT_WORTH = 2_000.0
"""The same where flash is short."""


@dataclass(frozen=True)
class PlanRequest:
    """What a plan is for, apart from its bands.

    Attributes:
        kernels: name of the kernel family.
        goal: what a search is to be best at.
        limit_bytes: most bytes that the arena may take; None for no limit. Plans with coded weights
            fill the arena up to it, because memory makes decoding faster; without a limit they stay
            near the smallest arena.
        growth_bytes: most bytes by which packed weights may exceed the model's own to be faster;
            None for one part in `WEIGHTS_GROWTH` of them.
        coded: convolutions, by output, whose weights are coded in flash and decoded per band.
    """

    kernels: str = "portable"
    goal: Goal = Goal.BALANCED
    limit_bytes: int | None = None
    growth_bytes: int | None = None
    coded: frozenset[int] = frozenset()

    @property
    def flash_worth(self) -> float:
        """Instructions per image that a byte of flash is worth; many where weights may not grow."""
        return FLASH_WORTH[self.goal] if self.growth_bytes != 0 else _SHORT_WORTH
