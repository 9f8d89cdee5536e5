"""Where the short requantization of the DSP extension's convolutions is exact.

With the full clamp and zero point -128 every negative sum becomes -128, so it cannot show that
halves are rounded up instead of away from zero. The rest is whether constants and sums fit their
bits.
"""

from functools import lru_cache

import numpy as np

from edgesq.arithmetic import channel_sums, conv2d_multipliers
from edgesq.graph import Graph
from edgesq.kernels.channels import Channels, channel_fields
from edgesq.kernels.dsp.lanes import pair_channels
from edgesq.operators import Conv2D, FullyConnected

LOWER_BOUND = 1 << 30
"""Sums of the channel in the lower byte, B, must be below this: the requantization doubles them."""

_SHIFTS = range(1, 16)
"""Right shifts for which the constants fit."""


@lru_cache(maxsize=256)
def ends_short(graph: Graph, op: Conv2D) -> bool:
    """Say whether the short requantization is exact for all inputs."""
    sums = channel_sums(graph, op)
    _, shift = conv2d_multipliers(graph, op)
    whole_range = op.clamp == (-128, 127) and graph.tensors[op.output].zero_point == -128
    shifts_fit = len(shift) % 2 == 0 and all(-int(s) in _SHIFTS for s in shift)
    lower_fits = bool((np.maximum(-sums.low, sums.high) < LOWER_BOUND).all())
    pairs = pair_channels(graph, op) == 2
    plain = not isinstance(op, FullyConnected)
    return plain and pairs and lower_fits and whole_range and shifts_fit


def short_channels(graph: Graph, op: Conv2D) -> Channels | None:
    """Return the bits that may stand for a layer's table; None where there is none to stand for."""
    return channel_fields(graph, op) if ends_short(graph, op) else None
