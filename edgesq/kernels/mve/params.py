"""Parameters of the convolutions that run on MVE, as C data.

Mirror: firmware/include/esq_mve_ops.h.
"""

from edgesq.graph import Graph
from edgesq.kernels.conv_params import (
    ConvParams,
    rescaling_arrays,
    stream_array,
    streamed_struct,
)
from edgesq.kernels.initializer import Fields, Value, array, clamp_fields
from edgesq.kernels.kernel import Kernel
from edgesq.kernels.mve.blocks import (
    BLOCK,
    MAX_PIXELS,
    blocks_of,
    by_columns,
    reads_in_place,
    together_of,
)
from edgesq.kernels.mve.depthwise import strip_blocks
from edgesq.kernels.mve.pack import Packed, pack_conv2d, pack_depthwise
from edgesq.operators import Conv2D, Convolution, DepthwiseConv2D, FullyConnected

_KIND = "esq_conv2d_mve"


def conv_params(
    graph: Graph, op: Convolution, kernel: Kernel, index: int, window: Value
) -> ConvParams:
    """Return a convolution as the struct that its kernel takes; see `Family.conv_params`."""
    if isinstance(op, DepthwiseConv2D):
        return _depthwise(graph, op, kernel.pixels, index, window)
    assert isinstance(op, Conv2D)
    return _conv2d(graph, op, kernel, index, window)


def _conv2d(graph: Graph, op: Conv2D, kernel: Kernel, index: int, window: Value) -> ConvParams:
    """Return a convolution as struct esq_conv2d_mve."""
    packed = pack_conv2d(graph, op)
    is_direct = reads_in_place(graph, op)
    fields: Fields = {
        "weights": "0" if kernel.coded else f"weights_{index}",
        "table": f"table_{index}",
        "edges": "0" if packed.edges is None else f"bias_{index}",
        "locate": f"esq_mve_{_locate(graph, op)}",
        "finish": f"esq_mve_finish_{packed.finish}{_known_blocks(graph, op, packed)}",
        "rescaling": f"rescaling_{index}" if packed.finish == "once" else "0",
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
        "blocks": blocks_of(graph, op),
        "columns": together_of(graph, op),
        "pixels": MAX_PIXELS if is_direct else kernel.pixels,
        "window": window,
    }
    table = packed.table.reshape(-1).tolist()
    ends = array("int32_t", f"table_{index}", table, aligned=True)
    if packed.edges is not None:
        edges = packed.edges.reshape(-1).tolist()
        ends += array("int32_t", f"bias_{index}", edges, aligned=True)
    if isinstance(op, FullyConnected):
        ends += rescaling_arrays(graph, op, index)
    if kernel.coded is None:
        return ConvParams(_weights(op, index, packed) + ends, _KIND, fields)
    stream = stream_array(op.name, packed.weights.reshape(-1), index, kernel.coded)
    tiles = streamed_struct(kernel.coded, index, enter="esq_mve_enter_tile")
    return ConvParams(stream + ends + tiles, _KIND, fields, f"&streamed_{index}.tiled")


def _locate(graph: Graph, op: Conv2D) -> str:
    if reads_in_place(graph, op):
        return "direct"
    return "strip" if by_columns(graph, op) else "gathered"


def _known_blocks(graph: Graph, op: Conv2D, packed: Packed) -> str:
    """Return how a kernel's name ends that is for so few blocks only."""
    blocks = blocks_of(graph, op)
    return f"_{blocks}" if packed.finish in ("relu", "signed") and blocks < 3 else ""


def _weights(op: Conv2D, index: int, packed: Packed) -> str:
    weights = [*packed.weights.reshape(-1).tolist(), *[0] * BLOCK]  # loaded ahead, never used
    return array("int8_t", f"weights_{index}", weights, layer=op.name, aligned=True)


def _depthwise(
    graph: Graph, op: DepthwiseConv2D, pixels: int, index: int, window: Value
) -> ConvParams:
    """Return a depthwise convolution as struct esq_depthwise_mve."""
    packed = pack_depthwise(graph, op)
    fields: Fields = {
        "weights": f"weights_{index}",
        "table": f"table_{index}",
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
        "relu": int(packed.finish == "relu"),
        "blocks": strip_blocks(op),
        "pixels": pixels,
        "window": window,
    }
    weights, table = packed.weights.tolist(), packed.table.reshape(-1).tolist()
    arrays = array("int8_t", f"weights_{index}", weights, layer=op.name, aligned=True)
    arrays += array("int32_t", f"table_{index}", table, aligned=True)
    return ConvParams(arrays, "esq_depthwise_mve", fields)
