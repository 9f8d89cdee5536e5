"""The fixed-point numbers of what keeps state.

Source: TensorFlow Lite, kernels/svdf.cc and kernels/internal/reference/svdf.h.
"""

from dataclasses import dataclass

import numpy as np

from edgesq.arithmetic import quantize_multiplier
from edgesq.graph import Graph
from edgesq.operators import Svdf


@dataclass(frozen=True)
class Rescale:
    """A factor as multiplier * 2^(shift - 31)."""

    multiplier: int
    shift: int


def _rescale(*scales: float) -> Rescale:
    """Return first * second / third, which TensorFlow Lite computes in float32."""
    first, second, third = (np.float32(scale) for scale in scales)
    return Rescale(*quantize_multiplier(float(first * second / third)))


def svdf_rescales(graph: Graph, op: Svdf) -> tuple[Rescale, Rescale]:
    """Return how an SVDF makes sums of the input to what it keeps, and that to its output."""
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    features, times = graph.tensors[op.features], graph.tensors[op.times]
    return (
        _rescale(source.scale, features.scale, op.kept.scale),
        _rescale(op.kept.scale, times.scale, result.scale),
    )
