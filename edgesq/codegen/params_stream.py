"""Weights as streams, and the few bytes per channel that go with them, as C data.

Mirror: struct esq_stream in firmware/include/esq_model.h, struct esq_streamed in esq_ops.h.
"""

from dataclasses import dataclass

import numpy as np

from edgesq.arithmetic import Int64Array
from edgesq.codegen.text import comment, hex_bytes, rows, template
from edgesq.compress import MAX_BITS, PADDING, encode
from edgesq.graph import Conv2D, Graph, Int8Array
from edgesq.plan import Streamed, channel_steps


@dataclass(frozen=True)
class ConvText:
    """A convolution as C text: its arrays, the fields of its struct, and of struct esq_streamed."""

    arrays: str
    fields: str
    streamed: str = ""


@dataclass(frozen=True)
class Channels:
    """Biases and multipliers in four bytes per channel.

    Attributes:
        content: uint8 [O, 4]: bias, lowest byte first, and an index into `steps`.
        steps: int32 [n, 2]: multiplier and right shift.
    """

    content: Int64Array
    steps: Int64Array


def pack_channels(graph: Graph, op: Conv2D) -> Channels | None:
    """Return what is known per channel in four bytes each, None where that is not enough."""
    found = channel_steps(graph, op)
    bias = graph.tensors[op.bias].data
    assert bias is not None
    if found is None:
        return None
    wide = bias.astype(np.int64)
    columns = [wide & 0xFF, wide >> 8 & 0xFF, wide >> 16 & 0xFF, found[1]]
    return Channels(np.stack(columns, axis=1), found[0])


def channels_arrays(channels: Channels, index: int) -> str:
    """Return `channels_<index>` and `steps_<index>`."""
    return template("channels.c").substitute(
        index=index,
        channels_count=channels.content.size,
        channels=hex_bytes(channels.content.reshape(-1).tolist()),
        steps_count=channels.steps.size,
        steps=rows(channels.steps.reshape(-1).tolist()),
    )


def stream_array(name: str, weights: Int8Array, index: int, streamed: Streamed) -> str:
    """Return `stream_<index>` of weights in the order of a kernel family."""
    stream = encode(weights, min(MAX_BITS, streamed.table_bits), streamed.has_masks)
    return template("stream.c").substitute(
        name=comment(name),
        index=index,
        count=len(stream.content),
        values=hex_bytes(stream.content),
        n_bytes=len(stream.content) - PADDING,
        crc32=f"0x{stream.crc32:08x}u",
    )


def streamed_fields(
    streamed: Streamed,
    index: int,
    *,
    has_channels: bool = False,
    carries: bool = False,
    table_row: int = 0,
) -> str:
    """Return the fields of struct esq_streamed.

    Args:
        streamed: what the plan says.
        index: the operator's number, in the arrays' names.
        has_channels: whether there are `channels_<index>`.
        carries: whether two weights stand as 256 A + B.
        table_row: int32 of a whole table per channel pair.
    """
    return template("streamed_fields.c").substitute(
        index=index,
        channels=f"channels_{index}" if has_channels else "0",
        steps=f"steps_{index}" if has_channels else "0",
        table_offset=streamed.table_offset,
        rows_offset=streamed.rows_offset,
        weights_offset=streamed.weights_offset,
        channel_bytes=streamed.channel_bytes,
        tile=streamed.tile,
        table_bits=streamed.table_bits,
        carries="0x80" if carries else "0",
        table_row=table_row,
        kernel_rows=streamed.kernel_rows,
        has_masks=int(streamed.has_masks),
    )
