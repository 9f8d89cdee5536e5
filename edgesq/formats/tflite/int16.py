"""Read operators of a .tflite whose activations are int16 and whose weights are int8 ("16x8")."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic16 import (
    MAX_PRODUCT_SUM,
    MAX_SUM,
    curve_input,
    product_of,
    sum_rescale,
    value_rescale,
)
from edgesq.errors import ModelError
from edgesq.formats.tflite import move, part, reduce, shape
from edgesq.formats.tflite.check import SCALES, SUM_LIMIT
from edgesq.formats.tflite.readable import Fits, Made, Ranges, hwc, keeps_channels, refuse_output
from edgesq.formats.tflite.reader import INT16, INT64, Reader, quantized_range
from edgesq.graph import MAX_INT16, Graph, Tensor
from edgesq.operators import (
    AddInt16,
    AveragePool2DInt16,
    Conv2DInt16,
    Convolution,
    DepthwiseConv2DInt16,
    FullyConnectedInt16,
    LogisticInt16,
    MaxPool2DInt16,
    Mean,
    MeanInt16,
    Op,
    Pick,
    QuantizeInt16,
    Relu6Int16,
    ReluInt16,
    RescaleInt16,
    SoftmaxInt16,
    SubInt16,
    TanhInt16,
    Window,
)
from edgesq.reductions import mean_parameters

Reads = dict[str, Callable[[Reader, Any], Made]]

_MAX_ADDED = 1 << 16
"""Most values of int16 whose sum fits int32."""

_MAX_TAPS = 256
"""Most products of int16 and int8 that are summed up in 32 bits. Mirror: ESQ_PRODUCTS_S16."""

_MAX_CHANNELS = 1 << 16
"""Most exponentials of Q0.15 whose sum fits int32."""


def _read_convolution(cls: type[Conv2DInt16 | DepthwiseConv2DInt16]) -> Callable[..., Op]:
    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        options, source = operator.builtinOptions, reader.tensor(operator.inputs[0])
        weights = _weights(reader, name, operator.inputs[1], 4)
        kernel, channels = reader.tensors[weights], reader.tensors[source].hwc[2]
        each = channels if cls is Conv2DInt16 else 1
        depth = kernel.shape[3] if cls is Conv2DInt16 else kernel.shape[0]
        if depth != each or (cls is not Conv2DInt16 and kernel.shape[3] % channels):
            raise reader.error(f"{name}: weights {list(kernel.shape)} of {channels} channels")
        window = reader.window(options, (kernel.shape[1], kernel.shape[2]), source, output)
        bias = _bias(reader, name, operator, kernel.shape[cls.channel_axis])
        clamp = reader.clamp(options.fusedActivationFunction, output)
        return cls(name, (source,), output, window, weights, bias, clamp)

    return read


def _read_fully_connected(reader: Reader, operator: Any) -> Op:
    name, output = reader.parts(operator)
    options, source = operator.builtinOptions, reader.tensor(operator.inputs[0])
    if options.weightsFormat != 0:
        raise reader.error(f"{name}: shuffled weights are not supported")
    stored = reader.tensors[_weights(reader, name, operator.inputs[1], 2)]
    height, width, channels = reader.tensors[source].hwc
    tall, wide = (1, 1) if options.keepNumDims else (height, width)
    count, depth = stored.shape
    if depth != tall * wide * channels:
        raise reader.error(f"{name}: weights for {depth} values of {tall * wide * channels}")
    assert stored.data is not None
    data = stored.data.reshape(count, tall, wide, channels)
    weights = reader.append(-1, Tensor(stored.name, data.shape, stored.quantization, data))
    window = Window(tall, wide, 1, 1, 0, 0, 0, 0)
    reader.refuse_window(window, source, output)
    bias = _bias(reader, name, operator, count)
    clamp = reader.clamp(options.fusedActivationFunction, output)
    return FullyConnectedInt16(name, (source,), output, window, weights, bias, clamp)


def _weights(reader: Reader, name: str, index: int, axes: int) -> int:
    found = reader.tensor(index)
    data = reader.tensors[found].data
    if data is None or data.dtype != np.int8 or data.ndim != axes:
        raise reader.error(f"{name}: weights must be int8 constants of {axes} axes")
    return found


def _bias(reader: Reader, name: str, operator: Any, channels: int) -> int:
    """Return the bias, int64; zeros where there is none.

    With a bias of int32 TensorFlow Lite sums up and rescales in 32 bits, which is another result.
    """
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        if reader.type(operator.inputs[2]) != INT64:
            raise reader.error(
                f"{name}: a bias of int16 activations that is not int64",
                "convert without another type for biases",
            )
        return reader.tensor(operator.inputs[2])
    zeros = np.zeros(channels, np.int64)
    quantization = reader.read(operator.inputs[1]).quantization
    return reader.append(-1, Tensor(f"{name}/bias", zeros.shape, quantization, zeros))


def _read_sum(cls: type[AddInt16]) -> Callable[[Reader, Any], Op]:
    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        if any(reader.data(index) is not None for index in operator.inputs):
            raise reader.error(f"{name}: {cls.kind} of int16 and a constant is not known")
        one, two = (reader.tensor(index) for index in operator.inputs)
        whole = reader.tensors[output].hwc
        if any(reader.tensors[index].hwc != whole for index in (one, two)):
            raise reader.error(f"{name}: {cls.kind} of int16 needs two maps of the same shape")
        if operator.builtinOptions.potScaleInt16 and all(
            np.frexp(reader.tensors[index].scale)[0] == 0.5 for index in (one, two, output)
        ):
            raise reader.error(f"{name}: {cls.kind} of int16 by scales that are powers of two")
        clamp = reader.clamp(operator.builtinOptions.fusedActivationFunction, output)
        return cls(name, (one, two), output, clamp)

    return read


def _read_pool(cls: type[MaxPool2DInt16 | AveragePool2DInt16]) -> Callable[[Reader, Any], Op]:
    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        options, source = operator.builtinOptions, reader.tensor(operator.inputs[0])
        reader.same_quantization(name, (source, output))
        size = (int(options.filterHeight), int(options.filterWidth))
        window = reader.window(options, size, source, output)
        clamp = reader.clamp(options.fusedActivationFunction, output)
        return cls(name, (source,), output, window, clamp)

    return read


def _read_mean(reader: Reader, operator: Any) -> Made:
    made = reduce.read_mean(reader, operator)
    mean, *rest = made if isinstance(made, tuple) else (made,)
    if not isinstance(mean, Mean):
        raise reader.error(f"{mean.name}: MEAN of int16 is known over height and width alone")
    return (MeanInt16(mean.name, mean.inputs, mean.output), *rest)


def _read_rescale(
    cls: type[RescaleInt16], low: float | None = None, high: float | None = None
) -> Callable[[Reader, Any], Op]:
    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        clamp = quantized_range(reader.tensors[output], low, high)
        return cls(name, (reader.tensor(operator.inputs[0]),), output, clamp)

    return read


def _read_curve(cls: type[LogisticInt16] | type[TanhInt16]) -> Callable[[Reader, Any], Op]:
    def read(reader: Reader, operator: Any) -> Op:
        name, output = reader.parts(operator)
        refuse_output(reader, name, cls, output)
        return cls(name, (reader.tensor(operator.inputs[0]),), output)

    return read


def _read_softmax(reader: Reader, operator: Any) -> Op:
    name, output = reader.parts(operator)
    refuse_output(reader, name, SoftmaxInt16, output)
    source = reader.tensor(operator.inputs[0])
    return SoftmaxInt16(name, (source,), output, float(operator.builtinOptions.beta))


READ: Reads = {
    "ADD": _read_sum(AddInt16),
    "AVERAGE_POOL_2D": _read_pool(AveragePool2DInt16),
    "CONCATENATION": shape.read_concatenation,
    "CONV_2D": _read_convolution(Conv2DInt16),
    "DEPTHWISE_CONV_2D": _read_convolution(DepthwiseConv2DInt16),
    "EXPAND_DIMS": shape.read_reshape,
    "FULLY_CONNECTED": _read_fully_connected,
    "LOGISTIC": _read_curve(LogisticInt16),
    "MAX_POOL_2D": _read_pool(MaxPool2DInt16),
    "MEAN": _read_mean,
    "PAD": move.read_pad,
    "QUANTIZE": _read_rescale(QuantizeInt16),
    "RELU": _read_rescale(ReluInt16, 0.0),
    "RELU6": _read_rescale(Relu6Int16, 0.0, 6.0),
    "RESHAPE": shape.read_reshape,
    "SLICE": move.read_slice,
    "SOFTMAX": _read_softmax,
    "SPLIT": part.read_split,
    "SQUEEZE": shape.read_reshape,
    "STRIDED_SLICE": move.read_strided_slice,
    "SUB": _read_sum(SubInt16),
    "TANH": _read_curve(TanhInt16),
}
"""By name: how an operator that makes int16 is read; shapes and options are as for int8."""


def is_int16(reader: Reader, operator: Any) -> bool:
    """Say whether an operator makes int16."""
    return any(index >= 0 and reader.type(index) == INT16 for index in operator.outputs)


def int16_problems(reader: Reader, operators: Sequence[tuple[str, Any]]) -> list[ModelError]:
    """Return an error for each kind of operator that is not known to compute in int16."""
    kinds = dict.fromkeys(
        kind for kind, one in operators if kind not in READ and is_int16(reader, one)
    )
    hint = "build the model without it, or convert it to int8"
    return [reader.error(f"{kind} of int16 is not known", hint) for kind in kinds]


def _fits(graph: Graph, op: Convolution) -> bool:
    channels = graph.tensors[op.output].hwc[2]
    return graph.tensors[op.weights].shape[op.channel_axis] == channels


def _same(graph: Graph, op: Op) -> bool:
    shapes, result = hwc(graph, op)
    return all(one == result for one in shapes)


def _weights_problem(graph: Graph, op: Convolution) -> str | None:
    weights, bias = graph.tensors[op.weights], graph.constant(op.bias)
    scales, count = weights.quantization.scale, weights.shape[op.channel_axis]
    if bias.shape != (count,) or bias.dtype != np.int64 or len(scales) not in (1, count):
        return "bias and scales must be one per output channel"
    if weights.zero_point != 0 or not all(0 <= scale <= SCALES[1] for scale in scales):
        return "the weights' scales or zero point are not usable"
    return None


def _largest_sums(graph: Graph, op: Convolution) -> NDArray[np.float64]:
    """Return a bound of each channel's sums whatever the input, [O]."""
    rows = np.moveaxis(graph.constant(op.weights), op.channel_axis, 0)
    largest = np.abs(rows.astype(np.int64)).sum(axis=tuple(range(1, 4))) * (MAX_INT16 + 1)
    return np.asarray(np.abs(graph.constant(op.bias).astype(np.float64)) + largest)


def _convolution_problem(graph: Graph, op: Convolution) -> str | None:
    problem = _weights_problem(graph, op)
    if problem:
        return problem
    largest = _largest_sums(graph, op)
    if np.any(largest >= MAX_SUM):
        return "sums can overflow 48 bits"
    by = sum_rescale(graph, op)
    if np.any((by.shift < 8) | (by.shift > 46)):
        return "the output's scale is too fine or too coarse for int16"
    levels = np.ldexp(largest * by.multiplier.astype(np.float64), -by.shift)
    return "the output's scale is too fine" if np.any(levels >= SUM_LIMIT) else None


def _depthwise_problem(graph: Graph, op: DepthwiseConv2DInt16) -> str | None:
    if op.window.width > _MAX_TAPS:
        return f"a depthwise window of int16 of more than {_MAX_TAPS} columns"
    return _convolution_problem(graph, op)


def _fully_connected_problem(graph: Graph, op: FullyConnectedInt16) -> str | None:
    problem = _weights_problem(graph, op)
    if problem:
        return problem
    if np.any(_largest_sums(graph, op) >= MAX_PRODUCT_SUM):
        return f"sums can overflow {MAX_PRODUCT_SUM.bit_length()} bits"
    exponent = product_of(graph, op).exponent
    fits = np.all((exponent > 30) & (exponent < 89))
    return None if fits else "the output's scale is too fine or too coarse for int16"


def _mean_problem(graph: Graph, op: MeanInt16) -> str | None:
    height, width, _ = graph.tensors[op.inputs[0]].hwc
    shift = mean_parameters(graph, op).shift
    fits = height * width < _MAX_ADDED >> max(shift, 0)
    return None if fits else "MEAN of int16 over so many values, or to so fine a scale"


def _average_problem(_: Graph, op: AveragePool2DInt16) -> str | None:
    fits = op.window.height * op.window.width < _MAX_ADDED
    return None if fits else "an average of int16 over so many values"


def _sum_problem(graph: Graph, op: AddInt16) -> str | None:
    first, second = (graph.tensors[index].scale for index in op.inputs)
    fits = graph.tensors[op.output].scale * (1 << 15) >= 2 * max(first, second)
    return None if fits else f"the output's scale is too fine for {op.kind}"


def _rescale_problem(graph: Graph, op: RescaleInt16) -> str | None:
    _, shift = value_rescale(graph, op)
    return None if shift < 15 else f"the output's scale is too fine for {op.kind}"


def _curve_problem(graph: Graph, op: LogisticInt16 | TanhInt16) -> str | None:
    fits = 0 < curve_input(graph, op).multiplier <= MAX_INT16
    return None if fits else f"the input's scale is not usable for {op.kind}"


def _softmax_problem(graph: Graph, op: SoftmaxInt16) -> str | None:
    if graph.tensors[op.output].hwc[2] >= _MAX_CHANNELS:
        return f"softmax over more than {_MAX_CHANNELS} channels"
    scaled = op.beta * graph.tensors[op.inputs[0]].scale
    return None if 2.0**-40 < scaled < 1 else "beta or the input's scale is not usable"


def _fill_problem(graph: Graph, op: Pick) -> str | None:
    is_wide = graph.tensors[op.output].value_bytes == 2
    return "PAD of int16 with other than 0" if is_wide and op.fill != 0 else None


FITS: Fits = {
    AddInt16: _same,
    AveragePool2DInt16: keeps_channels,
    Conv2DInt16: _fits,
    DepthwiseConv2DInt16: _fits,
    LogisticInt16: _same,
    MaxPool2DInt16: keeps_channels,
    RescaleInt16: _same,
    TanhInt16: _same,
}
RANGES: Ranges = {
    AddInt16: _sum_problem,
    AveragePool2DInt16: _average_problem,
    Conv2DInt16: _convolution_problem,
    DepthwiseConv2DInt16: _depthwise_problem,
    FullyConnectedInt16: _fully_connected_problem,
    LogisticInt16: _curve_problem,
    MeanInt16: _mean_problem,
    Pick: _fill_problem,
    RescaleInt16: _rescale_problem,
    SoftmaxInt16: _softmax_problem,
    TanhInt16: _curve_problem,
}
