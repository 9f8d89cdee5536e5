"""Weights of 3x3 convolutions for Winograd's F(4, 3) along rows.

Mirror: firmware/src/dsp/esq_winograd_dsp.c.
"""

import numpy as np

from edgesq.arithmetic import Int64Array, conv2d_multipliers
from edgesq.codegen.channels import channels_arrays
from edgesq.codegen.params_stream import stream_array, streamed_fields
from edgesq.codegen.text import comment, hex_rows, rows, template
from edgesq.graph import Conv2D, Graph
from edgesq.kernels.channels import channel_fields
from edgesq.kernels.dsp.winograd import BLOCK, columns_together, transform_weights
from edgesq.kernels.kernel import Coded


def _table(graph: Graph, op: Conv2D) -> Int64Array:
    bias = graph.constant(op.bias)
    multiplier, shift = conv2d_multipliers(graph, op)
    constant = (1 << -shift >> 1) - (128 << -shift)
    ends = np.stack([multiplier, constant, -shift], axis=1).reshape(-1, 3 * BLOCK)
    return np.concatenate([bias.astype(np.int64).reshape(-1, BLOCK), ends], axis=1)


def winograd(graph: Graph, op: Conv2D, index: int, window: str, coded: Coded | None) -> str:
    """Return the C text that defines `params_<index>`.

    Args:
        graph: the model.
        op: the convolution.
        index: the operator's number, in the arrays' names.
        window: initialiser of struct esq_window.
        coded: how its weights are decoded; None where they lie in flash, transformed.
    """
    weights = graph.constant(op.weights)
    channels = channel_fields(graph, op) if coded else None
    fields = template("winograd_fields.c").substitute(
        weights="0" if coded else f"weights_{index}",
        table="0" if channels else f"table_{index}",
        window=window,
        steps=weights[0].size // 6,
        input_zp=graph.tensors[op.inputs[0]].zero_point,
    )
    table = _table(graph, op).reshape(-1).tolist()
    ends = template("table.c").substitute(index=index, count=len(table), values=rows(table))
    if coded is None:
        words = transform_weights(weights.astype(np.int8)).reshape(-1).tolist()
        array = template("weights_dsp.c").substitute(
            name=comment(op.name), index=index, count=len(words), values=hex_rows(words)
        )
        return template("winograd.c").substitute(arrays=array + ends, index=index, fields=fields)
    if channels:
        ends = channels_arrays(channels, index)
    return template("winograd_streamed.c").substitute(
        arrays=stream_array(op.name, columns_together(weights.astype(np.int8)), index, coded)
        + ends,
        index=index,
        fields=fields,
        streamed=streamed_fields(coded, index, channels=channels),
    )
