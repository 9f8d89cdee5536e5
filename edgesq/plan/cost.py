"""Estimate what a plan takes in instructions: its operators, and what bands decide."""

import math

from edgesq.choices import Goal
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.row_op import Ops, RowOp
from edgesq.operators import Convolution

STEP_INSTRUCTIONS = 150
"""Per step of the schedule: the engine, the link's heartbeat, an operator's entry and exit."""

ROW_INSTRUCTIONS = 120
"""Per output row of an operator: row pointers and the kernel's set-up."""

WIDE_PRODUCT, WIDE_VALUE = 7.0, 60.0
"""Of a channel whose weights do not fit int8: per multiplication, and per value."""

GAIN = {Goal.SPEED: 0.02, Goal.BALANCED: 0.10}
"""Part of the instructions that a plan with twice the RAM of another must save, by goal."""

_BESIDE_BYTES = 4_096
"""RAM of a firmware beside the arena, about: doubling a small arena does not double it."""

_LITTLE = 1e-12
"""An instruction, in bytes of the smallest arena: it counts among equals only."""


def score(goal: Goal, arena_bytes: int, cost: float) -> float:
    """Return what a goal takes a plan to cost, by its arena and its instructions."""
    if goal is Goal.RAM:
        return arena_bytes + cost * _LITTLE
    doublings = math.log2(arena_bytes + _BESIDE_BYTES)
    return float(cost * (1 - GAIN[goal]) ** -doublings)


def plan_instructions(graph: Graph, ops: Ops, steps: int, kernels: str) -> float:
    """Estimate a plan, per image."""
    operators = sum(operator_instructions(graph, item, kernels) for item in ops)
    return fixed_instructions(graph, ops, steps) + operators


def operator_instructions(graph: Graph, item: RowOp, kernels: str) -> float:
    """Estimate an operator apart from its rows and steps; wide channels are computed twice."""
    own = FAMILIES[kernels].instructions(graph, item)
    op = item.op
    if not isinstance(op, Convolution) or op.wide is None:
        return own
    channels = graph.tensors[op.output].hwc[2]
    share = len(op.wide_channels) / channels
    values = math.prod(graph.tensors[op.output].hwc)
    return own + share * (graph.macs(op) * WIDE_PRODUCT + values * WIDE_VALUE)


def fixed_instructions(graph: Graph, ops: Ops, steps: int) -> int:
    """Estimate the part of a plan that bands decide and kernels do not: its rows and steps."""
    rows = sum(graph.tensors[item.op.output].hwc[0] for item in ops)
    return rows * ROW_INSTRUCTIONS + steps * STEP_INSTRUCTIONS
