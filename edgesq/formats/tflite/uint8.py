"""Which operators are known to compute the same in uint8 as in int8, 128 below."""

from collections.abc import Sequence
from typing import Any

from edgesq.errors import ModelError
from edgesq.formats.tflite.reader import UINT8, Reader, open_model

SAME_IN_UINT8 = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "BROADCAST_TO",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "DEPTH_TO_SPACE",
        "DEQUANTIZE",
        "EXPAND_DIMS",
        "FULLY_CONNECTED",
        "GATHER",
        "HARD_SWISH",
        "LEAKY_RELU",
        "LOGISTIC",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MEAN",
        "MINIMUM",
        "MUL",
        "PACK",
        "PAD",
        "PADV2",
        "QUANTIZE",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "RELU",
        "RELU6",
        "RELU_0_TO_1",
        "RELU_N1_TO_1",
        "RESHAPE",
        "RESIZE_NEAREST_NEIGHBOR",
        "SLICE",
        "SOFTMAX",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SPLIT_V",
        "SQUEEZE",
        "STRIDED_SLICE",
        "SUB",
        "SUM",
        "TANH",
        "TILE",
        "TRANSPOSE",
        "UNPACK",
    }
)
"""Random networks of them hold the ladder in uint8; AVERAGE_POOL_2D by a rounding of its own."""


def computes_in_uint8(content: bytes) -> bool:
    """Say of a .tflite that `read_graph` takes whether operators other than QUANTIZE make uint8."""
    reader = open_model(content, "model")
    return any(
        reader.kind(one) != "QUANTIZE" and reader.type(one.outputs[0]) == UINT8
        for one in reader.source.operators
    )


def uint8_problems(reader: Reader, operators: Sequence[tuple[str, Any]]) -> list[ModelError]:
    """Return an error for each kind of operator that computes in uint8 and is not among them."""
    kinds = dict.fromkeys(
        kind
        for kind, one in operators
        if kind not in SAME_IN_UINT8
        and any(index >= 0 and reader.type(index) == UINT8 for index in one.outputs)
    )
    return [
        reader.error(f"{kind} of uint8 is not known", "quantize the float model again, to int8")
        for kind in kinds
    ]
