"""Every operator in float arithmetic, by TensorFlow, so that it can be differentiated.

Activations are [n, H, W, C] here, also where the graph has [1, C].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from edgesq.compress.float_curves import curve
from edgesq.errors import ModelError
from edgesq.graph import Graph
from edgesq.operators import (
    BETWEEN_STEPS,
    OUTSIDE,
    Add,
    AveragePool2D,
    Binary,
    Concatenation,
    Convolution,
    Curve,
    DepthToSpace,
    DepthwiseConv2D,
    HardSwish,
    Int16,
    LeakyRelu,
    Logistic,
    Maximum,
    MaxPool2D,
    Mean,
    MeanAlong,
    Minimum,
    Move,
    Mul,
    Op,
    Pick,
    Prelu,
    Quantize,
    Rectifier,
    ReduceMax,
    ReduceMin,
    Reduction,
    Reshape,
    ResizeBilinear,
    Softmax,
    SpaceToDepth,
    SquaredDifference,
    Stateful,
    Sub,
    Sum,
    Tanh,
    Transpose,
    TransposeConv,
    Window,
    handler,
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
    """
    import tensorflow as tf

    own = () if kernel is None else (kernel,)
    result = handler(OPERATORS, type(op))(graph, op, *inputs, *own)
    if isinstance(op, _STAYS_INSIDE):
        return result
    low, high = real_range(graph, op)
    return tf.clip_by_value(result, low, high)


def real_range(graph: Graph, op: Op) -> tuple[float, float]:
    """Return the reals that an operator's int8 output can show."""
    output = graph.tensors[op.output]
    low, high = getattr(op, "clamp", (-128, 127))
    return (low - output.zero_point) * output.scale, (high - output.zero_point) * output.scale


def _convolution(_: Graph, op: Convolution, pixels: Any, kernel: Kernel) -> Any:
    import tensorflow as tf

    taps = tf.transpose(kernel.weights, (1, 2, 3, 0))
    groups = pixels.shape[-1] // taps.shape[2]
    padded, strides = tf.pad(pixels, _padding(op.window)), _strides(op.window)
    sums = [
        tf.nn.conv2d(part, part_taps, strides, "VALID", dilations=_dilations(op.window))
        for part, part_taps in zip(
            tf.split(padded, groups, axis=3), tf.split(taps, groups, axis=3), strict=True
        )
    ]
    return tf.concat(sums, axis=3) + kernel.bias


def _depthwise(_: Graph, op: DepthwiseConv2D, pixels: Any, kernel: Kernel) -> Any:
    import tensorflow as tf

    shape = (op.window.height, op.window.width, pixels.shape[-1], -1)
    padded, taps = tf.pad(pixels, _padding(op.window)), tf.reshape(kernel.weights, shape)
    down, across = op.window.stride_h, op.window.stride_w
    if _dilations(op.window) == (1, 1):
        return tf.nn.depthwise_conv2d(padded, taps, (1, down, across, 1), "VALID") + kernel.bias
    sums = tf.nn.depthwise_conv2d(
        padded, taps, (1, 1, 1, 1), "VALID", dilations=_dilations(op.window)
    )
    return sums[:, ::down, ::across] + kernel.bias  # TensorFlow has no stride beside a dilation


def _transpose_conv(graph: Graph, op: TransposeConv, pixels: Any, kernel: Kernel) -> Any:
    import tensorflow as tf

    window, result = op.window, graph.tensors[op.output].hwc
    taps = tf.transpose(kernel.weights, (1, 2, 0, 3))
    tall = (pixels.shape[1] - 1) * window.stride_h + window.height
    wide = (pixels.shape[2] - 1) * window.stride_w + window.width
    shape = (tf.shape(pixels)[0], tall, wide, result[2])
    whole = tf.nn.conv2d_transpose(pixels, taps, shape, _strides(window), "VALID")
    top, left = window.pad_top, window.pad_left
    shown = whole[:, top : top + result[0], left : left + result[1]]
    missing = [[0, 0], [0, result[0] - shown.shape[1]], [0, result[1] - shown.shape[2]], [0, 0]]
    return tf.pad(shown, missing) + kernel.bias


def _dilations(window: Window) -> tuple[int, int]:
    return window.dilation_h, window.dilation_w


def _strides(window: Window) -> tuple[int, int, int, int]:
    return 1, window.stride_h, window.stride_w, 1


def _padding(window: Window) -> list[list[int]]:
    rows = [window.pad_top, window.pad_bottom]
    return [[0, 0], rows, [window.pad_left, window.pad_right], [0, 0]]


def _max_pool(_: Graph, op: MaxPool2D, pixels: Any) -> Any:
    import tensorflow as tf

    window = op.window
    padded = tf.pad(pixels, _padding(window), constant_values=_LOWEST)
    size, strides = (window.height, window.width), (window.stride_h, window.stride_w)
    return tf.nn.max_pool2d(padded, size, strides, "VALID")


def _average_pool(_: Graph, op: AveragePool2D, pixels: Any) -> Any:
    """Return the mean over the places of each window that are inside."""
    import tensorflow as tf

    window = op.window
    size, strides = (window.height, window.width), (window.stride_h, window.stride_w)
    inside = tf.pad(tf.ones_like(pixels[:1, :, :, :1]), _padding(window))
    share = tf.nn.avg_pool2d(inside, size, strides, "VALID")
    return tf.nn.avg_pool2d(tf.pad(pixels, _padding(window)), size, strides, "VALID") / share


def _mean(_: Graph, __: Mean, pixels: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(pixels, axis=(1, 2), keepdims=True)


def _along(function: str) -> Callable[..., Any]:
    def reduce(_: Graph, op: Reduction, pixels: Any) -> Any:
        import tensorflow as tf

        axes = [axis + 1 for axis in op.axes]
        return getattr(tf, function)(pixels, axis=axes, keepdims=True)

    return reduce


def _transpose(_: Graph, op: Transpose, pixels: Any) -> Any:
    import tensorflow as tf

    return tf.transpose(pixels, (0, *(axis + 1 for axis in op.order)))


def _operands(graph: Graph, op: Binary, inputs: Sequence[Any]) -> Iterator[Any]:
    """Yield both operands; constants come from the graph."""
    given = iter(inputs)
    for index in op.operands:
        tensor = graph.tensors[index]
        if tensor.data is None:
            yield next(given)
        else:
            levels = tensor.data.astype(np.float32) - np.float32(tensor.zero_point)
            yield levels * np.float32(tensor.scale)


def _add(graph: Graph, op: Add, *inputs: Any) -> Any:
    one, other = _operands(graph, op, inputs)
    return one + other


def _sub(graph: Graph, op: Sub, *inputs: Any) -> Any:
    one, other = _operands(graph, op, inputs)
    return one - other


def _mul(graph: Graph, op: Mul, *inputs: Any) -> Any:
    one, other = _operands(graph, op, inputs)
    return one * other


def _maximum(graph: Graph, op: Maximum, *inputs: Any) -> Any:
    import tensorflow as tf

    return tf.maximum(*_operands(graph, op, inputs))


def _minimum(graph: Graph, op: Minimum, *inputs: Any) -> Any:
    import tensorflow as tf

    return tf.minimum(*_operands(graph, op, inputs))


def _prelu(graph: Graph, op: Prelu, *inputs: Any) -> Any:
    import tensorflow as tf

    values, slopes = _operands(graph, op, inputs)
    return tf.where(values < 0, values * slopes, values)


def _squared_difference(graph: Graph, op: SquaredDifference, *inputs: Any) -> Any:
    one, other = _operands(graph, op, inputs)
    return (one - other) ** 2


def _same(_: Graph, __: Quantize | Rectifier, values: Any) -> Any:
    """Return what is only rescaled or cut, which the range does."""
    return values


def _leaky_relu(_: Graph, op: LeakyRelu, values: Any) -> Any:
    import tensorflow as tf

    return tf.nn.leaky_relu(values, op.alpha)


def _hard_swish(_: Graph, __: HardSwish, values: Any) -> Any:
    import tensorflow as tf

    return values * tf.nn.relu6(values + 3) / 6


def _logistic(_: Graph, __: Logistic, values: Any) -> Any:
    import tensorflow as tf

    return tf.sigmoid(values)


def _tanh(_: Graph, __: Tanh, values: Any) -> Any:
    import tensorflow as tf

    return tf.tanh(values)


def _softmax(_: Graph, op: Softmax, values: Any) -> Any:
    import tensorflow as tf

    return tf.nn.softmax(op.beta * values)


def _concatenation(_: Graph, op: Concatenation, *inputs: Any) -> Any:
    import tensorflow as tf

    return tf.concat(list(inputs), axis=op.axis + 1)


def _reshape(graph: Graph, op: Reshape, values: Any) -> Any:
    import tensorflow as tf

    return tf.reshape(values, (-1, *graph.tensors[op.output].hwc))


def _pick(graph: Graph, op: Pick, pixels: Any) -> Any:
    """Return picked rows, columns and channels, with `fill` for those outside."""
    import tensorflow as tf

    fill = real_range(graph, op)[0] + (op.fill + 128) * graph.tensors[op.output].scale
    for axis, indices in enumerate((op.rows, op.columns, op.channels), start=1):
        outside = np.array([index == OUTSIDE for index in indices])
        taken = tf.gather(pixels, np.maximum(indices, 0), axis=axis)
        shape = [1, 1, 1, 1]
        shape[axis] = len(indices)
        pixels = tf.where(outside.reshape(shape), np.float32(fill), taken)
    return pixels


def _resize_bilinear(_: Graph, op: ResizeBilinear, pixels: Any) -> Any:
    import tensorflow as tf

    for axis, places in enumerate((op.rows, op.columns), start=1):
        shape = [1, 1, 1, 1]
        shape[axis] = len(places)
        weight = np.array([place.weight for place in places], np.float32).reshape(shape)
        first = tf.gather(pixels, [place.first for place in places], axis=axis)
        last = tf.gather(pixels, [place.last for place in places], axis=axis)
        pixels = first + (last - first) * (weight / BETWEEN_STEPS)
    return pixels


def _space_to_depth(_: Graph, op: SpaceToDepth, pixels: Any) -> Any:
    import tensorflow as tf

    return pixels if op.block == 1 else tf.nn.space_to_depth(pixels, op.block)


def _depth_to_space(_: Graph, op: DepthToSpace, pixels: Any) -> Any:
    import tensorflow as tf

    return pixels if op.block == 1 else tf.nn.depth_to_space(pixels, op.block)


def _refuse(_: Graph, op: Op, *__: Any) -> NoReturn:
    raise ModelError(
        f"{op.kind} keeps state, through which nothing is differentiated",
        where=op.name,
        hint="export without --compress-to",
    )


OPERATORS: dict[type[Op], Callable[..., Any]] = {
    Add: _add,
    AveragePool2D: _average_pool,
    Concatenation: _concatenation,
    Convolution: _convolution,
    Curve: lambda _, op, values: curve(op, values),
    DepthToSpace: _depth_to_space,
    DepthwiseConv2D: _depthwise,
    HardSwish: _hard_swish,
    LeakyRelu: _leaky_relu,
    Logistic: _logistic,
    MaxPool2D: _max_pool,
    Maximum: _maximum,
    Mean: _mean,
    MeanAlong: _along("reduce_mean"),
    Minimum: _minimum,
    Mul: _mul,
    Pick: _pick,
    Prelu: _prelu,
    Quantize: _same,
    Rectifier: _same,
    ReduceMax: _along("reduce_max"),
    ReduceMin: _along("reduce_min"),
    Reshape: _reshape,
    ResizeBilinear: _resize_bilinear,
    Softmax: _softmax,
    SpaceToDepth: _space_to_depth,
    SquaredDifference: _squared_difference,
    Sub: _sub,
    Int16: _refuse,
    Stateful: _refuse,
    Sum: _along("reduce_sum"),
    Tanh: _tanh,
    Transpose: _transpose,
    TransposeConv: _transpose_conv,
}
"""By class: from graph, operator, its inputs and, of a convolution, its kernel to its result."""

_STAYS_INSIDE = (Concatenation, Move, Reshape, Softmax)
"""What gives nothing that its inputs, or probabilities, are not: not cut to any range."""
