"""Weights that take fewer bits in flash, and are decoded on the device while it computes.

    int8 .tflite, images --> sensitivity --> steps by one lambda --> rounding with feedback,
                                                layer by layer --> .tflite of small integers
    its weights --> stream

Everything behind sees an ordinary int8 model. TensorFlow is imported when a function is called.
"""

from edgesq.compress.float_ops import Kernel
from edgesq.compress.huffman import code_lengths
from edgesq.compress.loss import Loss
from edgesq.compress.stage import Compressed, Compressor, compressible, layer_bytes
from edgesq.compress.stream import (
    MASK_BITS,
    MAX_BITS,
    PADDING,
    WORD,
    Stream,
    decode,
    encode,
    has_masks,
    stream_bytes,
)

__all__ = [
    "MASK_BITS",
    "MAX_BITS",
    "PADDING",
    "WORD",
    "Compressed",
    "Compressor",
    "Kernel",
    "Loss",
    "Stream",
    "code_lengths",
    "compressible",
    "decode",
    "encode",
    "has_masks",
    "layer_bytes",
    "stream_bytes",
]
