"""Write an int8 network as .tflite, with exactly its scales, zero points, weights and biases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgesq.formats.tflite.writer import NONE, VALID
from edgesq.importers.layers import (
    NO_PADS,
    Activation,
    Affine,
    Binary,
    Blocks,
    Concat,
    Conv,
    Dense,
    Layer,
    Mean,
    Network,
    Pad,
    Pool,
    Requantize,
    Reshape,
    Resize,
    Slice,
    Softmax,
)
from edgesq.importers.net import Note, Quant
from edgesq.importers.quantized import INT8, PROBABILITY
from edgesq.importers.supported import refusal
from edgesq.importers.tflite_scope import TfliteScope, covers
from edgesq.importers.tflite_weights import write_conv, write_dense

_TANH = Quant(np.array([1 / 128], np.float32), np.array([0]), INT8)
_LOWEST = -128


def write_tflite(network: Network, where: str) -> tuple[bytes, tuple[Note, ...]]:
    """Return the .tflite and what had to be decided for it.

    Raises:
        ModelError: numbers or layers that a .tflite cannot hold; all are named.
    """
    scope = TfliteScope(network)
    for layer in network.layers:
        _RULES[type(layer)](scope, layer)
        scope.bounded(layer)
    if scope.problems:
        raise refusal(scope.problems, where)
    ends = (scope.index[network.input.name], scope.index[network.output.name])
    return scope.writer.build(*ends), tuple(scope.notes)


def _pool(scope: TfliteScope, layer: Pool) -> None:
    quant = scope.quant(layer.inputs[0])
    source, padding = scope.bordered(layer, layer.pads, layer.size, layer.strides)
    is_max = layer.function == "max"
    if padding == VALID and layer.pads != NO_PADS:
        if is_max and quant.zero_point[0] != _LOWEST:
            source = _lowest_border(scope, layer)
        elif not is_max:
            do = "pad as TensorFlow's SAME does, or count the border (count_include_pad)"
            scope.problems.append((f"AveragePool padded by {layer.pads}", layer.name, do))
    clips = layer.clip is not None and not covers(quant, layer.clip)
    scope.keep(
        layer,
        "MAX_POOL_2D" if is_max else "AVERAGE_POOL_2D",
        [source],
        quant,
        "Pool2DOptions",
        padding=padding,
        filterHeight=layer.size[0],
        filterWidth=layer.size[1],
        strideH=layer.strides[0],
        strideW=layer.strides[1],
        fusedActivationFunction=scope.fused(layer, layer.clip) if clips else NONE,
    )


def _lowest_border(scope: TfliteScope, layer: Pool) -> int:
    """Put the lowest value around a maximum's image, instead of the zero that was put there."""
    scope.writer.subgraph.operators.pop()
    padded = scope.border(layer, layer.pads)
    lowest = scope.writer.constant(
        np.full(1, _LOWEST, np.int8),
        [float(scope.quant(layer.inputs[0]).scale[0])],
        zero_point=int(scope.quant(layer.inputs[0]).zero_point[0]),
    )
    inputs = [scope.read(layer), scope.amounts(layer.pads, (0, 0)), lowest]
    return scope.writer.op("PADV2", inputs, padded, "PadV2Options")


def _mean(scope: TfliteScope, layer: Mean) -> None:
    axes = scope.numbers((1, 2))
    inputs = [scope.read(layer), axes]
    scope.writer.op("MEAN", inputs, scope.made(layer), "ReducerOptions", keepDims=True)


def _concat(scope: TfliteScope, layer: Concat) -> None:
    quant = scope.quant(layer.output)
    inputs = [scope.rescaled(layer, position, quant) for position in range(len(layer.inputs))]
    made = scope.made(layer)
    scope.writer.op("CONCATENATION", inputs, made, "ConcatenationOptions", axis=layer.axis)


def _binary(scope: TfliteScope, layer: Binary) -> None:
    inputs = [scope.read(layer, position) for position in range(len(layer.inputs))]
    if layer.constant is not None:
        constant = scope.operand(layer.constant, f"{layer.name}/constant")
        first = layer.swapped and layer.function == "sub"
        inputs = [constant, *inputs] if first else [*inputs, constant]
    scope.writer.op(
        layer.function.upper(),
        inputs,
        scope.made(layer),
        f"{layer.function.capitalize()}Options",
        fusedActivationFunction=scope.fused(layer, layer.clip),
    )


def _activation(scope: TfliteScope, layer: Activation) -> None:
    writer, source = scope.writer, scope.read(layer)
    match layer.function:
        case "clip":
            _clip(scope, layer)
        case "leaky_relu":
            made = scope.made(layer)
            writer.op("LEAKY_RELU", [source], made, "LeakyReluOptions", alpha=layer.alpha)
        case "hard_swish":
            writer.op("HARD_SWISH", [source], scope.made(layer), "HardSwishOptions")
        case "tanh":
            scope.keep(layer, "TANH", [source], _TANH, None)
        case "sigmoid":
            _probability(scope, layer, "LOGISTIC", None)
        case _:
            do = "leave it and its neighbours in float and let edgesq quantize the model"
            scope.problems.append((f"{layer.function} in int8", layer.name, do))


def _clip(scope: TfliteScope, layer: Activation) -> None:
    """Write a Relu of its own; where int8 ends there anyway, at most a change of scale is left."""
    bounds = (layer.alpha, layer.beta)
    kind = ("QUANTIZE", "RELU", "RELU_N1_TO_1", "RELU6")[scope.fused(layer, bounds)]
    if kind == "QUANTIZE":
        _requantize(scope, layer)
    else:
        scope.writer.op(kind, [scope.read(layer)], scope.made(layer), None)


def _requantize(scope: TfliteScope, layer: Layer) -> None:
    if scope.quant(layer.output).same(scope.quant(layer.inputs[0])):
        scope.index[layer.output] = scope.read(layer)
    else:
        scope.writer.op("QUANTIZE", [scope.read(layer)], scope.made(layer), "QuantizeOptions")


def _probability(
    scope: TfliteScope, layer: Layer, kind: str, options: str | None, **fields: float
) -> None:
    """Write what .tflite only has in steps of 1/256; as the model's output it stays so."""
    wanted = scope.quant(layer.output)
    if layer.output == scope.network.output.name and not wanted.same(PROBABILITY):
        step, point = float(wanted.scale[0]), int(wanted.zero_point[0])
        what = f"the output is in steps of 1/256 from -128, {kind}'s only ones, not of {step:.6g}"
        scope.notes.append((f"{what} from {point}", layer.name))
        made = scope.made(layer, PROBABILITY)
        scope.writer.op(kind, [scope.read(layer)], made, options, **fields)
        return
    scope.keep(layer, kind, [scope.read(layer)], PROBABILITY, options, **fields)


def _softmax(scope: TfliteScope, layer: Softmax) -> None:
    _probability(scope, layer, "SOFTMAX", "SoftmaxOptions", beta=1.0)


def _pad(scope: TfliteScope, layer: Pad) -> None:
    quant = scope.quant(layer.inputs[0])
    inputs = [scope.read(layer), scope.amounts(layer.pads, layer.channels)]
    if layer.value == 0:
        scope.keep(layer, "PAD", inputs, quant, "PadOptions")
        return
    scale, point = float(quant.scale[0]), int(quant.zero_point[0])
    level = int(np.clip(np.round(layer.value / scale) + point, -128, 127))
    filler = scope.writer.constant(np.full(1, level, np.int8), [scale], zero_point=point)
    scope.keep(layer, "PADV2", [*inputs, filler], quant, "PadV2Options")


def _resize(scope: TfliteScope, layer: Resize) -> None:
    size = scope.numbers(scope.network.shapes[layer.output][1:3])
    quant = scope.quant(layer.inputs[0])
    options = "ResizeNearestNeighborOptions"
    scope.keep(layer, "RESIZE_NEAREST_NEIGHBOR", [scope.read(layer), size], quant, options)


def _blocks(scope: TfliteScope, layer: Blocks) -> None:
    kind, options = "DEPTH_TO_SPACE", "DepthToSpaceOptions"
    if layer.to_depth:
        kind, options = "SPACE_TO_DEPTH", "SpaceToDepthOptions"
    quant = scope.quant(layer.inputs[0])
    scope.keep(layer, kind, [scope.read(layer)], quant, options, blockSize=layer.block)


def _slice(scope: TfliteScope, layer: Slice) -> None:
    ends = [scope.numbers(values) for values in (layer.begin, layer.end, layer.strides)]
    quant = scope.quant(layer.inputs[0])
    inputs = [scope.read(layer), *ends]
    scope.keep(layer, "STRIDED_SLICE", inputs, quant, "StridedSliceOptions")


def _reshape(scope: TfliteScope, layer: Reshape) -> None:
    shape = scope.network.shapes[layer.output]
    inputs = [scope.read(layer), scope.numbers(shape)]
    quant = scope.quant(layer.inputs[0])
    scope.keep(layer, "RESHAPE", inputs, quant, "ReshapeOptions", newShape=list(shape))


def _affine(scope: TfliteScope, layer: Affine) -> None:
    do = "fold batch normalizations before quantizing (quant_pre_process)"
    scope.problems.append(("BatchNormalization in int8", layer.name, do))
    scope.made(layer)


_RULES: dict[type[Layer], Callable[[TfliteScope, Any], None]] = {
    Activation: _activation,
    Affine: _affine,
    Binary: _binary,
    Blocks: _blocks,
    Concat: _concat,
    Conv: write_conv,
    Dense: write_dense,
    Mean: _mean,
    Pad: _pad,
    Pool: _pool,
    Requantize: _requantize,
    Reshape: _reshape,
    Resize: _resize,
    Slice: _slice,
    Softmax: _softmax,
}
