"""Weights of 3x3 convolutions for Winograd's F(4, 3) along rows.

Mirror: firmware/src/dsp/esq_winograd_dsp.c.
"""

import numpy as np

from edgesq.arithmetic import Int64Array, conv2d_multipliers
from edgesq.codegen.channels import channels_arrays
from edgesq.codegen.initializer import Fields, Value, array, struct
from edgesq.codegen.params_stream import stream_array, streamed_struct
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


def winograd(graph: Graph, op: Conv2D, index: int, window: Value, coded: Coded | None) -> str:
    """Return the C text that defines `params_<index>`.

    Args:
        graph: the model.
        op: the convolution.
        index: the operator's number, in the arrays' names.
        window: struct esq_window.
        coded: how its weights are decoded; None where they lie in flash, transformed.
    """
    weights = graph.constant(op.weights).astype(np.int8)
    channels = channel_fields(graph, op) if coded else None
    fields: Fields = {
        "weights": "0" if coded else f"weights_{index}",
        "table": "0" if channels else f"table_{index}",
        "streamed": f"&streamed_{index}" if coded else "0",
        "window": window,
        "steps": weights[0].size // 6,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
    }
    if coded:
        arrays = stream_array(op.name, columns_together(weights), index, coded)
    else:
        words = transform_weights(weights).reshape(-1).tolist()
        arrays = array("uint32_t", f"weights_{index}", words, layer=op.name)
    if channels:
        arrays += channels_arrays(channels, index)
    else:
        table = _table(graph, op).reshape(-1).tolist()
        arrays += array("int32_t", f"table_{index}", table)
    if coded:
        arrays += streamed_struct(coded, index, channels=channels)
    return arrays + struct("esq_winograd", f"params_{index}", fields)
