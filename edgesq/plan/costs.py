"""What each operator of a plan takes in flash and in instructions."""

from collections import Counter
from dataclasses import dataclass

from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.flash import coded_saves_bytes
from edgesq.kernels.portable import constant_bytes
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Convolution
from edgesq.plan.allocation import Plan
from edgesq.plan.cost import ROW_INSTRUCTIONS, STEP_INSTRUCTIONS, operator_instructions

ENTRY_BYTES = 32
"""On a 32-bit core: struct esq_op."""

OP_BYTES = ENTRY_BYTES + 40
"""That and its parameters (at most, but a pooled convolution's)."""


@dataclass(frozen=True)
class OperatorCost:
    """One operator of the runtime's table.

    Attributes:
        weights_bytes: of flash for weights and biases, as the kernel has them.
        tables_bytes: of flash for requantization, look-ups and parameters, at most.
        instructions: estimated per image, with its steps and rows.
    """

    weights_bytes: int
    tables_bytes: int
    instructions: float


def operator_costs(graph: Graph, plan: Plan, kernels: str) -> tuple[OperatorCost, ...]:
    """Return what each operator of a plan takes.

    Args:
        graph: the model.
        plan: its plan.
        kernels: kernel family.
    """
    steps = Counter(plan.steps)
    return tuple(_cost(graph, item, steps[index], kernels) for index, item in enumerate(plan.ops))


def _cost(graph: Graph, item: RowOp, steps: int, kernels: str) -> OperatorCost:
    family = FAMILIES[kernels]
    own = sum(graph.op_weights_bytes(op) for op in item.ops)
    packed = family.extra_bytes(graph, item) - coded_saves_bytes(graph, (item,), kernels)
    rows = graph.tensors[item.op.output].hwc[0]
    return OperatorCost(
        own + packed,
        table_bytes(graph, item, kernels),
        operator_instructions(graph, item, kernels)
        + rows * ROW_INSTRUCTIONS
        + steps * STEP_INSTRUCTIONS,
    )


def table_bytes(graph: Graph, item: RowOp, kernels: str) -> int:
    """Return what an operator takes in flash beside its weights, at most."""
    convolutions = [op for op in item.ops if isinstance(op, Convolution)]
    family = FAMILIES[kernels]
    tables = sum(family.requantization_bytes(graph, op) for op in convolutions)
    made = item.kernel.tabled.saved_bytes if item.kernel.tabled else 0
    return tables - made + constant_bytes(graph, item) + OP_BYTES
