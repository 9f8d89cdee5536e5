"""What a convolution with wide channels has around its kernel's parameters, as C data.

Mirror: struct esq_wide in firmware/include/esq_ops.h.
"""

import numpy as np

from edgesq.arithmetic import conv2d_multipliers, rescale_parameters
from edgesq.codegen.params.fields import ring_window
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, array, clamp_fields, struct, structs
from edgesq.kernels.kernel import Kernel
from edgesq.operators import Convolution, FullyConnected


def wide_params(graph: Graph, op: Convolution, kernel: Kernel, index: int, narrow: str) -> str:
    """Return `params_<index>`; `narrow` is the name of what the kernel takes."""
    assert op.wide is not None
    weights = graph.constant(op.wide)
    depth, inputs = weights.shape[3], graph.tensors[op.inputs[0]].hwc[2]
    each = len(graph.constant(op.bias)) * depth // inputs  # output channels of the same inputs
    bias, ends = graph.constant(op.bias), _ends(graph, op)
    channels: list[Fields] = [
        {
            "bias": int(bias[number]),
            "number": number,
            "source": number // each * depth,
            **ends.get(number, {}),
        }
        for number in op.wide_channels
    ]
    numbers = weights.astype(np.int16).reshape(-1).tolist()
    fields: Fields = {
        "run": kernel.function,
        "params": f"&{narrow}",
        "weights": f"wide_weights_{index}",
        "channels": f"wide_channels_{index}",
        "rescaling": "0" if ends else f"wide_rescaling_{index}",
        "window": ring_window(op),
        "count": len(channels),
        "depth": depth,
        "dilation_w": op.window.dilation_w,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
    }
    return (
        array("int16_t", f"wide_weights_{index}", numbers, layer=op.name)
        + _rescaling(graph, op, index)
        + structs("struct esq_wide_channel", f"wide_channels_{index}", channels)
        + struct("esq_wide", f"params_{index}", fields)
    )


def _ends(graph: Graph, op: Convolution) -> dict[int, Fields]:
    """Return multiplier and shift by wide channel; nothing of a FULLY_CONNECTED."""
    if isinstance(op, FullyConnected):
        return {}
    multiplier, shift = conv2d_multipliers(graph, op)
    return {
        number: {"multiplier": int(multiplier[number]), "shift": int(shift[number])}
        for number in op.wide_channels
    }


def _rescaling(graph: Graph, op: Convolution, index: int) -> str:
    if not isinstance(op, FullyConnected):
        return ""
    parameters = rescale_parameters(graph, op)
    elements = [
        (f"{parameters.multiplier[number]}u", f"{parameters.limit[number]}u")
        for number in op.wide_channels
    ]
    return structs("struct esq_rescaling", f"wide_rescaling_{index}", elements)
