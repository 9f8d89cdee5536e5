"""Parameters of the operators that keep the shape, as C data.

Mirror: the structs of firmware/include/esq_ops.h.
"""

from edgesq.arithmetic import add_parameters, softmax_exp_table
from edgesq.codegen.text import comment, row, rows, template
from edgesq.graph import Add, Graph, Softmax


def add_params(graph: Graph, op: Add, index: int) -> str:
    """Return the C text that defines `params_<index>` of an ADD."""
    parameters = add_parameters(graph, op)
    return template("add.c").substitute(
        name=comment(op.name),
        index=index,
        multiplier=row(parameters.multiplier),
        output_multiplier=parameters.output_multiplier,
        input_zp=row(graph.tensors[source].zero_point for source in op.inputs),
        output_zp=graph.tensors[op.output].zero_point,
        shift=row(parameters.shift),
        output_shift=parameters.output_shift,
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )


def softmax_params(graph: Graph, op: Softmax, index: int) -> str:
    """Return the C text that defines `params_<index>` of a SOFTMAX."""
    exp = rows(softmax_exp_table(graph, op).tolist())
    return template("softmax.c").substitute(name=comment(op.name), index=index, exp=exp)
