"""Every operator in float arithmetic, by TensorFlow, so that it can be differentiated.

Activations are [n, H, W, C] here, also where the graph has [1, C].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.graph import (
    OUTSIDE,
    Add,
    AveragePool2D,
    Binary,
    Concatenation,
    Convolution,
    DepthToSpace,
    DepthwiseConv2D,
    Graph,
    GroupedConv2D,
    HardSwish,
    LeakyRelu,
    Logistic,
    Lookup,
    MaxPool2D,
    Mean,
    Op,
    Pick,
    Reshape,
    Softmax,
    SpaceToDepth,
    Sub,
    Tanh,
    Window,
)

Float32Array = NDArray[np.float32]

_LOWEST = np.finfo(np.float32).min


@dataclass(frozen=True, eq=False)
class Kernel:
    """Real weights of one convolution: OHWI ([1, H, W, O] where depthwise), and [O] of bias."""

    weights: Float32Array
    bias: Float32Array


def apply(graph: Graph, op: Op, inputs: Sequence[Any], kernel: Kernel | None) -> Any:
    """Compute one operator in float32, its result cut to the range that int8 can show.

    Args:
        graph: the model.
        op: the operator.
        inputs: tensors [n, H, W, C].
        kernel: its weights, where it has some; TensorFlow variables may stand in.

    Raises:
        ModelError: the operator has no float form here.
    """
    import tensorflow as tf

    first, output = inputs[0], graph.tensors[op.output]
    match op:
        case _ if isinstance(op, Convolution):
            assert kernel is not None
            result = _convolve(op, first, kernel)
        case MaxPool2D():
            result = _max_pool(op.window, first)
        case AveragePool2D():
            result = _average_pool(op.window, first)
        case Concatenation():
            return tf.concat(list(inputs), axis=-1)
        case Binary():
            result = _binary(graph, op, inputs)
        case Lookup():
            result = _lookup(op, first)
        case Mean():
            result = tf.reduce_mean(first, axis=(1, 2), keepdims=True)
        case Softmax():
            return tf.nn.softmax(op.beta * first)
        case Reshape():
            return tf.reshape(first, (-1, *graph.tensors[op.output].hwc))
        case Pick():
            return _pick(op, first, real_range(graph, op)[0] + (op.fill + 128) * output.scale)
        case SpaceToDepth():
            return tf.nn.space_to_depth(first, op.block)
        case DepthToSpace():
            return tf.nn.depth_to_space(first, op.block)
        case _:
            raise ModelError(
                f"{op.kind} has no float form", where=op.name, hint="leave out --compress"
            )
    low, high = real_range(graph, op)
    return tf.clip_by_value(result, low, high)


def real_range(graph: Graph, op: Op) -> tuple[float, float]:
    """Return the reals that an operator's int8 output can show."""
    output = graph.tensors[op.output]
    low, high = getattr(op, "clamp", (-128, 127))
    return (low - output.zero_point) * output.scale, (high - output.zero_point) * output.scale


def _convolve(op: Convolution, pixels: Any, kernel: Kernel) -> Any:
    """Return a convolution's sums, not yet cut to any range."""
    import tensorflow as tf

    window = op.window
    padded = tf.pad(pixels, _padding(window))
    strides = (1, window.stride_h, window.stride_w, 1)
    if isinstance(op, DepthwiseConv2D):
        taps = tf.reshape(kernel.weights, (window.height, window.width, pixels.shape[-1], -1))
        return tf.nn.depthwise_conv2d(padded, taps, strides, "VALID") + kernel.bias
    taps = tf.transpose(kernel.weights, (1, 2, 3, 0))
    groups = pixels.shape[-1] // taps.shape[2] if isinstance(op, GroupedConv2D) else 1
    sums = [
        tf.nn.conv2d(part, part_taps, strides, "VALID")
        for part, part_taps in zip(
            tf.split(padded, groups, axis=3), tf.split(taps, groups, axis=3), strict=True
        )
    ]
    return tf.concat(sums, axis=3) + kernel.bias


def _pick(op: Pick, pixels: Any, fill: float) -> Any:
    """Return picked rows, columns and channels, with `fill` for those outside."""
    import tensorflow as tf

    for axis, indices in enumerate((op.rows, op.columns, op.channels), start=1):
        outside = np.array([index == OUTSIDE for index in indices])
        taken = tf.gather(pixels, np.maximum(indices, 0), axis=axis)
        shape = [1, 1, 1, 1]
        shape[axis] = len(indices)
        pixels = tf.where(outside.reshape(shape), np.float32(fill), taken)
    return pixels


def _padding(window: Window) -> list[list[int]]:
    rows, columns = (
        [window.pad_top, window.pad_bottom],
        [window.pad_left, window.pad_right],
    )
    return [[0, 0], rows, columns, [0, 0]]


def _max_pool(window: Window, pixels: Any) -> Any:
    import tensorflow as tf

    padded = tf.pad(pixels, _padding(window), constant_values=_LOWEST)
    size, strides = (window.height, window.width), (window.stride_h, window.stride_w)
    return tf.nn.max_pool2d(padded, size, strides, "VALID")


def _average_pool(window: Window, pixels: Any) -> Any:
    """Return the mean over the places of each window that are inside."""
    import tensorflow as tf

    size, strides = (window.height, window.width), (window.stride_h, window.stride_w)
    inside = tf.pad(tf.ones_like(pixels[:1, :, :, :1]), _padding(window))
    share = tf.nn.avg_pool2d(inside, size, strides, "VALID")
    return tf.nn.avg_pool2d(tf.pad(pixels, _padding(window)), size, strides, "VALID") / share


def _binary(graph: Graph, op: Binary, inputs: Sequence[Any]) -> Any:
    """Return two operands added, subtracted or multiplied; constants come from the graph."""
    given = iter(inputs)
    operands = []
    for index in op.operands:
        tensor = graph.tensors[index]
        if tensor.data is None:
            operands.append(next(given))
        else:
            levels = tensor.data.astype(np.float32) - np.float32(tensor.zero_point)
            operands.append(levels * np.float32(tensor.scale))
    one, other = operands
    match op:
        case Add():
            return one + other
        case Sub():
            return one - other
    return one * other


def _lookup(op: Lookup, values: Any) -> Any:
    """Return a function of each value; what only rescales or cuts is done by the range."""
    import tensorflow as tf

    match op:
        case LeakyRelu():
            return tf.nn.leaky_relu(values, op.alpha)
        case HardSwish():
            return values * tf.nn.relu6(values + 3) / 6
        case Logistic():
            return tf.sigmoid(values)
        case Tanh():
            return tf.tanh(values)
    return values
