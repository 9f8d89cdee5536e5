"""Weights that take fewer bits in flash, and are decoded on the device while it computes."""

from edgesq.compress.stream import (
    MAX_BITS,
    PADDING,
    Stream,
    code_lengths,
    decode,
    encode,
    stream_bytes,
)

__all__ = ["MAX_BITS", "PADDING", "Stream", "code_lengths", "decode", "encode", "stream_bytes"]
