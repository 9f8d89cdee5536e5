"""Depthwise convolutions on scalar cores: where they fit, and their weights as C data.

Mirror: struct esq_depthwise_scalar, firmware/src/scalar/esq_depthwise_scalar.c.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from edgesq.arithmetic import (
    Int64Array,
    channel_sums,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
)
from edgesq.graph import Graph, Int8Array
from edgesq.integers import ceil_div
from edgesq.kernels.conv_params import ConvParams
from edgesq.kernels.initializer import Fields, Value, array, structs
from edgesq.operators import DepthwiseConv2D

TOGETHER = 3
"""Output pixels. Mirror: ESQ_TOGETHER in esq_depthwise_scalar.c."""

_RIGHT_BITS, _MAX_RIGHT = 5, 23
"""Of a shift beside its bias; the greatest one, by which zero points stay in 31 bits. Mirror:
ESQ_RIGHT_BITS."""

_SUM_BITS = 26
"""Sums and folded biases stay below this power of two. Mirror: esq_short_high in
esq_scalar_values.h, struct esq_depthwise_end."""

_WAYS = {(3, 1): "beside_3", (3, 2): "apart_3", (5, 1): "beside_5"}
"""By the width of windows and the columns from one to the next; all others are "any"."""

_INSTRUCTIONS = {"beside_3": (46.0, 23.5), "apart_3": (46.0, 26.5), "beside_5": (72.0, 45.0)}
"""Per channel of three pixels, and per row under their windows."""

_ANY_INSTRUCTIONS, _TAP_INSTRUCTIONS = (72.0, 8.0), 25.0
"""The same of other windows, and per tap of a row: 13 where all lies inside the image, up to 40
where most does not."""

_WHOLE = (-128, 127)
_HALF = 1 << 30


@dataclass(frozen=True)
class Packed:
    """A depthwise convolution for the scalar kernels.

    Attributes:
        weights: int8 [O, kernel_h * kernel_w].
        bias: int64 [O], the input's zero point folded in.
        multiplier: int64 [O], Q0.31.
        right: int64 [O], shifts to the right, at least 1.
    """

    weights: Int8Array
    bias: Int64Array
    multiplier: Int64Array
    right: Int64Array


@lru_cache(maxsize=1024)
def pack(graph: Graph, op: DepthwiseConv2D) -> Packed | None:
    """Pack a depthwise convolution; None where the short requantization is not exact for it.

    A channel whose level is the same for all inputs needs no weights: it is a sum that ends there.
    """
    if op.clamp != _WHOLE:
        return None
    sums = channel_sums(graph, op)
    multiplier, shift = conv2d_multipliers(graph, op)
    output_zp = graph.tensors[op.output].zero_point
    lowest, highest = (
        np.clip(multiply_by_quantized_multiplier(ends, multiplier, shift) + output_zp, *_WHOLE)
        for ends in (sums.low, sums.high)
    )
    fixed = lowest == highest
    folded = sums.bias - graph.tensors[op.inputs[0]].zero_point * sums.rows.sum(axis=1)
    largest = np.maximum(-sums.low, sums.high)
    fits = (largest < 1 << _SUM_BITS) & (np.abs(folded) < 1 << _SUM_BITS)
    fits &= (shift >= -_MAX_RIGHT) & (shift < 0)
    if not np.all(fixed | fits):
        return None
    return Packed(
        np.where(fixed[:, np.newaxis], 0, sums.rows).astype(np.int8),
        np.where(fixed, (lowest - output_zp) * 4, folded),
        np.where(fixed, _HALF, multiplier),
        np.where(fixed, 1, -shift),
    )


def instructions(graph: Graph, op: DepthwiseConv2D, pixels: int) -> float:
    """Estimate what firmware/src/scalar/esq_depthwise_scalar.c does on a Cortex-M3."""
    height, width, channels = graph.tensors[op.output].hwc
    channel, row = _INSTRUCTIONS.get(_way(graph, op), _ANY_INSTRUCTIONS)
    if _way(graph, op) == "any":
        row += op.window.width * _TAP_INSTRUCTIONS
    each = channel + op.window.height * row
    return height * ceil_div(width, pixels) * channels * each


def conv_params(graph: Graph, op: DepthwiseConv2D, index: int, window: Value) -> ConvParams:
    """Return a depthwise convolution as struct esq_depthwise_scalar; see `Family.conv_params`."""
    packed = pack(graph, op)
    assert packed is not None
    outputs, taps = packed.weights.shape
    weights = array(
        "int8_t", f"weights_{index}", packed.weights.reshape(-1).tolist(), layer=op.name
    )
    begun = (packed.bias << _RIGHT_BITS) + packed.right
    pairs = list(zip(begun.tolist(), packed.multiplier.tolist(), strict=True))
    ends = structs("struct esq_depthwise_end", f"ends_{index}", pairs)
    fields: Fields = {
        "weights": f"weights_{index}",
        "ends": f"ends_{index}",
        "way": f"&esq_scalar_{_way(graph, op)}",
        "window": window,
        "taps": taps,
        "outputs": outputs,
        "each": outputs // graph.tensors[op.inputs[0]].hwc[2],
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
    }
    return ConvParams(weights + ends, "esq_depthwise_scalar", fields)


def _way(graph: Graph, op: DepthwiseConv2D) -> str:
    """Return how windows are found. Mirror: struct esq_depthwise_way."""
    window, width = op.window, graph.tensors[op.output].hwc[1]
    last = (width - 1) * window.stride_w - window.pad_left
    right = last + window.width - graph.tensors[op.inputs[0]].hwc[1]
    fits = width >= TOGETHER and max(window.pad_left, right) <= window.width // 2
    return _WAYS.get((window.width, window.stride_w), "any") if fits else "any"
