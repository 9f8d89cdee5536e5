"""Give up time for RAM, step by step: the front of a model's plans.

A step fuses operators (`fusing`), which then compute rows again, or holds a map whole, so that what
comes before it is done with its memory before what comes after it begins. Each step is the one that
gains most for its instructions, and gains are counted where memory is short: in all steps of the
schedule above a bound some percent below the peak. So a plan whose peak has several places comes
down from all of them, though no change of one place lowers the peak.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array
from edgesq.integers import ceil_div
from edgesq.plan.arena import in_steps
from edgesq.plan.draft import Draft
from edgesq.plan.fusing import chains_of, fused_op
from edgesq.plan.lower import Lowered
from edgesq.plan.planner import Planner
from edgesq.plan.request import Bands, Fusion, Rows, rows_of

_SHORT = (0.9, 0.75, 0.6)
"""Memory is short in steps above this part of the peak; the next one counts where no step helps."""

_PEAK_WORTH = 0.3
"""What the peak counts for, beside the mean of what all steps are above the bound."""

_LITTLE = 4e-3
"""Part of the instructions that a step which costs nothing is taken to cost."""

_ROWS = (1, 2, 3, 6)
"""Of a band of fused operators, that are tried."""

_CHAINS, _MAPS = 12, 6
"""Chains, and maps held whole, that are tried for a step: those that promise most."""

_STEPS = 60
"""Of a descent, at most."""

WORK = 1_000_000
"""Steps of schedules that a descent simulates, at most."""

MUCH_WORK = 3 * WORK
"""The same where nothing but RAM counts."""

_LEAST_GAIN = 0.01
"""Part of the excess that a step must take away."""


@dataclass(frozen=True, eq=False)
class Place:
    """A plan on the way down, not placed yet.

    Attributes:
        bands: of the plan.
        draft: what they come to.
        used: bytes in use in each step, with the least that its kernel works in.
        cost: estimated instructions, by the fastest kernels.
    """

    bands: Bands
    draft: Draft
    used: Int64Array
    cost: float

    @cached_property
    def peak(self) -> int:
        """The most bytes in use."""
        return int(self.used.max())

    def excess(self, bound: float) -> float:
        """Return how far a plan is above a bound, as a part of it."""
        above = np.maximum(self.used - bound, 0)
        return float(above.mean() + _PEAK_WORTH * above.max()) / bound


class Descent:
    """The way down from a plan.

    Args:
        planner: of the model, with plain weights.
        start: bands to begin with.
        work: steps of schedules that are simulated, at most.
    """

    def __init__(self, planner: Planner, start: Bands, work: int = WORK) -> None:
        self._planner = planner
        self._graph = planner.graph
        self._work, self._most_work = 0, work
        self._known: dict[Rows, Place] = {}
        lowered = planner.draft(start).lowered
        self._chains = chains_of(self._graph, lowered.slots, lowered.ops)
        self._maps = [
            item.output
            for item in lowered.ops
            if (slot := lowered.slots[item.output]) and slot.height > 1
        ]
        self._more = {chain: self._again(lowered, chain) for chain in self._chains}
        self.start = self._made(start)

    def _again(self, lowered: Lowered, chain: Fusion) -> float:
        """Return the instructions that a chain takes more than its operators one by one."""
        parts = [item for item in lowered.ops if item.output in chain.outputs]
        parts = [replace(item, band_units=1) for item in parts]
        fused = fused_op(self._graph, lowered.slots, parts)
        if fused is None:
            return float("inf")
        least = self._planner.least_instructions
        return max(least(fused) - sum(map(least, parts)), 0.0)

    def places(self) -> Iterator[Place]:
        """Yield the plan to begin with, and each after it, which takes less RAM."""
        place = self.start
        yield place
        for _ in range(_STEPS):
            steps = (self._step(place, place.peak * part) for part in _SHORT)
            lower = next((one for one in steps if one is not None), None)
            if lower is None:
                return
            place = lower
            yield place

    def _step(self, place: Place, bound: float) -> Place | None:
        """Return the best place one step below another one; more is tried where nothing helps."""
        held = self._held(place, place.used > bound)
        maps = self._promising_maps(place, held)
        chains = self._promising_chains(place, held)
        for first in range(0, max(len(chains), 1), _CHAINS):
            moves = self._moves(place, maps, chains[first : first + _CHAINS])
            best = self._best(place, bound, moves)
            if best is not None:
                return best
            maps = []
        return None

    def _best(self, place: Place, bound: float, moves: Iterable[Bands]) -> Place | None:
        best, best_worth = None, 0.0
        excess = place.excess(bound)
        for bands in moves:
            if self._work > self._most_work:
                return None
            trial = self._place(bands)
            gain = excess - trial.excess(bound)
            worth = gain / max(trial.cost / place.cost - 1, _LITTLE)
            if gain >= excess * _LEAST_GAIN and worth > best_worth:
                best, best_worth = trial, worth
        return best

    def _moves(
        self, place: Place, maps: Sequence[int], chains: Sequence[Fusion]
    ) -> Iterator[Bands]:
        fused, whole = place.bands.fused or frozenset(), place.bands.whole or frozenset()
        for output in maps:
            yield place.bands.changed(Bands(whole=whole ^ {output}))
        for chain in chains:
            rest = frozenset(other for other in fused if not {*other.outputs} & {*chain.outputs})
            for rows in _ROWS[:1] if chain.running else _ROWS:
                by_output = {chain.outputs[-1]: rows}
                yield place.bands.changed(Bands(fused=rest | {chain}, by_output=by_output))

    def _promising_chains(self, place: Place, held: dict[int, float]) -> list[Fusion]:
        """Return the chains within which most is held where memory is short."""
        lowered = place.draft.lowered
        worth = []
        for chain in self._chains:
            storages = {
                slot.storage for output in chain.outputs[:-1] if (slot := lowered.slots[output])
            }
            value = sum(held.get(storage, 0.0) for storage in storages)
            worth.append((-value / (_LITTLE + self._more[chain] / place.cost), chain))
        return [chain for value, chain in sorted(worth) if value < 0]

    def _promising_maps(self, place: Place, held: dict[int, float]) -> list[int]:
        """Return the maps that part most of what is held together where memory is short."""
        lowered = place.draft.lowered
        whole = place.bands.whole or frozenset()
        sizes = [0.0] * len(lowered.ops)
        made = {item.output: index for index, item in enumerate(lowered.ops)}
        for index, item in enumerate(lowered.ops):
            slot = lowered.slots[item.output]
            if slot is not None and slot.storage == item.output:
                sizes[index] = held.get(slot.storage, 0.0)
        before = np.cumsum(sizes)
        worth = []
        for output in self._maps:
            if output in made:
                index = made[output]
                slot = lowered.slots[output]
                assert slot is not None
                apart = min(before[index] - sizes[index], before[-1] - before[index])
                value = apart + sizes[index] - slot.height * slot.row_bytes
                worth.append((-value if output not in whole else -1e-9, output))
        return [output for value, output in sorted(worth)[:_MAPS] if value < 0]

    def _held(self, place: Place, short: NDArray[np.bool_]) -> dict[int, float]:
        """Return the bytes that each storage holds on average where memory is short."""
        count = len(place.used)
        found: dict[int, float] = {}
        for one in place.draft.residents:
            kind, index = one.key
            if kind == "ring":
                live = in_steps(one.block.live, ceil_div(count, 8))[:count]
                found[index] = float(live[short].mean()) * one.block.bytes
        return found

    def _place(self, bands: Bands) -> Place:
        """Return what some bands come to."""
        key = rows_of(self._graph, bands)
        if key not in self._known:
            self._known[key] = self._made(bands)
        return self._known[key]

    def _made(self, bands: Bands) -> Place:
        draft = self._planner.draft(bands)
        self._work += len(draft.schedule.steps)
        return Place(bands, draft, self._planner.least_used(draft), self._planner.least_cost(draft))


def front(places: Iterable[Place]) -> list[Place]:
    """Return the places that no other one beats in both RAM and instructions, fastest first."""
    kept: list[Place] = []
    for place in sorted(places, key=lambda one: (one.cost, one.peak)):
        if not kept or place.peak < kept[-1].peak:
            kept.append(place)
    return kept
