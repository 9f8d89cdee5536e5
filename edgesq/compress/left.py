"""Layers left at int8 beside compressed ones, with few different steps."""

import numpy as np

from edgesq.arithmetic import channel_scales
from edgesq.compress.biases import stored_bias
from edgesq.compress.float_ops import Kernel
from edgesq.compress.network import stored_kernel
from edgesq.compress.sequence import Layer
from edgesq.compress.steps import STEPS_PER_OCTAVE
from edgesq.graph import Graph
from edgesq.operators import Conv2D

_NEARLY_HALF = 0.51
_MAX_LEVEL = 127


def coarse_layer(graph: Graph, op: Conv2D, kernel: Kernel) -> Layer:
    """Return an int8 layer with its steps rounded up to powers of 2^(1/4), by a fifth at most.

    Args:
        graph: the int8 model.
        op: the layer.
        kernel: its real weights, taken where the int8 ones are those, rounded; else int8 is
            rounded again.
    """
    weights, scales = graph.tensors[op.weights].data, channel_scales(graph, op)
    assert weights is not None
    each = scales[:, np.newaxis, np.newaxis, np.newaxis]
    stored = stored_kernel(graph, op)
    is_same = bool((np.abs(kernel.weights / each - weights) <= _NEARLY_HALF).all())
    real = kernel.weights if is_same else stored.weights
    octaves = np.ceil(STEPS_PER_OCTAVE * np.log2(scales) - 1e-6) / STEPS_PER_OCTAVE
    steps = (2.0**octaves).astype(np.float32)
    levels = np.rint(real / steps[:, np.newaxis, np.newaxis, np.newaxis])
    bias = stored_bias(graph, op, steps, stored.bias)
    return Layer(np.clip(levels, -_MAX_LEVEL, _MAX_LEVEL).astype(np.int8), steps, bias)
