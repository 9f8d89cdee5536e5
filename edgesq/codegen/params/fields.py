"""What the parameters of several operators have in common, as fields of C structs.

Mirror: firmware/include/esq_ops.h.
"""

from collections.abc import Callable

from edgesq.errors import ModelError
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, Value, array, clamp_fields
from edgesq.kernels.row_op import RowOp
from edgesq.operators import AveragePool2D, HalvesUpPool2D, Mean, Op, Window, Windowed, handler
from edgesq.reductions import MeanParameters, mean_parameters

MAX_WINDOW_ROWS = 32
"""Mirror: ESQ_MAX_WINDOW_ROWS."""

Params = dict[type[Op], Callable[[Graph, RowOp, int], str]]
"""By class: from graph, operator and its number to the C text that defines `params_<number>`; empty
where it has none."""


_FINISHES: dict[type[Op], str] = {
    AveragePool2D: "esq_finish_average_pool",
    HalvesUpPool2D: "esq_finish_halves_up_pool",
    Mean: "esq_finish_mean",
}


def window_fields(window: Window) -> Value:
    """Return struct esq_window."""
    return (
        window.height,
        window.width,
        window.stride_h,
        window.stride_w,
        window.pad_top,
        window.pad_left,
        window.dilation_h,
    )


def ring_window(op: Windowed) -> Value:
    """Return struct esq_window of what reads a ring of rows.

    Raises:
        ModelError: it is taller than the runtime takes.
    """
    if op.window.height > MAX_WINDOW_ROWS:
        raise ModelError(
            f"the window is {op.window.height} rows tall, the runtime takes {MAX_WINDOW_ROWS}",
            where=op.name,
            hint="use a smaller kernel, or a global pool",
        )
    return window_fields(op.window)


def reduce_fields(graph: Graph, op: Op) -> Fields:
    """Return struct esq_reduce of what averages a whole map."""
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    numbers = mean_parameters(graph, op) if isinstance(op, Mean) else MeanParameters(0, 0, 0)
    clamp = op.clamp if isinstance(op, AveragePool2D) else (-128, 127)
    return {
        "finish": handler(_FINISHES, type(op)),
        "pixels": source.hwc[0] * source.hwc[1],
        "multiplier": numbers.multiplier,
        "offset": numbers.offset,
        "output_zp": result.zero_point,
        "shift": numbers.shift,
        **clamp_fields(clamp),
    }


def op_array(kind: str, what: str, values: list[int], op: Op, index: int) -> str:
    """Return the definition of `<what>_<index>`, named by its layer in a comment."""
    return array(kind, f"{what}_{index}", values, layer=op.name)
