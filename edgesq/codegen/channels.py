"""The few bits per channel that stand beside a convolution's weights, as C data.

Mirror: struct esq_channels in firmware/include/esq_streamed.h.
"""

import numpy as np

from edgesq.arithmetic import Int64Array
from edgesq.codegen.initializer import Fields, array
from edgesq.kernels.channels import CHANNELS_PADDING, Channels


def field_bytes(fields: Int64Array, bits: int) -> bytes:
    """Return fields of `bits` bits each, from each byte's lowest bit on, with their padding."""
    each = fields[:, np.newaxis] >> np.arange(bits) & 1
    packed = np.packbits(each.astype(np.uint8).reshape(-1), bitorder="little")
    return packed.tobytes() + bytes(CHANNELS_PADDING)


def channels_arrays(channels: Channels, index: int) -> str:
    """Return `channels_<index>` and `steps_<index>`."""
    content = field_bytes(channels.fields, channels.bits)
    steps = channels.steps.reshape(-1).tolist()
    return array("uint8_t", f"channels_{index}", content) + array(
        "int32_t", f"steps_{index}", steps
    )


def channels_fields(channels: Channels, index: int) -> Fields:
    """Return struct esq_channels."""
    return {
        "fields": f"channels_{index}",
        "steps": f"steps_{index}",
        "bits": channels.bits,
        "step_bits": channels.step_bits,
        "fraction_bits": channels.fraction_bits,
    }
