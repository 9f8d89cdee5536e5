"""What an image reads from a flash that is slower than the core, and what to keep in RAM for it."""

from collections import Counter
from dataclasses import dataclass

from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.kernels.counts import passes_of
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Convolution
from edgesq.plan.allocation import Plan
from edgesq.plan.costs import ENTRY_BYTES, OperatorCost, operator_costs
from edgesq.targets import Region

SLOW_CLOCKS = 8.0
"""Clocks of the core for a word from which on a flash is slow: what kernels with DSP instructions
compute with the four weights in it, for two pixels. Faster flash makes them wait less than that."""

_ALIGNMENT_BYTES = 64
"""What the arrays of an operator may take to begin at multiples of 16 bytes: at most four do."""


@dataclass(frozen=True)
class _Reading:
    """What an operator has in flash: bytes, how often an image reads them, and how many steps."""

    bytes: int
    times: int
    steps: int

    @property
    def ram_bytes(self) -> int:
        """What a copy takes at most; the operator's entry in the table stays in flash."""
        return self.bytes - ENTRY_BYTES + _ALIGNMENT_BYTES


def flash_reads(graph: Graph, plan: Plan, kernels: str, flash: Region) -> int:
    """Return the bytes that an image reads past the flash's cache, estimated.

    What an operator has in flash is read anew in each of its steps: the steps of others come in
    between. Where it is more than the cache holds, it is read anew for all pixels that are not
    computed together, except coded weights: they are decoded once a step. Of what was copied to RAM
    the operator's entry in the table is read. Code is not counted.

    Args:
        graph: the model.
        plan: its plan.
        kernels: kernel family.
        flash: with its cache.
    """
    return sum(
        ENTRY_BYTES * one.steps if index in plan.in_ram else one.bytes * one.times
        for index, one in enumerate(_readings(graph, plan, kernels, flash.cache_bytes))
    )


def worth_ram(
    graph: Graph, plan: Plan, kernels: str, goal: Goal, flash: Region | None, room_bytes: int | None
) -> frozenset[int]:
    """Return the operators whose weights and tables are copied to RAM: those read most often first.

    Args:
        graph: the model.
        plan: its plan; whether it has such operators is not looked at.
        kernels: kernel family.
        goal: of the plan; none are for `ram`.
        flash: of the board; none are where it is not slow.
        room_bytes: RAM that is left; None for no limit.
    """
    if goal is Goal.RAM or flash is None or flash.read_clocks_per_word < SLOW_CLOCKS:
        return frozenset()
    readings = _readings(graph, plan, kernels, flash.cache_bytes)
    left = sum(one.ram_bytes for one in readings) if room_bytes is None else room_bytes
    chosen = set()
    for index, one in sorted(enumerate(readings), key=lambda pair: -pair[1].times):
        if one.ram_bytes <= left:
            chosen.add(index)
            left -= one.ram_bytes
    return frozenset(chosen)


def in_ram_bytes(graph: Graph, plan: Plan, kernels: str) -> int:
    """Return what the weights and tables take that a plan has in RAM, at most."""
    readings = _readings(graph, plan, kernels, 0)
    return sum(readings[index].ram_bytes for index in plan.in_ram)


def _readings(graph: Graph, plan: Plan, kernels: str, cache_bytes: int) -> list[_Reading]:
    steps = Counter(plan.steps)
    costs = operator_costs(graph, plan, kernels)
    return [
        _reading(graph, item, cost, steps[index], cache_bytes)
        for index, (item, cost) in enumerate(zip(plan.ops, costs, strict=True))
    ]


def _reading(
    graph: Graph, item: RowOp, cost: OperatorCost, steps: int, cache_bytes: int
) -> _Reading:
    size, times = cost.weights_bytes + cost.tables_bytes, steps
    is_cached = size <= cache_bytes or item.kernel.coded is not None
    if isinstance(item.op, Convolution) and not is_cached:
        height, width, _ = graph.tensors[item.op.output].hwc
        times = height * passes_of(width, item.kernel.pixels)
    return _Reading(size, times, steps)
