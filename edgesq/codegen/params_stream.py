"""A convolution as C data, and what it may have besides: weights as a stream, tiles, a mean.

Mirror: struct esq_stream in firmware/include/esq_model.h, struct esq_tiled and esq_streamed in
esq_streamed.h, struct esq_conv2d_parts in esq_ops.h.
"""

from dataclasses import dataclass

from edgesq.codegen.channels import channels_fields
from edgesq.codegen.initializer import Fields, array, struct
from edgesq.compress import MAX_BITS, PADDING, encode
from edgesq.graph import Int8Array
from edgesq.kernels.channels import Channels
from edgesq.kernels.kernel import Coded, Tabled


@dataclass(frozen=True)
class Conv:
    """A convolution as C data.

    Attributes:
        arrays: definitions of what its fields point to.
        kind: its struct.
        fields: of that struct.
        tiled: C expression that points to its struct esq_tiled, which `arrays` define too; 0 where
            all channels are computed together.
    """

    arrays: str
    kind: str
    fields: Fields
    tiled: str = "0"


def stream_array(name: str, weights: Int8Array, index: int, coded: Coded) -> str:
    """Return `stream_<index>` of weights in the order of a kernel family."""
    stream = encode(weights, min(MAX_BITS, coded.table_bits), coded.has_masks)
    fields: Fields = {
        "content": f"content_{index}",
        "n_bytes": len(stream.content) - PADDING,
        "crc32": f"0x{stream.crc32:08x}u",
        "op": index,
    }
    content = array("uint8_t", f"content_{index}", stream.content, layer=name)
    return content + struct("esq_stream", f"stream_{index}", fields)


def streamed_struct(
    coded: Coded,
    index: int,
    *,
    enter: str = "0",
    channels: Channels | None = None,
    carries: bool = False,
    table_row: int = 0,
) -> str:
    """Return the definition of `streamed_<index>`.

    Args:
        coded: what the plan says.
        index: the operator's number, in the arrays' names.
        enter: C function that makes a tile; 0 where the operator does so itself.
        channels: what `channels_<index>` and `steps_<index>` hold; None: there is a whole table.
        carries: whether two weights stand as 256 A + B.
        table_row: int32 of a whole table per channel pair.
    """
    fields: Fields = {
        "tiled": _tiled_fields(enter, coded, channels, index),
        "stream": f"&stream_{index}",
        "masks": "&esq_by_masks" if coded.has_masks else 0,
        "table_offset_bytes": coded.table_offset,
        "weights_offset_bytes": coded.weights_offset,
        "channel_bytes": coded.channel_bytes,
        "table_bits": coded.table_bits,
        "carries": "0x80" if carries else 0,
        "table_row": table_row,
        "kernel_rows": coded.kernel_rows,
    }
    return struct("esq_streamed", f"streamed_{index}", fields)


def tabled_struct(tabled: Tabled, index: int, enter: str, channels: Channels) -> str:
    """Return the definition of `tiled_<index>`, whose weights lie in flash; arguments as above."""
    return struct("esq_tiled", f"tiled_{index}", _tiled_fields(enter, tabled, channels, index))


def _tiled_fields(
    enter: str, tiles: Coded | Tabled, channels: Channels | None, index: int
) -> Fields:
    given: Fields = {"channels": channels_fields(channels, index)} if channels else {}
    return {
        "enter": enter,
        **given,
        "rows_offset_bytes": tiles.rows_offset,
        "tile": tiles.tile,
    }
