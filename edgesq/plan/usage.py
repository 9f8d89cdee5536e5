"""What a plan takes, operator by operator."""

from dataclasses import dataclass

from edgesq.graph import Graph
from edgesq.plan.allocation import Plan, covered_bytes
from edgesq.records import Count


@dataclass(frozen=True)
class OperatorUse:
    """One operator of the runtime's table.

    Attributes:
        kinds: of the graph's operators that it computes.
        layers: their names.
        output: height, width, channels.
        band_rows: output rows of a step.
        ring_rows: of the output held at once.
        ring_bytes: that take; None where an earlier operator has the same ring.
        arena_bytes: most of the arena in use while it runs.
        macs: multiply-accumulates per image.
        weights_bytes: of weights and biases.
    """

    kinds: tuple[str, ...]
    layers: tuple[str, ...]
    output: tuple[int, int, int]
    band_rows: Count
    ring_rows: Count
    ring_bytes: Count | None
    arena_bytes: Count
    macs: Count
    weights_bytes: Count


def operator_uses(graph: Graph, plan: Plan) -> tuple[OperatorUse, ...]:
    """Return what each operator of a plan takes."""
    rows = []
    shown: set[int] = set()
    for item, used in zip(plan.ops, _in_use(plan), strict=True):
        slot = plan.slots[item.output]
        assert slot is not None
        each = graph.tensors[item.op.output].value_bytes
        ring = plan.rings[slot.storage]
        rows.append(
            OperatorUse(
                kinds=tuple(op.kind for op in item.ops),
                layers=tuple(op.name for op in item.ops),
                output=(slot.height, slot.width, slot.channels // each),
                band_rows=item.band_units,
                ring_rows=ring.ring_rows,
                ring_bytes=None if slot.storage in shown else ring.bytes,
                arena_bytes=used,
                macs=sum(graph.macs(op) for op in item.ops),
                weights_bytes=sum(graph.op_weights_bytes(op) for op in item.ops),
            )
        )
        shown.add(slot.storage)
    return tuple(rows)


def _in_use(plan: Plan) -> list[int]:
    """Return the most bytes of the arena in use in any step of each operator."""
    most = [0] * len(plan.ops)
    for step, index in enumerate(plan.steps):
        if index < len(most):
            most[index] = max(most[index], covered_bytes(plan.in_use(step)))
    return most
