"""Write channels whose output no input can change with small weights and biases.

The converter stores a channel without weights as a bias near 2^30 in steps so fine that its
multiplier is near 2^-31: 32 bits for one level of the output. Kernels whose sums share a register,
or that round by short constants, could not take a layer for the sake of its dead channels.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import ChannelSums, Int64Array, channel_sums, rescaled
from edgesq.graph import Graph, Quantization, Tensor
from edgesq.operators import Convolution

_STEPS = 256
"""A level of the output in the new bias: its multiplier is 2^-8."""

_INSIDE = 120
"""How far from the middle of a level a bias may be, of _STEPS / 2."""

BoolArray = NDArray[np.bool_]


def with_small_constants(graph: Graph) -> Graph:
    """Return the graph with small numbers for channels whose output no input can change.

    Their least and their greatest sum, which end at the same level, prove them. They get weights of
    0 and a multiplier of 2^-8; biases keep their real values as far as these are within the level.
    """
    tensors, ops = list(graph.tensors), list(graph.ops)
    users = Counter(index for op in graph.ops for index in graph.constants(op))
    for position, op in enumerate(graph.ops):
        made = _smaller(graph, op) if isinstance(op, Convolution) else None
        if made is None:
            continue
        assert isinstance(op, Convolution)
        indices = []
        for index, tensor in zip((op.weights, op.bias), made, strict=True):
            own = index if users[index] == 1 else len(tensors)  # else another operator reads it
            tensors[own : own + 1] = [tensor]
            indices.append(own)
        ops[position] = replace(op, weights=indices[0], bias=indices[1])
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _smaller(graph: Graph, op: Convolution) -> tuple[Tensor, Tensor] | None:
    """Return weights and bias with small numbers, None where there is nothing to change."""
    sums = channel_sums(graph, op)
    level, highest = (_levels(graph, op, end) for end in (sums.low, sums.high))
    chosen = level == highest
    if not chosen.any():
        return None
    made = _rewritten(graph, op, sums, level, chosen)
    tensors = list(graph.tensors)
    tensors[op.weights], tensors[op.bias] = made
    after = replace(graph, tensors=tuple(tensors))
    new = channel_sums(after, op)
    same = all(
        np.all(_levels(after, op, end)[chosen] == level[chosen]) for end in (new.low, new.high)
    )
    return made if same else None


def _levels(graph: Graph, op: Convolution, sums: Int64Array) -> Int64Array:
    return np.clip(rescaled(graph, op, sums), *op.clamp)


def _rewritten(
    graph: Graph, op: Convolution, sums: ChannelSums, level: Int64Array, chosen: BoolArray
) -> tuple[Tensor, Tensor]:
    """Return weights and bias; where `chosen`, as small numbers that give `level`."""
    weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
    assert weights.data is not None
    source, result = graph.tensors[op.inputs[0]], graph.tensors[op.output]
    old = np.broadcast_to(np.array(weights.quantization.scale, np.float64), chosen.shape)
    scale = np.where(chosen, np.float32(result.scale / source.scale / _STEPS), old)
    middle = (level - result.zero_point) * _STEPS
    real = np.rint(sums.bias * old * (source.scale / result.scale) * _STEPS)
    small = np.clip(real, middle - _INSIDE, middle + _INSIDE)
    biases = np.where(chosen, small, sums.bias).astype(np.int32)
    kernel = np.where(op.along_weights(chosen), 0, weights.data).astype(np.int8)
    return (
        replace(weights, data=kernel, quantization=_per_channel(scale)),
        replace(bias, data=biases, quantization=_per_channel(scale * source.scale)),
    )


def _per_channel(scale: NDArray[np.float64]) -> Quantization:
    return Quantization(tuple(scale.astype(np.float32).astype(float).tolist()), 0)
