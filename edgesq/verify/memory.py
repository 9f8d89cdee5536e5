"""What a build's plan takes, operator by operator, and what others would."""

from dataclasses import dataclass

from edgesq.export import ExportReport
from edgesq.export import planned as plan_of
from edgesq.graph import Graph
from edgesq.plan import Plan, covered_bytes, curve
from edgesq.verify import charts


@dataclass(frozen=True)
class Row:
    """One operator of the board's table.

    Attributes:
        name: of its layers.
        kind: what it computes.
        shape: of its output.
        rows: of the output held at once.
        ring_bytes: that take; None where an earlier operator shares them.
        arena_bytes: most of the arena in use while it runs.
        weights_bytes: of weights and biases.
        macs: multiply-accumulates per image.
    """

    name: str
    kind: str
    shape: str
    rows: int
    ring_bytes: int | None
    arena_bytes: int
    weights_bytes: int
    macs: int


@dataclass(frozen=True)
class Memory:
    """What a plan takes.

    Attributes:
        rows: one for each operator.
        curve: instructions against arena, from bands of one row to whole maps.
    """

    rows: tuple[Row, ...]
    curve: charts.Curve


def planned(graph: Graph, facts: ExportReport | None) -> Memory | None:
    """Return what the plan of a build takes; None where its runtime plans for itself.

    Args:
        graph: the model.
        facts: the build's report; None without one.
    """
    chosen = None if facts is None else plan_of(facts, graph)
    if facts is None or chosen is None:
        return None
    *banded, whole = curve(graph, facts.firmware.kernels)
    labels = [str(max(one.bands.by_height.values())) for one in banded]
    plans = zip([*banded, whole], [*labels, "whole maps"], strict=True)
    drawn = charts.curve(
        [(one.plan.arena_bytes, one.instructions, label) for one, label in plans],
        (chosen.plan.arena_bytes, chosen.instructions),
    )
    return Memory(_rows(graph, chosen.plan), drawn)


def _rows(graph: Graph, plan: Plan) -> tuple[Row, ...]:
    in_use, shown = _in_use(plan), set()
    rows = []
    for item, used in zip(plan.ops, in_use, strict=True):
        slot = plan.slots[item.output]
        assert slot is not None
        ring = plan.rings[slot.storage]
        rows.append(
            Row(
                name=" > ".join(op.name for op in item.ops),
                kind=" > ".join(op.kind for op in item.ops),
                shape=f"{slot.height}x{slot.width}x{slot.channels}",
                rows=ring.ring_rows,
                ring_bytes=None if slot.storage in shown else ring.bytes,
                arena_bytes=used,
                weights_bytes=sum(graph.op_weights_bytes(op) for op in item.ops),
                macs=sum(graph.macs(op) for op in item.ops),
            )
        )
        shown.add(slot.storage)
    return tuple(rows)


def _in_use(plan: Plan) -> list[int]:
    """Return the most bytes of the arena in use in any step of each operator."""
    most = [0] * len(plan.ops)
    for step, index in enumerate(plan.steps):
        if index < len(most):
            used = covered_bytes(plan.in_use(step))
            most[index] = max(most[index], used)
    return most
