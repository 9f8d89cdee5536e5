"""The parameters of ADD, SUB and MUL as C data. Mirror: firmware/include/esq_ops.h."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import AddParameters, add_parameters, mul_multiplier
from edgesq.codegen.params.fields import Params, op_array
from edgesq.codegen.params.lookup import table
from edgesq.combine import prelu_multipliers, squared_parameters
from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.kernels.affine import Affine, stored_affine
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.initializer import Fields, clamp_fields, struct
from edgesq.kernels.kernel import Form
from edgesq.kernels.pairs import sum_params
from edgesq.kernels.row_op import RowOp
from edgesq.operators import (
    Add,
    Binary,
    Maximum,
    Minimum,
    Mul,
    Op,
    Prelu,
    SquaredDifference,
    Sub,
    handler,
)


def _binary(graph: Graph, item: RowOp, index: int) -> str:
    op = item.op
    assert isinstance(op, Binary)
    family = FAMILIES[item.kernel.family]
    if item.kernel.form is Form.TABLE:
        return table(graph, item, index)
    if item.kernel.form is Form.LINE:
        return _affine(op, stored_affine(graph, op, family.affine_drops), index)
    constants = _constants(graph, op, index)
    own = None
    if item.kernel.form is Form.SUM:
        assert isinstance(op, Add | Sub)
        own = sum_params(graph, op, index)
    elif isinstance(op, Mul):
        own = family.mul_params(graph, op)
    if own:
        fields: Fields = {"constant": _places(graph, op, index), **own.fields}
        return constants + own.arrays + struct(own.kind, f"params_{index}", fields, layer=op.name)
    kind, fields_of = handler(_STRUCTS, type(op))
    return constants + struct(kind, f"params_{index}", fields_of(graph, op, index), layer=op.name)


def _affine(op: Binary, lines: Affine, index: int) -> str:
    fours = ceil_div(lines.slope.size, 4)
    table = np.zeros((2, 4 * fours), np.int64)
    table[0, : lines.slope.size] = lines.slope
    table[1, : lines.slope.size] = lines.offset
    quads = table.reshape(2, fours, 4).swapaxes(0, 1).reshape(-1).tolist()
    fields: Fields = {"table": f"table_{index}", **clamp_fields(op.clamp)}
    return op_array("int32_t", "table", quads, op, index) + struct(
        "esq_affine", f"params_{index}", fields
    )


def _add(graph: Graph, op: Binary, index: int) -> Fields:
    assert isinstance(op, Add | Sub)
    return {
        "constant": _places(graph, op, index),
        **_rescaling(graph, op, add_parameters(graph, op)),
    }


def _rescaling(graph: Graph, op: Binary, parameters: AddParameters) -> Fields:
    return {
        "multiplier": parameters.multiplier,
        "output_multiplier": parameters.output_multiplier,
        "input_zp": [graph.tensors[source].zero_point for source in op.operands],
        "output_zp": graph.tensors[op.output].zero_point,
        "shift": parameters.shift,
        "output_shift": parameters.output_shift,
        "sign": 1 if isinstance(op, Add) else -1,
        **clamp_fields(op.clamp),
    }


def _mul(graph: Graph, op: Mul, index: int) -> Fields:
    multiplier, shift = mul_multiplier(graph, op)
    return {
        "constant": _places(graph, op, index),
        "multiplier": multiplier,
        "input_zp": [graph.tensors[source].zero_point for source in op.operands],
        "output_zp": graph.tensors[op.output].zero_point,
        "shift": shift,
        **clamp_fields(op.clamp),
    }


def _squared(graph: Graph, op: SquaredDifference, index: int) -> Fields:
    return {
        "constant": _places(graph, op, index),
        **_rescaling(graph, op, squared_parameters(graph, op)),
    }


def _extreme(graph: Graph, op: Binary, index: int) -> Fields:
    return {"constant": _places(graph, op, index), **clamp_fields(op.clamp)}


def _prelu(graph: Graph, op: Prelu, index: int) -> Fields:
    (above, left), (below, right) = prelu_multipliers(graph, op)
    return {
        "constant": _places(graph, op, index),
        "multiplier": [above, below],
        "input_zp": [graph.tensors[source].zero_point for source in op.operands],
        "output_zp": graph.tensors[op.output].zero_point,
        "shift": [left, right],
        **clamp_fields(op.clamp),
    }


def _constants(graph: Graph, op: Binary, index: int) -> str:
    """Return a constant operand and what its values are of; empty without one."""
    held = [data for tensor in op.operands if (data := graph.tensors[tensor].data) is not None]
    return "".join(
        op_array("int8_t", "constant", data.reshape(-1).tolist(), op, index)
        + struct("esq_constant", f"operand_{index}", _steps(data, f"constant_{index}"))
        for data in held
    )


def _steps(data: NDArray[Any], values: str) -> Fields:
    """Return struct esq_constant of int8 [C], or [H, W, C] with 1 where all have the same."""
    height, width, channels = (1,) * (3 - data.ndim) + data.shape
    return {
        "values": values,
        "row_bytes": width * channels if height > 1 else 0,
        "pixel_bytes": channels if width > 1 else 0,
    }


def _places(graph: Graph, op: Binary, index: int) -> list[str]:
    """Return where each operand's constant is."""
    return [
        "0" if graph.tensors[tensor].data is None else f"&operand_{index}" for tensor in op.operands
    ]


_STRUCTS: dict[type[Op], tuple[str, Callable[[Graph, Any, int], Fields]]] = {
    Add: ("esq_add", _add),
    Maximum: ("esq_extreme", _extreme),
    Minimum: ("esq_extreme", _extreme),
    Mul: ("esq_mul", _mul),
    Prelu: ("esq_prelu", _prelu),
    SquaredDifference: ("esq_add", _squared),
    Sub: ("esq_add", _add),
}
"""By class: the struct, and what makes its fields."""

PARAMS: Params = {Binary: _binary}
