"""The parameters of convolutions as C data.

Mirror: the structs of firmware/include/esq_ops.h and the functions that read them.
"""

from edgesq.codegen.params.fields import Params, reduce_fields, ring_window
from edgesq.codegen.params.wide import wide_params
from edgesq.errors import ModelError
from edgesq.graph import Graph
from edgesq.kernels.conv_params import ConvParams
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.groups import group_count, group_graph
from edgesq.kernels.initializer import Fields, Value, struct, structs
from edgesq.kernels.kernel import Form, Kernel
from edgesq.kernels.phases import phases_of
from edgesq.kernels.row_op import RowOp
from edgesq.limits import MAX_UINT16
from edgesq.operators import Conv2D, Convolution, GroupedConv2D

_GROUP_NUMBERS = _PHASE_NUMBERS = 1000
"""Numbers that an operator's groups, or phases, have for their arrays."""


def convolution(graph: Graph, item: RowOp, index: int) -> str:
    """Return the parameters of a convolution."""
    op = item.op
    assert isinstance(op, Convolution)
    if op.wide is None:
        return _narrow(graph, item, op, index, f"params_{index}")
    name = f"narrow_{index}"
    narrow = _narrow(graph, item, op, index, name)
    return narrow + wide_params(graph, op, item.kernel, index, name)


def _narrow(graph: Graph, item: RowOp, op: Convolution, index: int, name: str) -> str:
    """Return the parameters of a convolution's int8 weights under a name."""
    if item.kernel.form is Form.PHASES:
        return _phases(graph, item, index, name)
    if isinstance(op, GroupedConv2D) and item.kernel.form is Form.GROUPS:
        return _groups(graph, op, item.kernel, index, name)
    conv = conv_params(graph, op, item.kernel, index)
    if conv.tiled != "0":
        return _parts(graph, conv, item, index, name)
    return conv.arrays + struct(conv.kind, name, conv.fields)


def pooled(graph: Graph, item: RowOp, feeder: Conv2D, index: int) -> str:
    """Return the parameters of a convolution whose results go into a mean's sums."""
    return _parts(
        graph, conv_params(graph, feeder, item.kernel, index), item, index, f"params_{index}"
    )


def conv_params(graph: Graph, op: Convolution, kernel: Kernel, index: int) -> ConvParams:
    """Return a convolution as the struct that its kernel takes."""
    return FAMILIES[kernel.family].conv_params(graph, op, kernel, index, ring_window(op))


def _parts(graph: Graph, conv: ConvParams, item: RowOp, index: int, name: str) -> str:
    """Return the same of a convolution with parts that not every one has."""
    prefix = f"esq_{item.kernel.family}"
    fields: Fields = {
        "conv": f"&conv_{index}",
        "compute": "0" if item.feeder else f"{prefix}_compute",
        "tiled": conv.tiled,
        "mean": f"&mean_{index}" if item.feeder else "0",
    }
    text = conv.arrays + struct(conv.kind, f"conv_{index}", conv.fields)
    if item.feeder:
        mean: Fields = {
            "add": f"{prefix}_add_row",
            "rows": _rows_slot(graph, item.feeder),
            "reduce": reduce_fields(graph, item.op),
        }
        text += struct("esq_mean", f"mean_{index}", mean)
    return text + struct("esq_conv2d_parts", name, fields)


def _groups(graph: Graph, op: GroupedConv2D, kernel: Kernel, index: int, name: str) -> str:
    """Return the same of a grouped convolution that a kernel family runs group by group."""
    convs = []
    for group in range(group_count(graph, op)):
        own, conv = group_graph(graph, op, group)
        convs.append(conv_params(own, conv, kernel, _GROUP_NUMBERS * (index + 1) + group))
    kind = f"struct {convs[0].kind}"
    fields: Fields = {
        "run": f"esq_run_conv2d_{kernel.family}",
        "convs": f"convs_{index}",
        "conv_bytes": f"sizeof({kind})",
        "count": len(convs),
    }
    return (
        "".join(conv.arrays for conv in convs)
        + structs(kind, f"convs_{index}", [conv.fields for conv in convs])
        + struct("esq_groups", name, fields)
    )


def _phases(graph: Graph, item: RowOp, index: int, name: str) -> str:
    """Return the same of a dilated or transposed convolution that is run as plain ones."""
    assert isinstance(item.op, Convolution)
    phases = phases_of(graph, item.op)
    largest = max(
        phases.input_step * item.pixel_bytes[0], phases.output_step * item.pixel_bytes[-1]
    )
    if largest > MAX_UINT16:
        raise ModelError(
            f"pixels of {largest} bytes from one to the next of its columns are too large",
            where=item.op.name,
            hint="use a smaller dilation or stride, or fewer channels",
        )
    arrays: dict[str, None] = {}
    convs = []
    for number, phase in enumerate(phases.all):
        own = index if phases.share_weights else _PHASE_NUMBERS * (index + 1) + number
        kernel = FAMILIES[item.kernel.family].phase_kernel(graph, item, item.kernel, phase)
        assert kernel is not None, "the plan takes no kernel that some phase lacks"
        convs.append(conv_params(phase.graph, phase.conv, kernel, own))
        arrays[convs[-1].arrays] = None
    kind = f"struct {convs[0].kind}"
    spans = [(one.first_row, one.input_first, one.output_first, *one.columns) for one in phases.all]
    fields: Fields = {
        "run": item.kernel.plain_function,
        "convs": f"convs_{index}",
        "phases": f"phases_{index}",
        "conv_bytes": f"sizeof({kind})",
        "rows": phases.rows,
        "columns": len(phases.all) // phases.rows,
        "input_step": phases.input_step,
        "output_step": phases.output_step,
    }
    return (
        "".join(arrays)
        + structs(kind, f"convs_{index}", [conv.fields for conv in convs])
        + structs("struct esq_phase", f"phases_{index}", spans)
        + struct("esq_phases", name, fields)
    )


def _rows_slot(graph: Graph, op: Conv2D) -> Value:
    """Return struct esq_slot of a convolution's output that lives nowhere."""
    height, width, channels = graph.tensors[op.output].hwc
    return (0, width * channels, 1, height, width, channels, channels, 0)


PARAMS: Params = {Convolution: convolution}
