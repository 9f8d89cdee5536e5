"""Read the operators of a .tflite that have weights."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from edgesq.arithmetic import Int64Array, channel_sums, conv2d_multipliers, rescale_is_exact
from edgesq.formats.tflite.check import INT8_SPAN, SCALES, SUM_LIMIT
from edgesq.formats.tflite.readable import (
    Advice,
    Fits,
    Ranges,
    Readable,
    Readables,
    Shape,
    constants,
    four,
    windows_shape,
)
from edgesq.formats.tflite.reader import Reader
from edgesq.formats.tflite.weights import as_multiplied, narrow, read_weights
from edgesq.graph import Graph, Tensor
from edgesq.operators import (
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    FullyConnected,
    GroupedConv2D,
    Op,
    TransposeConv,
    Window,
)

_WEIGHTS = (np.int8, np.int16)
"""As stored, and as uint8 less its zero point."""

_MAX_STRIDE = 16
"""Of a TRANSPOSE_CONV: so many plain convolutions make a row."""


def read_conv2d(reader: Reader, operator: Any) -> Op:
    """Read a CONV_2D; one whose groups are single channels is a depthwise convolution.

    Raises:
        ModelError: it is damaged, or its groups do not fit its shapes.
    """
    name, output = reader.parts(operator)
    options = operator.builtinOptions
    source = reader.tensor(operator.inputs[0])
    kernel = _constant(reader, name, operator, "[O, H, W, I]")
    channels = reader.tensors[source].hwc[2]
    if channels % kernel.shape[3] or kernel.shape[0] % (channels // kernel.shape[3]):
        raise reader.error(
            f"{name}: {kernel.shape[0]} channels of {kernel.shape[3]} each do not share {channels}"
        )
    bias = _bias(reader, name, operator, kernel.shape[0])
    window = reader.window(options, (kernel.shape[1], kernel.shape[2]), source, output)
    clamp = reader.clamp(options.fusedActivationFunction, output)
    assert kernel.data is not None
    if kernel.shape[3] == channels or kernel.shape[3] > 1:
        cls = Conv2D if kernel.shape[3] == channels else GroupedConv2D
        weights, more = narrow(reader, kernel, 0)
        return cls(name, (source,), output, window, weights, bias, clamp, **more)
    own = replace(kernel, data=np.ascontiguousarray(kernel.data.transpose(3, 1, 2, 0), np.int16))
    weights, more = narrow(reader, own, 3)
    return DepthwiseConv2D(name, (source,), output, window, weights, bias, clamp, **more)


def read_depthwise_conv2d(reader: Reader, operator: Any) -> Op:
    """Read a DEPTHWISE_CONV_2D.

    Raises:
        ModelError: it is damaged, or its depth multiplier does not fit its shapes.
    """
    name, output = reader.parts(operator)
    options = operator.builtinOptions
    source = reader.tensor(operator.inputs[0])
    kernel = _constant(reader, name, operator, "[1, H, W, O]")
    channels = reader.tensors[source].hwc[2]
    if kernel.shape[0] != 1 or kernel.shape[3] != channels * options.depthMultiplier:
        raise reader.error(
            f"{name}: weights {kernel.shape} do not make {options.depthMultiplier} channels of "
            f"each of {channels}"
        )
    bias = _bias(reader, name, operator, kernel.shape[3])
    window = reader.window(options, (kernel.shape[1], kernel.shape[2]), source, output)
    clamp = reader.clamp(options.fusedActivationFunction, output)
    weights, more = narrow(reader, kernel, 3)
    return DepthwiseConv2D(name, (source,), output, window, weights, bias, clamp, **more)


def read_fully_connected(reader: Reader, operator: Any) -> Op:
    """Read a FULLY_CONNECTED as a convolution over the whole image, or of each pixel.

    Raises:
        ModelError: it is damaged, its weights are shuffled, or it makes more than one row of
            another shape.
    """
    name, output = reader.parts(operator)
    options = operator.builtinOptions
    if options.weightsFormat != 0:
        raise reader.error(f"{name}: shuffled weights are not supported")
    source = reader.tensor(operator.inputs[0])
    matrix = read_weights(reader, operator.inputs[1])
    height, width, channels = reader.tensors[source].hwc
    tall, wide = (1, 1) if options.keepNumDims else (height, width)
    if matrix.data is None or matrix.data.dtype not in _WEIGHTS or matrix.data.ndim != 2:
        raise reader.error(f"{name}: weights must be int8 constants [O, I]")
    if matrix.shape[1] != tall * wide * channels:
        raise reader.error(
            f"{name}: weights for {matrix.shape[1]} values, {tall * wide * channels} are there"
        )
    shape = (matrix.shape[0], tall, wide, channels)
    weights, more = narrow(reader, replace(matrix, data=matrix.data.reshape(shape)), 0)
    bias = _bias(reader, name, operator, matrix.shape[0])
    window = Window(tall, wide, 1, 1, 0, 0, 0, 0)
    reader.refuse_window(window, source, output)
    clamp = reader.clamp(options.fusedActivationFunction, output)
    return FullyConnected(name, (source,), output, window, weights, bias, clamp, **more)


def read_transpose_conv(reader: Reader, operator: Any) -> Op:
    """Read a TRANSPOSE_CONV, whose paddings are those of the convolution the other way.

    Raises:
        ModelError: it is damaged, its strides are too large, or that convolution would not make its
            input of its output.
    """
    name, output = reader.parts(operator)
    options = operator.builtinOptions
    source, weights = reader.tensor(operator.inputs[2]), reader.tensor(operator.inputs[1])
    kernel = reader.tensors[weights]
    if kernel.data is None or kernel.data.dtype != np.int8 or kernel.data.ndim != 4:
        raise reader.error(f"{name}: weights must be int8 constants [O, H, W, I]")
    if kernel.shape[3] != reader.tensors[source].hwc[2]:
        raise reader.error(f"{name}: weights {kernel.shape} of {reader.tensors[source].hwc}")
    if max(options.strideH, options.strideW) > _MAX_STRIDE:
        raise reader.error(
            f"{name}: TRANSPOSE_CONV with strides {options.strideH} x {options.strideW}",
            f"use strides of at most {_MAX_STRIDE}",
        )
    bias = _bias(reader, name, operator, kernel.shape[0], position=3)
    window = reader.window(options, (kernel.shape[1], kernel.shape[2]), output, source)
    clamp = reader.clamp(options.fusedActivationFunction, output)
    return TransposeConv(name, (source,), output, window, weights, bias, clamp)


def _constant(reader: Reader, name: str, operator: Any, layout: str) -> Tensor:
    kernel = as_multiplied(reader, operator, read_weights(reader, operator.inputs[1]))
    if kernel.data is None or kernel.data.dtype not in _WEIGHTS or kernel.data.ndim != 4:
        raise reader.error(f"{name}: weights must be int8 constants {layout}")
    return kernel


def _bias(reader: Reader, name: str, operator: Any, channels: int, position: int = 2) -> int:
    """Return the bias, zeros where there is none."""
    if len(operator.inputs) > position and operator.inputs[position] >= 0:
        return reader.tensor(operator.inputs[position])
    zeros = np.zeros(channels, np.int32)
    quantization = reader.read(operator.inputs[1]).quantization
    return reader.append(-1, Tensor(f"{name}/bias", zeros.shape, quantization, zeros))


def _shape(reader: Reader, operator: Any, channels: int) -> Shape:
    """Return the output's shape, whose channels are axis `channels` of the weights."""
    kernel = four(reader.shape(operator.inputs[1]))
    return windows_shape(reader, operator, kernel[1:3], kernel[channels])


def _transpose_shape(reader: Reader, operator: Any) -> Shape:
    batch, *_ = four(reader.shape(operator.inputs[2]))
    channels = four(reader.shape(operator.inputs[1]))[0]
    wanted = four(tuple(constants(reader, operator.inputs[0])))
    if (wanted[0], wanted[3]) != (batch, channels):
        raise ValueError(f"{list(wanted)} of {batch} images and {channels} channels")
    return wanted


def _fully_connected_shape(reader: Reader, operator: Any) -> Shape:
    shape = reader.shape(operator.inputs[0])
    outputs, depth = reader.shape(operator.inputs[1])
    if operator.builtinOptions.keepNumDims:
        return (*shape[:-1], outputs)
    return math.prod(shape) // depth, outputs


def _weights_problem(graph: Graph, op: Convolution) -> str | None:
    weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
    channels = weights.shape[op.channel_axis]
    if bias.data is None or bias.data.dtype != np.int32 or bias.shape != (channels,):
        return "the bias must be int32 constants, one per output channel"
    if weights.data is None or len(weights.quantization.scale) not in (1, channels):
        return "weights need one scale, or one per output channel"
    if weights.zero_point != 0 or not all(
        0 <= scale <= SCALES[1] for scale in weights.quantization.scale
    ):
        return "the weights' scales or zero point are not usable"
    return None


def _largest_sums(graph: Graph, op: Convolution) -> Int64Array:
    """Return a bound of each channel's sums whatever the input, int64 [O]."""
    weights, bias = graph.exact_weights(op), graph.constant(op.bias)
    rows = np.moveaxis(weights, op.channel_axis, 0).reshape(len(bias), -1)
    taps = np.abs(rows.astype(np.int64)).sum(axis=1)
    return np.asarray(taps * INT8_SPAN + np.abs(bias.astype(np.int64)), np.int64)


def _convolution_problem(graph: Graph, op: Convolution) -> str | None:
    problem = _weights_problem(graph, op)
    if problem:
        return problem
    _, shifts = conv2d_multipliers(graph, op)
    # Shifts of more than 31 bits overflow whatever the sum.
    widened = np.ldexp(_largest_sums(graph, op).astype(np.float64), np.maximum(shifts, 0))
    return "sums can overflow 32 bits" if np.any(widened >= SUM_LIMIT) else None


def _fully_connected_problem(graph: Graph, op: FullyConnected) -> str | None:
    problem = _weights_problem(graph, op)
    if problem:
        return problem
    sums = channel_sums(graph, op)
    fits = bool(np.all(_largest_sums(graph, op) < SUM_LIMIT))
    fits = fits and rescale_is_exact(graph, op, sums.low, sums.high)
    return None if fits else "sums overflow 32 bits, or cannot be rescaled exactly"


def _fits(graph: Graph, op: Convolution) -> bool:
    channels = graph.tensors[op.output].hwc[2]
    return graph.tensors[op.weights].shape[op.channel_axis] == channels


READABLES: Readables = {
    "CONV_2D": Readable(
        read_conv2d, lambda reader, one: _shape(reader, one, 0), (2, 3), "Conv2DOptionsT", version=3
    ),
    "DEPTHWISE_CONV_2D": Readable(
        read_depthwise_conv2d,
        lambda reader, one: _shape(reader, one, 3),
        (2, 3),
        "DepthwiseConv2DOptionsT",
        version=3,
    ),
    "FULLY_CONNECTED": Readable(
        read_fully_connected, _fully_connected_shape, (2, 3), "FullyConnectedOptionsT", version=5
    ),
    "TRANSPOSE_CONV": Readable(
        read_transpose_conv, _transpose_shape, (3, 4), "TransposeConvOptionsT"
    ),
}
FITS: Fits = {Convolution: _fits}
RANGES: Ranges = {Convolution: _convolution_problem, FullyConnected: _fully_connected_problem}
ADVICE: Advice = {}
