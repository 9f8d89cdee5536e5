"""Which operators the runtime's table holds, and which tensor each of them writes.

The table is not the graph's list: concatenations are not there, a convolution and the mean that
alone reads it are one, and a tensor may be copied.
"""

from dataclasses import dataclass

from edgesq.errors import EdgesqError
from edgesq.graph import Graph
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.kernel import Form
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Access, Op
from edgesq.plan import Plan


@dataclass(frozen=True)
class Operator:
    """One operator of the runtime's table. The field names are the report's keys.

    Attributes:
        name: of the layers it computes.
        kind: of the graph's operators it computes.
        function: that the board runs.
        family: the kernel family of that function.
        form: which of several ways of computing it takes.
        coded: whether its weights are coded in flash, and decoded while it runs.
        tabled: whether its table of requantization is made while it runs.
        ops: the graph's operators it computes, by index; of a concatenation it copies one input.
        access: how it walks its rows, the name of an Access.
        inputs: tensors it reads, by index in the graph.
        output: tensor whose values it writes; the last one where it computes several operators.
        overwrites: the input that lies where the output is written, an index into `inputs`.
        rows_per_step: output rows of a step; 1 where rows are accumulated.
    """

    name: str
    kind: str
    function: str
    family: str
    form: Form
    coded: bool
    tabled: bool
    ops: tuple[int, ...]
    access: str
    inputs: tuple[int, ...]
    output: int
    overwrites: int | None
    rows_per_step: int

    def graph_ops(self, graph: Graph) -> tuple[Op, ...]:
        """The graph's operators that it computes, in order."""
        return tuple(graph.ops[index] for index in self.ops)

    def macs(self, graph: Graph) -> int:
        """Multiply-accumulates per image."""
        return sum(graph.macs(op) for op in self.graph_ops(graph))


def operators_of(graph: Graph, plan: Plan) -> tuple[Operator, ...]:
    """Return the runtime's table for a plan."""
    return tuple(_operator(graph, plan, item) for item in plan.ops)


def _operator(graph: Graph, plan: Plan, item: RowOp) -> Operator:
    kernel = item.kernel
    is_copy = item.output >= len(graph.tensors)
    places = [plan.slots[number] for number in (*item.inputs, item.output)]
    storages = [slot.storage if slot else None for slot in places]
    shared = item.op.is_valuewise and storages[-1] in storages[:-1]
    return Operator(
        name=" > ".join(op.name for op in item.ops),
        kind=" > ".join("COPY" if is_copy else op.kind for op in item.ops),
        function=kernel.function,
        family=kernel.family,
        form=kernel.form,
        coded=kernel.coded is not None,
        tabled=kernel.tabled is not None,
        ops=tuple(graph.ops.index(op) for op in item.ops),
        access=item.access.name,
        inputs=item.inputs,
        output=item.inputs[0] if is_copy else item.output,
        overwrites=storages.index(storages[-1]) if shared else None,
        rows_per_step=item.band_units,
    )


def check_operators(operators: tuple[Operator, ...], graph: Graph) -> None:
    """Hold the table that a report says against the model.

    Raises:
        EdgesqError: there is none, or it is not of this model.
    """
    if not operators or not all(_belongs(operator, graph) for operator in operators):
        raise EdgesqError(
            "the build's report does not say which operators the board runs", hint="export again"
        )


def _belongs(operator: Operator, graph: Graph) -> bool:
    """Say whether all numbers are some of the graph's."""
    tensors = (*operator.inputs, operator.output)
    return (
        all(0 <= index < len(graph.ops) for index in operator.ops)
        and all(0 <= index < len(graph.tensors) for index in tensors)
        and all(graph.tensors[index].data is None for index in tensors)
        and operator.access in Access.__members__
        and operator.family in FAMILIES
        and len(operator.ops) >= 1
        and len(operator.inputs) in (1, 2)
        and operator.overwrites in (None, *range(len(operator.inputs)))
        and operator.rows_per_step >= 1
    )
