"""What a convolution with wide channels has around its kernel's parameters, as C data.

Mirror: struct esq_wide in firmware/include/esq_ops.h.
"""

import numpy as np

from edgesq.arithmetic import conv2d_multipliers
from edgesq.codegen.params.fields import ring_window
from edgesq.graph import Graph
from edgesq.kernels.initializer import Fields, array, clamp_fields, struct, structs
from edgesq.kernels.kernel import Kernel
from edgesq.operators import Convolution

RUN = "esq_run_wide"
"""The C function that takes the operator's steps."""


def wide_params(graph: Graph, op: Convolution, kernel: Kernel, index: int, narrow: str) -> str:
    """Return `params_<index>`; `narrow` is the name of what the kernel takes."""
    assert op.wide is not None
    weights = graph.constant(op.wide)
    depth, inputs = weights.shape[3], graph.tensors[op.inputs[0]].hwc[2]
    each = len(graph.constant(op.bias)) * depth // inputs  # output channels of the same inputs
    multiplier, shift = conv2d_multipliers(graph, op)
    channels: list[Fields] = [
        {
            "bias": int(graph.constant(op.bias)[number]),
            "multiplier": int(multiplier[number]),
            "number": number,
            "source": number // each * depth,
            "shift": int(shift[number]),
        }
        for number in op.wide_channels
    ]
    numbers = weights.astype(np.int16).reshape(-1).tolist()
    fields: Fields = {
        "run": kernel.function,
        "params": f"&{narrow}",
        "weights": f"wide_weights_{index}",
        "channels": f"wide_channels_{index}",
        "window": ring_window(op),
        "count": len(channels),
        "depth": depth,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "output_zp": graph.tensors[op.output].zero_point,
        **clamp_fields(op.clamp),
    }
    return (
        array("int16_t", f"wide_weights_{index}", numbers, layer=op.name)
        + structs("struct esq_wide_channel", f"wide_channels_{index}", channels)
        + struct("esq_wide", f"params_{index}", fields)
    )
