"""Parameters of the convolutions that run on the DSP extension, as C data.

Mirror: struct esq_conv2d_dsp in firmware/include/esq_ops.h.
"""

from edgesq.codegen.channels import channels_arrays, channels_fields
from edgesq.codegen.params_stream import ConvText, stream_array, streamed_fields
from edgesq.codegen.requantization import requantize_arrays, rescaling_arrays
from edgesq.codegen.text import comment, hex_rows, rows, template
from edgesq.graph import (
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Graph,
)
from edgesq.kernels.channels import Channels, channel_fields
from edgesq.kernels.dsp import depthwise
from edgesq.kernels.dsp.pack import Packed, in_memory, pack_conv2d
from edgesq.kernels.dsp.windows import GROUP_VALUES
from edgesq.kernels.kernel import Tabled
from edgesq.kernels.row_op import RowOp


def conv2d_dsp(graph: Graph, op: Conv2D, index: int, item: RowOp, window: str) -> ConvText:
    """Return struct esq_conv2d_dsp.

    Args:
        graph: the model.
        op: the convolution.
        index: the operator's number, in the arrays' names.
        item: how the plan runs it.
        window: initialiser of struct esq_window.
    """
    coded, tabled = item.kernel.coded, item.kernel.tabled
    packed = pack_conv2d(graph, op)
    in_bits = packed.finish == "relu" and (coded or tabled)
    channels = channel_fields(graph, op) if in_bits else None
    fields = template("conv2d_dsp_fields.c").substitute(
        weights="0" if coded else f"weights_{index}",
        table="0" if channels else f"table_{index}",
        way=f"esq_dsp_{_unpacking(graph, op, packed)}_{packed.finish}",
        multiplier=f"multiplier_{index}" if packed.finish == "any" else "0",
        shift=f"shift_{index}" if packed.finish == "any" else "0",
        rescaling=f"rescaling_{index}" if packed.finish == "once" else "0",
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
        output_zp=graph.tensors[op.output].zero_point,
        pair_channels=packed.pair_channels,
        slide=packed.slide,
        pixels=item.kernel.pixels,
        input_zp=graph.tensors[op.inputs[0]].zero_point,
        groups=packed.groups,
        window=window,
    )
    ends = channels_arrays(channels, index) if channels else _ends(graph, op, index, packed)
    if coded is None:
        more = _tabled_fields(tabled, channels, index) if tabled else ""
        return ConvText(_weights(op, index, packed) + ends, fields, more)
    return ConvText(
        stream_array(op.name, in_memory(packed.weights), index, coded) + ends,
        fields,
        streamed_fields(
            coded,
            index,
            channels=channels,
            carries=True,
            table_row=packed.table.shape[1],
        ),
    )


def _tabled_fields(tabled: Tabled, channels: Channels | None, index: int) -> str:
    return template("tabled_fields.c").substitute(
        channels=channels_fields(channels, index),
        rows_offset=tabled.rows_offset,
        tile=tabled.tile,
    )


def _unpacking(graph: Graph, op: Conv2D, packed: Packed) -> str:
    """Return how a convolution's windows are unpacked. Mirror: struct esq_dsp_way."""
    if graph.tensors[op.inputs[0]].hwc[2] % GROUP_VALUES != 0:
        return "staged"
    if op.window.width != packed.slide:
        return "windows"
    return "columns" if packed.slide == 1 else "slide"


def depthwise_dsp(graph: Graph, op: DepthwiseConv2D, index: int, pixels: int, window: str) -> str:
    """Return the C text that defines `params_<index>`; arguments as above."""
    packed = depthwise.pack(graph, op)
    return template("depthwise_dsp.c").substitute(
        name=comment(op.name),
        index=index,
        table_count=packed.table.size,
        table=hex_rows(packed.table.reshape(-1).tolist()),
        arrays="" if packed.relu else requantize_arrays(graph, op, index),
        multiplier="0" if packed.relu else f"multiplier_{index}",
        shift="0" if packed.relu else f"shift_{index}",
        clamp_min=op.clamp[0],
        clamp_max=op.clamp[1],
        output_zp=graph.tensors[op.output].zero_point,
        input_zp=graph.tensors[op.inputs[0]].zero_point,
        pixels=pixels,
        window=window,
    )


def _weights(op: Conv2D, index: int, packed: Packed) -> str:
    return template("weights_dsp.c").substitute(
        name=comment(op.name),
        index=index,
        count=packed.weights.size,
        values=hex_rows(packed.weights.reshape(-1).tolist()),
    )


def _ends(graph: Graph, op: Conv2D, index: int, packed: Packed) -> str:
    text = template("table.c").substitute(
        index=index, count=packed.table.size, values=rows(packed.table.reshape(-1).tolist())
    )
    if isinstance(op, FullyConnected):
        return text + rescaling_arrays(graph, op, index)
    return text + (requantize_arrays(graph, op, index) if packed.finish == "any" else "")
