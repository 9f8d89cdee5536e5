"""The few bits per channel that stand beside a convolution's weights, as C data.

Mirror: struct esq_channels in firmware/include/esq_streamed.h.
"""

import numpy as np

from edgesq.arithmetic import Int64Array
from edgesq.codegen.text import hex_bytes, rows, template
from edgesq.kernels.channels import CHANNELS_PADDING, Channels


def field_bytes(fields: Int64Array, bits: int) -> bytes:
    """Return fields of `bits` bits each, from each byte's lowest bit on, with their padding."""
    each = fields[:, np.newaxis] >> np.arange(bits) & 1
    packed = np.packbits(each.astype(np.uint8).reshape(-1), bitorder="little")
    return packed.tobytes() + bytes(CHANNELS_PADDING)


def channels_arrays(channels: Channels, index: int) -> str:
    """Return `channels_<index>` and `steps_<index>`."""
    content = field_bytes(channels.fields, channels.bits)
    return template("channels.c").substitute(
        index=index,
        channels_count=len(content),
        channels=hex_bytes(content),
        steps_count=channels.steps.size,
        steps=rows(channels.steps.reshape(-1).tolist()),
    )


def channels_fields(channels: Channels | None, index: int) -> str:
    """Return the initialiser of struct esq_channels."""
    if channels is None:
        return "0"
    return (
        f"channels_{index}, steps_{index}, "
        f"{channels.bits}, {channels.step_bits}, {channels.fraction_bits}"
    )
