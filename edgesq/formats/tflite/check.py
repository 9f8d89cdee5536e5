"""Refuse a damaged .tflite before it can mislead a later stage.

A flatbuffer has no checksum: a flipped bit may give an index outside its list, a shape that fits no
operator, a scale that is not a number. What passes here is safe to plan, to generate and to run:
every window touches its image and no 32-bit sum can overflow.
"""

import math
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from edgesq.arithmetic import (
    SOFTMAX_DIFF_INTEGER_BITS,
    add_parameters,
    channel_sums,
    conv2d_multipliers,
    mean_parameters,
    mul_multiplier,
    rescale_is_exact,
)
from edgesq.graph import (
    Add,
    Binary,
    Concatenation,
    Conv2D,
    Convolution,
    DepthToSpace,
    DepthwiseConv2D,
    FullyConnected,
    Graph,
    GroupedConv2D,
    HardSwish,
    LeakyRelu,
    Lookup,
    Mean,
    Mul,
    Op,
    Pick,
    Reshape,
    Softmax,
    SpaceToDepth,
    Sub,
    Tensor,
    Window,
)
from edgesq.limits import (
    MAX_NODES,
    MAX_PRODUCTS,
    MAX_SIDE,
    MAX_VALUES,
    MAX_VALUES_TOGETHER,
)
from edgesq.lookup import hard_swish_fits

MAX_EXTENT = (1 << 16) - 1
"""Heights, widths, channels and strides are uint16 on the device."""

_MAX_PIXELS = 1 << 22
"""Of one activation: sums over an image, 255 at most each, stay in 31 bits."""

_MAX_PARTS = 10 * MAX_NODES
"""Of a file: tensors, buffers, operators and the like."""

_MAX_SOFTMAX = 4095
"""Sums of that many exponentials stay in Q12.19."""

_SCALES = (2.0**-64, 2.0**64)
_INT8_SPAN = 255
_SUM_LIMIT = (1 << 31) - _INT8_SPAN
"""A sum below it, requantized, takes a zero point without overflowing."""


def is_overgrown(model: Any, file_bytes: int) -> bool:
    """Say whether a flatbuffer's lists and texts are more than its bytes, or its parts too many.

    Parts may point at the same bytes: a small file can unpack to any size.

    Args:
        model: a packed Model.
        file_bytes: of the file.
    """
    graphs = [model.Subgraphs(number) for number in range(min(model.SubgraphsLength(), MAX_NODES))]
    counts = [
        *(model.SubgraphsLength(), model.BuffersLength(), model.OperatorCodesLength()),
        *(model.MetadataLength(), model.SignatureDefsLength(), model.MetadataBufferLength()),
        *(count for one in graphs for count in (one.TensorsLength(), one.OperatorsLength())),
    ]
    if sum(counts) > _MAX_PARTS:
        return True
    total = 0
    for graph in graphs:
        tensors = (graph.Tensors(number) for number in range(graph.TensorsLength()))
        total += sum(one.ShapeLength() + len(one.Name() or b"") for one in tensors)
        operators = (graph.Operators(number) for number in range(graph.OperatorsLength()))
        total += sum(one.InputsLength() + one.OutputsLength() for one in operators)
    return bool(total > file_bytes)


def structure_problem(model: Any) -> str | None:
    """Say what is wrong with the lists and indices of an unpacked flatbuffer, or None.

    Args:
        model: a ModelT; of its first subgraph, shapes and lists of indices become lists of int.
    """
    source = model.subgraphs[0]
    lists = (source.tensors, source.operators, model.operatorCodes, model.buffers)
    if source.inputs is None or source.outputs is None or any(part is None for part in lists):
        return "a list is missing"
    count = len(source.tensors)
    if any(not 0 <= index < count for index in (*source.inputs, *source.outputs)):
        return "an input or output is not in the list of tensors"
    for tensor in source.tensors:
        if not 0 <= tensor.buffer < len(model.buffers):
            return "a tensor's buffer is not in the list"
        if not _is_text(tensor.name):
            return "a tensor's name is not text"
        tensor.shape = listed(tensor.shape)
    for operator in source.operators:
        if not 0 <= operator.opcodeIndex < len(model.operatorCodes):
            return "an operator's code is not in the list"
        operator.inputs, operator.outputs = listed(operator.inputs), listed(operator.outputs)
        indices = [*operator.inputs, *operator.outputs]
        if any(not -1 <= index < count for index in indices):
            return "an operator's tensor is not in the list"
    return None


def _is_text(name: bytes | None) -> bool:
    """Say whether LiteRT, which decodes strictly, will take a name."""
    try:
        (name or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def listed(values: Iterable[int] | None) -> list[int]:
    """Return a vector of the file as list, empty where there is none."""
    return [] if values is None else [int(value) for value in values]


def operator_problem(
    kind: str, operator: Any, options: str | None, counts: Collection[int]
) -> str | None:
    """Say what is wrong with the parts of one operator, or None.

    Args:
        kind: its name.
        operator: an OperatorT.
        options: class of the options it must have; None where they are not read.
        counts: how many inputs it may have.
    """
    inputs, outputs = operator.inputs, operator.outputs
    if len(inputs) not in counts or len(outputs) != 1:
        return f"{kind} has {len(inputs)} inputs and {len(outputs)} outputs"
    if -1 in (*inputs[:2], *outputs):
        return f"{kind} lacks an input or output"
    if options is not None and type(operator.builtinOptions).__name__ != options:
        return f"{kind} has no options"
    return None


def graph_problem(graph: Graph) -> str | None:
    """Say why a graph cannot be run as it is, or None."""
    known = {graph.input}
    for op in graph.ops:
        if any(index not in known for index in op.inputs) or op.output in known:
            return f"{op.name}: tensors are not in the order in which they are computed"
        if any(graph.tensors[index].data is not None for index in (*op.inputs, op.output)):
            return f"{op.name}: a constant where an activation must be"
        known.add(op.output)
    if graph.output == graph.input or graph.output not in known:
        return "the output is not computed"
    values = sum(math.prod(graph.tensors[index].shape) for index in known)
    for count, most, what in (
        (values, MAX_VALUES_TOGETHER, "values of activations"),
        (graph.total_macs, MAX_PRODUCTS, "multiplications"),
    ):
        if count > most:
            return f"{count:,} {what}, at most {most:,} are taken"
    for op in graph.ops:
        problem = _shape_problem(graph, op) or _range_problem(graph, op)
        if problem:
            return f"{op.name}: {problem}"
    return None


def activation_problem(tensor: Tensor) -> str | None:
    """Say what is wrong with the size, scale or zero point of an activation, or None."""
    height, width, channels = tensor.hwc
    pixels = height * width
    too_large = max(height, width) > MAX_SIDE or channels > MAX_EXTENT
    if too_large or pixels > _MAX_PIXELS or pixels * channels > MAX_VALUES:
        return f"{tensor.name}: {height} x {width} x {channels} is more than the runtime takes"
    return scale_problem(tensor)


def scale_problem(tensor: Tensor) -> str | None:
    """Say what is wrong with the scale or zero point of a tensor that has one of each, or None."""
    low, high = _SCALES
    if len(tensor.quantization.scale) != 1 or not low <= tensor.scale <= high:
        return f"{tensor.name}: the scale is not one usable number"
    if not -128 <= tensor.zero_point <= 127:
        return f"{tensor.name}: zero point {tensor.zero_point} is not an int8"
    return None


def window_problem(window: Window, image: tuple[int, int], output: tuple[int, int]) -> str | None:
    """Say why windows of this kind do not make `output` (H, W) from `image` (H, W), or None."""
    for size, stride, pads, extent, count in (
        (window.height, window.stride_h, (window.pad_top, window.pad_bottom), image[0], output[0]),
        (window.width, window.stride_w, (window.pad_left, window.pad_right), image[1], output[1]),
    ):
        if not (0 < size <= MAX_EXTENT and 0 < stride <= MAX_EXTENT):
            return f"a window of {size} with stride {stride}"
        padded = extent + sum(pads)
        if padded < size or max(pads) >= size or count != (padded - size) // stride + 1:
            return (
                f"{count} windows of {size} with stride {stride} over {extent} and {pads} padding"
            )
    return None


def _shape_problem(graph: Graph, op: Op) -> str | None:
    shapes = [graph.tensors[index].hwc for index in op.inputs]
    height, width, channels = graph.tensors[op.output].hwc
    if isinstance(op, Concatenation):
        fits = {shape[:2] for shape in shapes} == {(height, width)}
        fits = fits and sum(shape[2] for shape in shapes) == channels
    elif isinstance(op, Conv2D | GroupedConv2D):
        fits = graph.tensors[op.weights].shape[0] == channels
    elif isinstance(op, DepthwiseConv2D):
        fits = graph.tensors[op.weights].shape[3] == channels
    elif isinstance(op, Mean):
        fits = shapes[0][2] == channels and (height, width) == (1, 1)
    elif isinstance(op, Binary):
        fits = all(shape in ((height, width, channels), (1, 1, channels)) for shape in shapes)
    elif isinstance(op, Lookup | Softmax):
        fits = all(shape == (height, width, channels) for shape in shapes)
    elif isinstance(op, Pick):
        fits = (len(op.rows), len(op.columns), len(op.channels)) == (height, width, channels)
    elif isinstance(op, SpaceToDepth):
        block = op.block
        fits = shapes[0] == (height * block, width * block, channels / (block * block))
    elif isinstance(op, DepthToSpace):
        block = op.block
        fits = (height, width, channels * block * block) == (
            shapes[0][0] * block,
            shapes[0][1] * block,
            shapes[0][2],
        )
    elif isinstance(op, Reshape):
        fits = math.prod(shapes[0]) == height * width * channels
    else:
        fits = shapes[0][2] == channels
    return None if fits else f"an output of {height} x {width} x {channels} does not follow"


def _range_problem(graph: Graph, op: Op) -> str | None:
    match op:
        case Conv2D() | DepthwiseConv2D() | GroupedConv2D():
            return _convolution_problem(graph, op)
        case Add() | Sub():
            # TensorFlow Lite itself takes no output scale so fine.
            fits = add_parameters(graph, op).output_shift <= 0
            return None if fits else f"the output's scale is too fine for {op.kind}"
        case Mul():
            _, shift = mul_multiplier(graph, op)
            fits = _INT8_SPAN**2 << max(shift, 0) < _SUM_LIMIT
            return None if fits else "the output's scale is too fine for MUL"
        case Lookup():
            return _table_problem(graph, op)
        case Mean():
            parameters = mean_parameters(graph, op)
            height, width, _ = graph.tensors[op.inputs[0]].hwc
            largest = _INT8_SPAN * height * width << max(parameters.shift, 0)
            return None if largest < _SUM_LIMIT else "the output's scale is too fine for MEAN"
        case Softmax():
            scaled = op.beta * graph.tensors[op.inputs[0]].scale
            usable = 2.0 ** (SOFTMAX_DIFF_INTEGER_BITS - 31) < scaled < math.inf
            if graph.tensors[op.output].hwc[2] > _MAX_SOFTMAX:
                return f"softmax over more than {_MAX_SOFTMAX} channels"
            return None if usable else "beta or the input's scale is not usable"
    return None


def _table_problem(graph: Graph, op: Lookup) -> str | None:
    alpha = op.alpha if isinstance(op, LeakyRelu) else 0.0
    if not 0 <= alpha < math.inf:
        return f"alpha {alpha} is not a usable slope"
    if isinstance(op, HardSwish) and not hard_swish_fits(graph, op):
        return "the output's scale is too fine or too coarse for HARD_SWISH"
    growth = graph.tensors[op.inputs[0]].scale / graph.tensors[op.output].scale
    fits = _INT8_SPAN * growth * max(alpha, 1) < _SUM_LIMIT / 2
    return None if fits else f"the output's scale is too fine for {op.kind}"


def _convolution_problem(graph: Graph, op: Convolution) -> str | None:
    weights, bias = graph.tensors[op.weights], graph.tensors[op.bias]
    axis = 3 if isinstance(op, DepthwiseConv2D) else 0
    channels = weights.shape[axis]
    if bias.data is None or bias.data.dtype != np.int32 or bias.shape != (channels,):
        return "the bias must be int32 constants, one per output channel"
    if weights.data is None or len(weights.quantization.scale) not in (1, channels):
        return "weights need one scale, or one per output channel"
    if weights.zero_point != 0 or not all(
        0 <= scale <= _SCALES[1] for scale in weights.quantization.scale
    ):
        return "the weights' scales or zero point are not usable"
    rows = np.moveaxis(weights.data, axis, 0).reshape(channels, -1)
    taps = np.abs(rows.astype(np.int64)).sum(axis=1)
    largest = taps * _INT8_SPAN + np.abs(bias.data.astype(np.int64))
    if isinstance(op, FullyConnected):
        sums = channel_sums(graph, op)
        fits = bool(np.all(largest < _SUM_LIMIT))
        fits = fits and rescale_is_exact(graph, op, sums.low, sums.high)
        return None if fits else "sums overflow 32 bits, or cannot be rescaled exactly"
    _, shifts = conv2d_multipliers(graph, op)
    # Shifts of more than 31 bits overflow whatever the sum.
    if np.any(np.ldexp(largest.astype(np.float64), np.maximum(shifts, 0)) >= _SUM_LIMIT):
        return "sums can overflow 32 bits"
    return None
