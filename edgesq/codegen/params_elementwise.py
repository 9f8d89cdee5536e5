"""Parameters of the operators that keep the shape, as C data.

Mirror: the structs of firmware/include/esq_ops.h.
"""

import numpy as np

from edgesq.arithmetic import add_parameters, mul_multiplier, softmax_exp_table
from edgesq.codegen.text import comment, row, rows, template
from edgesq.graph import Add, Binary, Graph, Lookup, Mul, Softmax, Sub
from edgesq.integers import ceil_div
from edgesq.kernels.affine import Affine, stored_affine
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.kernel import Form, Kernel
from edgesq.lookup import lookup_table


def value_params(graph: Graph, op: Binary | Lookup, index: int, kernel: Kernel) -> str:
    """Return the C text that defines `params_<index>` of an operator on each value.

    Args:
        graph: the model.
        op: the operator.
        index: its number.
        kernel: how it runs.
    """
    if kernel.form is Form.TABLE:
        table = np.roll(lookup_table(graph, op), -128)  # in the order of uint8: 0, ..., -1
        return template("lookup.c").substitute(
            name=comment(op.name), index=index, table=rows(table.tolist())
        )
    assert isinstance(op, Binary)
    if kernel.form is Form.LINE:
        drops = FAMILIES[kernel.family].affine_drops
        return _affine(op, stored_affine(graph, op, drops), index)
    if isinstance(op, Mul):
        return _mul(graph, op, index)
    assert isinstance(op, Add | Sub)
    return _add(graph, op, index)


def _affine(op: Binary, lines: Affine, index: int) -> str:
    fours = ceil_div(lines.slope.size, 4)
    table = np.zeros((2, 4 * fours), np.int64)
    table[0, : lines.slope.size] = lines.slope
    table[1, : lines.slope.size] = lines.offset
    quads = table.reshape(2, fours, 4).swapaxes(0, 1)
    return template("affine.c").substitute(
        name=comment(op.name),
        index=index,
        count=quads.size,
        table=rows(quads.reshape(-1).tolist()),
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )


def _add(graph: Graph, op: Add | Sub, index: int) -> str:
    parameters = add_parameters(graph, op)
    arrays, constants = _constants(graph, op, index)
    return arrays + template("add.c").substitute(
        name=comment(op.name),
        index=index,
        constants=constants,
        multiplier=row(parameters.multiplier),
        output_multiplier=parameters.output_multiplier,
        input_zp=row(graph.tensors[source].zero_point for source in op.operands),
        output_zp=graph.tensors[op.output].zero_point,
        shift=row(parameters.shift),
        output_shift=parameters.output_shift,
        sign=-1 if isinstance(op, Sub) else 1,
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )


def _mul(graph: Graph, op: Mul, index: int) -> str:
    multiplier, shift = mul_multiplier(graph, op)
    arrays, constants = _constants(graph, op, index)
    return arrays + template("mul.c").substitute(
        name=comment(op.name),
        index=index,
        constants=constants,
        multiplier=multiplier,
        input_zp=row(graph.tensors[source].zero_point for source in op.operands),
        output_zp=graph.tensors[op.output].zero_point,
        shift=shift,
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
    )


def _constants(graph: Graph, op: Binary, index: int) -> tuple[str, str]:
    """Return the array of a constant operand, and where each operand's is."""
    places, arrays = [], ""
    for tensor in op.operands:
        data = graph.tensors[tensor].data
        places.append("0" if data is None else f"constant_{index}")
        if data is not None:
            arrays = template("constant.c").substitute(
                name=comment(op.name), index=index, count=data.size, values=rows(data.tolist())
            )
    return arrays, row(places)


def softmax_params(graph: Graph, op: Softmax, index: int) -> str:
    """Return the C text that defines `params_<index>` of a SOFTMAX."""
    table = np.trim_zeros(softmax_exp_table(graph, op), "b").tolist()
    return template("softmax.c").substitute(
        name=comment(op.name), index=index, count=len(table), exp=rows(table)
    )
