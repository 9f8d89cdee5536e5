"""What each operator of a board's table costs, by the board's own counter."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgesq.builds.operators import Operator
from edgesq.graph import Graph, Int8Array
from edgesq.link.client import Client
from edgesq.link.trace import Tracer
from edgesq.link.transport import open_port
from edgesq.targets import Target
from edgesq.verify import find_board


@dataclass(frozen=True)
class OperatorCost:
    """One operator in one image.

    Attributes:
        name, kind, function: as in the build's report.
        macs: multiply-accumulates.
        instructions: spent in its steps, to the resolution of the counter.
    """

    name: str
    kind: str
    function: str
    macs: int
    instructions: int


def operator_costs(
    build: Path, image: Int8Array, graph: Graph, table: Sequence[Operator], target: Target
) -> tuple[OperatorCost, ...]:
    """Run one image on the board of `build`.

    Args:
        build: its board runs.
        image: int8 [H, W, C].
        graph: the model.
        table: the operators of the board's table.
        target: the board.

    Raises:
        BoardError: the link failed.
    """
    per_tick = target.instructions_per_tick
    assert per_tick is not None, f"{target.name} counts no instructions"
    with open_port(find_board(build)) as transport:
        inference, traces = Tracer(Client(transport)).infer(image.tobytes())
    costs = tuple(
        OperatorCost(
            operator.name,
            operator.kind,
            operator.function,
            operator.macs(graph),
            round(trace.ticks * per_tick),
        )
        for operator, trace in zip(table, traces, strict=True)
    )
    left = inference.ticks - sum(trace.ticks for trace in traces)
    assert abs(left) <= len(traces), f"{left} ticks belong to no operator"
    return costs
