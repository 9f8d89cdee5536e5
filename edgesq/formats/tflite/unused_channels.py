"""Leave out channels that no input can change, or that nothing reads.

A channel without weights has the same value at all pixels. What a convolution behind makes of it is
a constant, which goes into that one's bias; so is a channel that meets only weights of 0. Depthwise
convolutions and pools hand each channel on by itself: a channel goes from all of them at once.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import (
    INT32_MAX,
    Int64Array,
    multiply_by_quantized_multiplier,
    rescaled,
)
from edgesq.graph import Graph, Tensor
from edgesq.integers import round_up
from edgesq.operators import (
    AveragePool2D,
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    MaxPool2D,
    Mean,
    Op,
    Reshape,
)
from edgesq.reductions import mean_parameters

BoolArray = NDArray[np.bool_]

_MULTIPLE = 4
"""Channels that stay are a multiple of this, which kernels of all families take together."""

_UNKNOWN = 1 << 20
"""Stands for the level of a channel that is not always the same."""


def without_unused_channels(graph: Graph) -> Graph:
    """Return the graph without channels that its output does not need.

    Input, output and logits keep all of theirs, and so does what an operator reads that is neither
    a convolution nor hands channels on one by one.
    """
    while (smaller := _smaller(graph)) is not None:
        graph = smaller
    return graph


def _smaller(graph: Graph) -> Graph | None:
    """Return the graph without what can be seen to be unused, None where there is nothing."""
    if not any(isinstance(op, Conv2D) and _has_zeros(graph, op) for op in graph.ops):
        return None
    levels = _levels(graph)
    found = None
    for tensors in _alike(graph):
        unused = _unused(found or graph, tensors, levels)
        if unused is not None and unused.any():
            found = _without(found or graph, tensors, unused, levels)
    return found


def _has_zeros(graph: Graph, op: Conv2D) -> bool:
    """Say whether an output channel has no weights, or an input channel meets none."""
    used = graph.constant(op.weights) != 0
    return not (used.any(axis=(1, 2, 3)).all() and used.any(axis=(0, 1, 2)).all())


def _hands_on(graph: Graph, op: Op) -> bool:
    """Say whether each channel of an operator's output comes from the same one of its input."""
    if isinstance(op, DepthwiseConv2D):
        return graph.tensors[op.inputs[0]].hwc[2] == graph.tensors[op.output].hwc[2]
    if isinstance(op, Reshape):
        shapes = {graph.tensors[index].hwc for index in (op.inputs[0], op.output)}
        return len(shapes) == 1 and shapes.pop()[:2] == (1, 1)
    return isinstance(op, AveragePool2D | MaxPool2D | Mean)


def _alike(graph: Graph) -> Iterator[list[int]]:
    """Yield the tensors whose channels go together, each group once, where some may go at all."""
    groups: dict[int, list[int]] = {}
    for op in graph.ops:
        if isinstance(op, Conv2D):
            groups[op.output] = [op.output]
        elif _hands_on(graph, op) and op.inputs[0] in groups:
            groups[op.output] = groups[op.inputs[0]]
            groups[op.output].append(op.output)
    yield from {id(group): group for group in groups.values()}.values()


def _unused(graph: Graph, tensors: list[int], levels: dict[int, Int64Array]) -> BoolArray | None:
    """Return which channels of some tensors can go, None where none may."""
    if set(tensors) & {*graph.inputs, *graph.observed}:
        return None
    unused = np.ones(graph.tensors[tensors[0]].hwc[2], bool)
    for op in graph.ops:
        for index in set(op.inputs) & set(tensors):
            if isinstance(op, Conv2D):
                unused &= _absorbs(graph, op, levels[index])
            elif op.output not in tensors:
                return None
    stay = min(round_up(max(int((~unused).sum()), 1), _MULTIPLE), len(unused))
    unused[np.flatnonzero(unused)[: stay - int((~unused).sum())]] = False
    return unused


def _absorbs(graph: Graph, op: Conv2D, levels: Int64Array) -> BoolArray:
    """Say of each input channel whether a convolution can do without it."""
    weights = graph.constant(op.weights).astype(np.int64)
    zero_point = graph.tensors[op.inputs[0]].zero_point
    known = (levels == zero_point) | ((levels != _UNKNOWN) & (not _is_padded(op)))
    # Any of them together must leave the biases in 32 bits.
    shares = np.abs(weights).sum(axis=(1, 2)) * np.abs(np.where(known, levels - zero_point, 0))
    bias = np.abs(graph.constant(op.bias).astype(np.int64))
    if np.any(bias + shares.sum(axis=1) > INT32_MAX):
        known = levels == zero_point
    return np.asarray(known | (weights == 0).all(axis=(0, 1, 2)))


def _is_padded(op: Convolution) -> bool:
    window = op.window
    return bool(window.pad_top or window.pad_bottom or window.pad_left or window.pad_right)


def _levels(graph: Graph) -> dict[int, Int64Array]:
    """Return by tensor the level of each channel that is always the same, _UNKNOWN of others."""
    levels: dict[int, Int64Array] = {}
    for op in graph.ops:
        unknown = np.full(graph.tensors[op.output].hwc[2], _UNKNOWN)
        source = levels.get(op.inputs[0], unknown)
        if isinstance(op, Convolution):
            levels[op.output] = _made(graph, op, source)
        elif _hands_on(graph, op):
            levels[op.output] = np.where(source == _UNKNOWN, source, _handed_on(graph, op, source))
    return levels


def _handed_on(graph: Graph, op: Op, levels: Int64Array) -> Int64Array:
    """Return what becomes of channels that are the same at all pixels."""
    if isinstance(op, AveragePool2D | MaxPool2D):
        return np.clip(levels, *op.clamp)
    if not isinstance(op, Mean):
        return levels
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    by = mean_parameters(graph, op)
    total = levels * height * width - by.offset
    scaled = multiply_by_quantized_multiplier(total, by.multiplier, by.shift)
    return np.clip(scaled + graph.tensors[op.output].zero_point, -128, 127)


def _made(graph: Graph, op: Convolution, source: Int64Array) -> Int64Array:
    """Return the levels of a convolution's channels."""
    bias = graph.constant(op.bias).astype(np.int64)
    weights = np.moveaxis(graph.constant(op.weights), op.channel_axis, 0).astype(np.int64)
    rows = weights.reshape(len(weights), -1)
    constant = ~rows.any(axis=1)
    if isinstance(op, DepthwiseConv2D) and len(source) == len(rows):
        zero_point = graph.tensors[op.inputs[0]].zero_point
        known = (source == zero_point) | ((source != _UNKNOWN) & (not _is_padded(op)))
        bias = bias + np.where(known, rows.sum(axis=1) * (source - zero_point), 0)
        constant |= known
    if not constant.any():
        return np.full(len(bias), _UNKNOWN, np.int64)
    return np.where(constant, np.clip(rescaled(graph, op, bias), *op.clamp), _UNKNOWN)


def _without(
    graph: Graph, tensors: list[int], unused: BoolArray, levels: dict[int, Int64Array]
) -> Graph:
    """Return the graph without some channels of tensors whose channels go together."""
    made, ops = list(graph.tensors), list(graph.ops)
    for index in tensors:
        shape = (*made[index].shape[:-1], int((~unused).sum()))
        made[index] = replace(made[index], shape=shape)
    users = Counter(index for op in graph.ops for index in graph.constants(op))
    for position, op in enumerate(ops):
        if not isinstance(op, Convolution):
            continue
        weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
        if isinstance(op, Conv2D) and op.inputs[0] in tensors:
            weights, bias = _folded(graph, op, unused, levels[op.inputs[0]])
        if op.output in tensors:
            weights, bias = _cut(weights, ~unused, op.channel_axis), _cut(bias, ~unused, 0)
        indices = []
        for index, tensor in ((op.weights, weights), (op.bias, bias)):
            own = index if users[index] == 1 else len(made)  # else another operator reads it
            made[own : own + 1] = [tensor]
            indices.append(own)
        ops[position] = replace(op, weights=indices[0], bias=indices[1])
    return replace(graph, tensors=tuple(made), ops=tuple(ops))


def _folded(
    graph: Graph, op: Conv2D, unused: BoolArray, levels: Int64Array
) -> tuple[Tensor, Tensor]:
    """Return weights without unused input channels, and biases with what those added."""
    weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
    offset = levels - graph.tensors[op.inputs[0]].zero_point
    known = unused & (levels != _UNKNOWN)
    data = graph.constant(op.weights)
    added = (data.astype(np.int64).sum(axis=(1, 2)) * np.where(known, offset, 0)).sum(axis=1)
    biases = (graph.constant(op.bias) + added).astype(np.int32)
    shape = (*weights.shape[:3], int((~unused).sum()))
    return replace(weights, shape=shape, data=data[..., ~unused]), replace(bias, data=biases)


def _cut(tensor: Tensor, stays: BoolArray, axis: int) -> Tensor:
    """Return a constant without some output channels."""
    assert tensor.data is not None
    scales = tensor.quantization.scale
    if len(scales) == len(stays):
        scales = tuple(scale for scale, stay in zip(scales, stays, strict=True) if stay)
    data = tensor.data[(slice(None),) * axis + (stays,)]
    quantization = replace(tensor.quantization, scale=scales)
    return replace(tensor, shape=data.shape, quantization=quantization, data=data)
