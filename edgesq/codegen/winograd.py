"""Weights of 3x3 convolutions for Winograd's F(4, 3) along rows.

Mirror: firmware/src/dsp/esq_winograd_dsp.c.
"""

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, conv2d_multipliers
from edgesq.codegen.channels import channels_arrays
from edgesq.codegen.params_stream import stream_array, streamed_fields
from edgesq.codegen.text import comment, hex_rows, rows, template
from edgesq.graph import Conv2D, Graph
from edgesq.kernels.channels import channel_fields
from edgesq.kernels.kernel import Streamed

TRANSFORM = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [1, 2, 4], [1, -2, 4], [0, 0, 1]], np.int64)
"""Lavin's G without its divisors 4, -6, -6, 24, 24, 1."""

_BLOCK = 4


def transform_weights(weights: NDArray[np.int8]) -> NDArray[np.uint32]:
    """Return OHWI weights [O, H, 3, C] as int16 lanes, uint32 [O / 4, 6, H * C / 2, 4]."""
    channels, height, _, depth = weights.shape
    products = np.einsum("iw,ohwc->oihc", TRANSFORM, weights.astype(np.int64)) & 0xFFFF
    grouped = products.reshape(channels, 6, height * depth // 4, 2, 2)
    words = grouped[:, :, :, 0] | grouped[:, :, :, 1] << 16
    blocks = words.reshape(channels // _BLOCK, _BLOCK, 6, -1)
    return np.asarray(blocks.transpose(0, 2, 3, 1), np.uint32)


def _table(graph: Graph, op: Conv2D) -> Int64Array:
    bias = graph.constant(op.bias)
    multiplier, shift = conv2d_multipliers(graph, op)
    constant = (1 << -shift >> 1) - (128 << -shift)
    ends = np.stack([multiplier, constant, -shift], axis=1).reshape(-1, 3 * _BLOCK)
    return np.concatenate([bias.astype(np.int64).reshape(-1, _BLOCK), ends], axis=1)


def winograd(graph: Graph, op: Conv2D, index: int, window: str, streamed: Streamed | None) -> str:
    """Return the C text that defines `params_<index>`.

    Args:
        graph: the model.
        op: the convolution.
        index: the operator's number, in the arrays' names.
        window: initialiser of struct esq_window.
        streamed: how its weights are decoded; None where they lie in flash, transformed.
    """
    weights = graph.constant(op.weights)
    channels = channel_fields(graph, op) if streamed else None
    fields = template("winograd_fields.c").substitute(
        weights="0" if streamed else f"weights_{index}",
        table="0" if channels else f"table_{index}",
        window=window,
        steps=weights[0].size // 6,
        input_zp=graph.tensors[op.inputs[0]].zero_point,
    )
    table = _table(graph, op).reshape(-1).tolist()
    ends = template("table.c").substitute(index=index, count=len(table), values=rows(table))
    if streamed is None:
        words = transform_weights(weights.astype(np.int8)).reshape(-1).tolist()
        array = template("weights_dsp.c").substitute(
            name=comment(op.name), index=index, count=len(words), values=hex_rows(words)
        )
        return template("winograd.c").substitute(arrays=array + ends, index=index, fields=fields)
    if channels:
        ends = channels_arrays(channels, index)
    return template("winograd_streamed.c").substitute(
        arrays=stream_array(op.name, columns_together(weights.astype(np.int8)), index, streamed)
        + ends,
        index=index,
        fields=fields,
        streamed=streamed_fields(streamed, index, channels=channels),
    )


def columns_together(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return OHWI weights [O, H, 3, C] in the order of a stream, [O, H, C / 4, 3, 4]."""
    channels, height, width, depth = weights.shape
    grouped = weights.reshape(channels, height, width, depth // 4, 4)
    return grouped.transpose(0, 1, 3, 2, 4)
