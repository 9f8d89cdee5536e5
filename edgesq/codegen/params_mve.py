"""Parameters of the convolutions that run on MVE, as C data.

Mirror: struct esq_conv2d_mve in firmware/include/esq_ops.h.
"""

from edgesq.codegen.params_stream import ConvText, stream_array, streamed_fields
from edgesq.codegen.requantization import rescaling_arrays
from edgesq.codegen.text import comment, rows, template
from edgesq.graph import (
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Graph,
)
from edgesq.kernels.kernel import Coded
from edgesq.kernels.mve.blocks import BLOCK, blocks_of, reads_in_place
from edgesq.kernels.mve.depthwise import strip_blocks
from edgesq.kernels.mve.pack import Packed, pack_conv2d, pack_depthwise


def conv2d_mve(
    graph: Graph, op: Conv2D, index: int, pixels: int, window: str, coded: Coded | None
) -> ConvText:
    """Return struct esq_conv2d_mve.

    Args:
        graph: the model.
        op: the convolution.
        index: the operator's number, in the arrays' names.
        pixels: most output pixels computed together.
        window: initialiser of struct esq_window.
        coded: how its weights are decoded; None where they lie in flash as they are.
    """
    packed = pack_conv2d(graph, op)
    table = template("table_mve.c").substitute(
        index=index, count=packed.table.size, values=rows(packed.table.reshape(-1).tolist())
    )
    if isinstance(op, FullyConnected):
        table += rescaling_arrays(graph, op, index)
    fields = template("conv2d_mve_fields.c").substitute(
        weights="0" if coded else f"weights_{index}",
        table=f"table_{index}",
        locate="esq_mve_direct" if reads_in_place(graph, op) else "esq_mve_gathered",
        finish=f"esq_mve_finish_{packed.finish}",
        rescaling=f"rescaling_{index}" if packed.finish == "once" else "0",
        input_zp=graph.tensors[op.inputs[0]].zero_point,
        output_zp=graph.tensors[op.output].zero_point,
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
        blocks=blocks_of(graph, op),
        row_blocks=packed.row_blocks,
        table_row=packed.table[0].size,
        pixels=pixels,
        window=window,
    )
    if coded is None:
        return ConvText(_weights(op, index, packed) + table, fields)
    stream = stream_array(op.name, packed.weights.reshape(-1), index, coded)
    return ConvText(stream + table, fields, streamed_fields(coded, index))


def _weights(op: Conv2D, index: int, packed: Packed) -> str:
    weights = [*packed.weights.reshape(-1).tolist(), *[0] * BLOCK]  # loaded ahead, never used
    return template("weights_mve.c").substitute(
        name=comment(op.name), index=index, count=len(weights), values=rows(weights)
    )


def depthwise_mve(graph: Graph, op: DepthwiseConv2D, index: int, pixels: int, window: str) -> str:
    """Return the C text that defines `params_<index>`; arguments as above."""
    packed = pack_depthwise(graph, op)
    return template("depthwise_mve.c").substitute(
        name=comment(op.name),
        index=index,
        weight_count=packed.weights.size,
        weights=rows(packed.weights.tolist()),
        table_count=packed.table.size,
        table=rows(packed.table.reshape(-1).tolist()),
        input_zp=graph.tensors[op.inputs[0]].zero_point,
        output_zp=graph.tensors[op.output].zero_point,
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
        relu=int(packed.finish == "relu"),
        blocks=strip_blocks(op),
        pixels=pixels,
        window=window,
    )
