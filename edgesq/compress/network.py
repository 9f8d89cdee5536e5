"""A graph in float arithmetic, by TensorFlow: what compression keeps close to, and differentiates.

Activations are [n, H, W, C] here, also where the graph has [1, C].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.graph import (
    OUTSIDE,
    Add,
    AveragePool2D,
    Concatenation,
    Convolution,
    DepthToSpace,
    DepthwiseConv2D,
    Graph,
    GroupedConv2D,
    Int8Array,
    MaxPool2D,
    Mean,
    Op,
    Pick,
    Reshape,
    Softmax,
    SpaceToDepth,
    Window,
)

Float32Array = NDArray[np.float32]

_LOWEST = np.finfo(np.float32).min


@dataclass(frozen=True, eq=False)
class Kernel:
    """Real weights of one convolution: OHWI ([1, H, W, O] where depthwise), and [O] of bias."""

    weights: Float32Array
    bias: Float32Array


Kernels = Mapping[int, Kernel]
"""By the index of the weights in `Graph.tensors`."""


def stored_kernels(graph: Graph) -> dict[int, Kernel]:
    """Return the weights of a graph as reals, int8 times scale."""
    return {op.weights: stored_kernel(graph, op) for op in graph.ops if isinstance(op, Convolution)}


def stored_kernel(graph: Graph, op: Convolution) -> Kernel:
    """Return the weights of one convolution as reals."""
    weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
    assert weights.data is not None
    assert bias.data is not None
    scale = channel_scales(graph, op)
    real = weights.data.astype(np.float64)
    real = real * scale if isinstance(op, DepthwiseConv2D) else real * scale[:, None, None, None]
    steps = scale * graph.tensors[op.inputs[0]].scale
    return Kernel(real.astype(np.float32), (bias.data * steps).astype(np.float32))


def channel_scales(graph: Graph, op: Convolution) -> NDArray[np.float64]:
    """Return the weights' scale per output channel, float64 [O]."""
    scales = np.array(graph.tensors[op.weights].quantization.scale, np.float64)
    return np.broadcast_to(scales, graph.tensors[op.bias].shape)


def real_input(graph: Graph, images: Int8Array) -> Float32Array:
    """Return int8 images [n, H, W, C] as reals."""
    tensor = graph.tensors[graph.input]
    levels = images.reshape(-1, *tensor.hwc).astype(np.float32) - np.float32(tensor.zero_point)
    return levels * np.float32(tensor.scale)


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
        case Add():
            result = inputs[0] + inputs[1]
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


def forward(graph: Graph, kernels: Kernels, pixels: Any) -> dict[int, Any]:
    """Compute every activation of a batch, by tensor index."""
    values = {graph.input: pixels}
    for op in graph.ops:
        kernel = kernels[op.weights] if isinstance(op, Convolution) else None
        values[op.output] = apply(graph, op, [values[index] for index in op.inputs], kernel)
    return values


def scores_of(graph: Graph) -> int:
    """Return the tensor whose softmax is the model's answer: logits, or else its output."""
    return graph.output if graph.logits is None else graph.logits


def sharpness(graph: Graph) -> float:
    """Return what the scores are multiplied by in the model's softmax."""
    last = graph.ops[-1]
    return last.beta if isinstance(last, Softmax) else 1.0


def float_scores(
    graph: Graph, kernels: Kernels, images: Int8Array, batch: int = 16
) -> Float32Array:
    """Return what the float model gives before its softmax, float32 [n, K]."""
    wanted = scores_of(graph)
    parts = [
        forward(graph, kernels, real_input(graph, images[start : start + batch]))[wanted].numpy()
        for start in range(0, len(images), batch)
    ]
    rows = np.concatenate([part.reshape(len(part), -1) for part in parts])
    return (sharpness(graph) * rows).astype(np.float32)
