"""Weights as streams, as C data.

Mirror: struct esq_stream in firmware/include/esq_model.h, struct esq_streamed in esq_streamed.h.
"""

from dataclasses import dataclass

from edgesq.codegen.channels import channels_fields
from edgesq.codegen.text import comment, hex_bytes, template
from edgesq.compress import MAX_BITS, PADDING, encode
from edgesq.graph import Int8Array
from edgesq.kernels.channels import Channels
from edgesq.kernels.kernel import Coded


@dataclass(frozen=True)
class ConvText:
    """A convolution as C text: its arrays, the fields of its struct, and of struct esq_coded."""

    arrays: str
    fields: str
    streamed: str = ""


def stream_array(name: str, weights: Int8Array, index: int, coded: Coded) -> str:
    """Return `stream_<index>` of weights in the order of a kernel family."""
    stream = encode(weights, min(MAX_BITS, coded.table_bits), coded.has_masks)
    return template("stream.c").substitute(
        name=comment(name),
        index=index,
        count=len(stream.content),
        values=hex_bytes(stream.content),
        n_bytes=len(stream.content) - PADDING,
        crc32=f"0x{stream.crc32:08x}u",
    )


def streamed_fields(
    coded: Coded,
    index: int,
    *,
    channels: Channels | None = None,
    carries: bool = False,
    table_row: int = 0,
) -> str:
    """Return the fields of struct esq_coded.

    Args:
        coded: what the plan says.
        index: the operator's number, in the arrays' names.
        channels: what `channels_<index>` and `steps_<index>` hold; None: there is a whole table.
        carries: whether two weights stand as 256 A + B.
        table_row: int32 of a whole table per channel pair.
    """
    return template("streamed_fields.c").substitute(
        index=index,
        channels=channels_fields(channels, index),
        table_offset=coded.table_offset,
        rows_offset=coded.rows_offset,
        weights_offset=coded.weights_offset,
        channel_bytes=coded.channel_bytes,
        tile=coded.tile,
        table_bits=coded.table_bits,
        carries="0x80" if carries else "0",
        table_row=table_row,
        kernel_rows=coded.kernel_rows,
        masks="&esq_by_masks" if coded.has_masks else "0",
    )
