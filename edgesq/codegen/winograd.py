"""Weights of 3x3 convolutions for Winograd's F(4, 3) along rows.

Mirror: firmware/src/dsp/esq_winograd_dsp.c.
"""

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, conv2d_multipliers
from edgesq.codegen.text import comment, hex_rows, rows, template
from edgesq.graph import Conv2D, Graph

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
    bias = graph.tensors[op.bias].data
    assert bias is not None
    multiplier, shift = conv2d_multipliers(graph, op)
    constant = (1 << -shift >> 1) - (128 << -shift)
    ends = np.stack([multiplier, constant, -shift], axis=1).reshape(-1, 3 * _BLOCK)
    return np.concatenate([bias.astype(np.int64).reshape(-1, _BLOCK), ends], axis=1)


def winograd(graph: Graph, op: Conv2D, index: int, window: str) -> str:
    """Return the C text that defines `params_<index>`; `window` initialises struct esq_window."""
    weights = graph.tensors[op.weights].data
    assert weights is not None
    words, table = transform_weights(weights.astype(np.int8)), _table(graph, op)
    return template("winograd.c").substitute(
        name=comment(op.name),
        index=index,
        weight_count=words.size,
        weights=hex_rows(words.reshape(-1).tolist()),
        table_count=table.size,
        table=rows(table.reshape(-1).tolist()),
        window=window,
        steps=words.shape[2],
        input_zp=graph.tensors[op.inputs[0]].zero_point,
    )
