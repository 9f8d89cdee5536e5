"""Parameters of the convolutions that run on scalar cores, as C data.

Mirror: firmware/include/esq_scalar_ops.h.
"""

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
from edgesq.kernels.scalar import depthwise
from edgesq.kernels.scalar.pack import Packed, pack_conv2d
from edgesq.operators import Conv2D, Convolution, DepthwiseConv2D

_KIND = "esq_conv2d_scalar"


def conv_params(
    graph: Graph, op: Convolution, kernel: Kernel, index: int, window: Value
) -> ConvParams:
    """Return a convolution as the struct that its kernel takes; see `Family.conv_params`."""
    if isinstance(op, DepthwiseConv2D):
        return depthwise.conv_params(graph, op, index, window)
    assert isinstance(op, Conv2D)
    packed = pack_conv2d(graph, op)
    bias = array("int32_t", f"bias_{index}", packed.bias.tolist())
    ends = bias + end_arrays(graph, op, index)
    if packed.weight_sums is not None:
        sums = packed.weight_sums.tolist()
        ends += array("ESQ_MAYBE_UNUSED int16_t", f"weight_sums_{index}", sums)
    fields = _fields(graph, op, kernel, index, packed)
    fields = {**fields, "window": window}
    if kernel.coded is None:
        weights = packed.weights.reshape(-1).tolist()
        arrays = array("int8_t", f"weights_{index}", weights, layer=op.name, aligned=True)
        return ConvParams(arrays + ends, _KIND, fields)
    stream = stream_array(op.name, packed.weights, index, kernel.coded)
    tiles = streamed_struct(kernel.coded, index, enter="esq_scalar_enter_tile")
    return ConvParams(stream + ends + tiles, _KIND, fields, f"&streamed_{index}.tiled")


def _fields(graph: Graph, op: Conv2D, kernel: Kernel, index: int, packed: Packed) -> Fields:
    assert kernel.held is not None
    sums = None if packed.weight_sums is None else f"weight_sums_{index}"
    return {
        "weights": "0" if kernel.coded else f"weights_{index}",
        "bias": f"bias_{index}",
        **end_fields(op, index),
        "weight_sums": "0" if sums is None else f"ESQ_SCALAR_SUMS({sums})",
        "end": f"esq_scalar_end_{packed.end}",
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
        "pixels": kernel.pixels,
        "taps": kernel.held.taps,
        "channels": kernel.held.channels,
    }
