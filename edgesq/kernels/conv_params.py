"""A convolution's parameters as C data: what those of all families have in common.

Mirror: struct esq_stream in firmware/include/esq_model.h, struct esq_channels, esq_tiled and
esq_streamed in esq_streamed.h, struct esq_rescaling in esq_ops.h.
"""

from dataclasses import dataclass

import numpy as np

from edgesq.arithmetic import Int64Array, conv2d_multipliers, rescale_parameters
from edgesq.compress import MAX_BITS, PADDING, encode
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.channels import CHANNELS_PADDING, Channels
from edgesq.kernels.initializer import Fields, array, struct, structs
from edgesq.kernels.kernel import Coded, Tabled
from edgesq.operators import Convolution, FullyConnected


@dataclass(frozen=True)
class ConvParams:
    """A convolution's parameters as C data.

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


def field_bytes(fields: Int64Array, bits: int) -> bytes:
    """Return fields of `bits` bits each, from each byte's lowest bit on, with their padding."""
    each = fields[:, np.newaxis] >> np.arange(bits) & 1
    packed = np.packbits(each.astype(np.uint8).reshape(-1), bitorder="little")
    return packed.tobytes() + bytes(CHANNELS_PADDING)


def channels_arrays(channels: Channels, index: int) -> str:
    """Return `channels_<index>`, and `steps_<index>` or `words_<index>`."""
    content = field_bytes(channels.fields, channels.bits)
    kind, name = ("uint32_t", "words") if channels.shift_bits else ("int32_t", "steps")
    steps = channels.steps.reshape(-1).tolist()
    return array("uint8_t", f"channels_{index}", content) + array(kind, f"{name}_{index}", steps)


def channels_fields(channels: Channels, index: int) -> Fields:
    """Return struct esq_channels."""
    name = "words" if channels.shift_bits else "steps"
    return {
        "fields": f"channels_{index}",
        name: f"{name}_{index}",
        "bits": channels.bits,
        "step_bits": channels.step_bits,
        "fraction_bits": channels.fraction_bits,
        "shift_bits": channels.shift_bits,
        "first_shift": channels.first_shift,
    }


def end_arrays(graph: Graph, op: Convolution, index: int) -> str:
    """Return what `end_fields` point to: how exact sums become int8."""
    if isinstance(op, FullyConnected):
        return rescaling_arrays(graph, op, index)
    return requantize_arrays(graph, op, index)


def end_fields(op: Convolution, index: int) -> Fields:
    """Return the fields of that: a FULLY_CONNECTED is rescaled once, all others in two steps."""
    if isinstance(op, FullyConnected):
        return {"rescaling": f"rescaling_{index}"}
    return {"multiplier": f"multiplier_{index}", "shift": f"shift_{index}"}


def requantize_arrays(graph: Graph, op: Convolution, index: int) -> str:
    """Return `multiplier_<index>` and `shift_<index>`."""
    multiplier, shift = conv2d_multipliers(graph, op)
    return array("int32_t", f"multiplier_{index}", multiplier.tolist()) + array(
        "int8_t", f"shift_{index}", shift.tolist()
    )


def rescaling_arrays(graph: Graph, op: FullyConnected, index: int) -> str:
    """Return `rescaling_<index>`. Mirror: struct esq_rescaling."""
    parameters = rescale_parameters(graph, op)
    pairs = zip(parameters.multiplier.tolist(), parameters.limit.tolist(), strict=True)
    elements = [(f"{multiplier}u", f"{limit}u") for multiplier, limit in pairs]
    return structs("struct esq_rescaling", f"rescaling_{index}", elements)
