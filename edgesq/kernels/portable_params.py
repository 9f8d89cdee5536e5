"""Parameters of convolutions that run on portable kernels, as C data.

Mirror: struct esq_conv2d in firmware/include/esq_ops.h.
"""

import numpy as np

from edgesq.graph import Graph
from edgesq.kernels.conv_params import (
    ConvParams,
    end_arrays,
    end_fields,
    stream_array,
    streamed_struct,
)
from edgesq.kernels.initializer import Fields, Value, array, clamp_fields
from edgesq.kernels.kernel import Kernel
from edgesq.operators import Convolution, DepthwiseConv2D


def conv_params(
    graph: Graph, op: Convolution, kernel: Kernel, index: int, window: Value
) -> ConvParams:
    """Return a convolution as struct esq_conv2d; see `Family.conv_params`."""
    weights = graph.constant(op.weights).astype(np.int8)
    bias = array("int32_t", f"bias_{index}", graph.constant(op.bias).tolist())
    fields = _fields(graph, op, kernel, index, window)
    ends = bias + end_arrays(graph, op, index)
    if kernel.coded is None:
        numbers = weights.reshape(-1).tolist()
        arrays = array("int8_t", f"weights_{index}", numbers, layer=op.name)
        return ConvParams(arrays + ends, "esq_conv2d", fields)
    stream = stream_array(op.name, weights, index, kernel.coded)
    tiles = streamed_struct(kernel.coded, index, enter="esq_portable_enter_tile")
    return ConvParams(stream + ends + tiles, "esq_conv2d", fields, f"&streamed_{index}.tiled")


def _fields(graph: Graph, op: Convolution, kernel: Kernel, index: int, window: Value) -> Fields:
    return {
        "weights": "0" if kernel.coded else f"weights_{index}",
        "bias": f"bias_{index}",
        **end_fields(op, index),
        "window": window,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
        "depth": 1 if isinstance(op, DepthwiseConv2D) else graph.tensors[op.weights].shape[3],
    }
