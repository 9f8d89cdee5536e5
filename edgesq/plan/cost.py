"""Estimate what a plan takes in instructions: its operators, and what bands decide."""

from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.row_op import Ops

STEP_INSTRUCTIONS = 150
"""Per step of the schedule: the engine, the link's heartbeat, an operator's entry and exit."""

ROW_INSTRUCTIONS = 120
"""Per output row of an operator: row pointers and the kernel's set-up."""


def plan_instructions(graph: Graph, ops: Ops, steps: int, kernels: str) -> float:
    """Estimate a plan, per image."""
    operators = sum(FAMILIES[kernels].instructions(graph, item) for item in ops)
    return fixed_instructions(graph, ops, steps) + operators


def fixed_instructions(graph: Graph, ops: Ops, steps: int) -> int:
    """Estimate the part of a plan that bands decide and kernels do not: its rows and steps."""
    rows = sum(graph.tensors[item.op.output].hwc[0] for item in ops)
    return rows * ROW_INSTRUCTIONS + steps * STEP_INSTRUCTIONS
