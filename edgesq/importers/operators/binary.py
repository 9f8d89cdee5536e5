"""Sums, differences and products, and batch normalizations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Clip, Layer
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.places import Stored
from edgesq.importers.quants import Array, Constant
from edgesq.importers.scopes import KerasScope, TfliteScope

_FUNCTIONS = {
    "Add": "add",
    "Div": "mul",
    "Max": "maximum",
    "Min": "minimum",
    "Mul": "mul",
    "Sub": "sub",
    "Sum": "add",
}
BROADCAST = "operands of one shape, a constant per channel, or one number are supported"


@dataclass(frozen=True, eq=False)
class Binary(Layer):
    """Sum, difference, product or extreme of two activations, or of one and a constant.

    Attributes:
        function: which.
        constant: [], [C] or [H, W, C], the second operand; None where there are two activations.
        swapped: the constant is the first operand.
    """

    kind: ClassVar[str] = "Binary"
    function: Literal["add", "sub", "mul", "maximum", "minimum"]
    constant: Constant | None = None
    swapped: bool = False
    clip: Clip | None = None


@dataclass(frozen=True, eq=False)
class Affine(Layer):
    """A batch normalization: scale [C] times the input, plus offset [C]."""

    kind: ClassVar[str] = "Affine"
    scale: Array
    offset: Array


def _binary(lowering: Lowering, node: Node) -> None:
    if len(node.inputs) != 2:
        of_two_each(lowering, node)
        return
    constants = [lowering.constant(node, position) for position in (0, 1)]
    if constants == [None, None]:
        _two(lowering, node)
        return
    at = 0 if constants[0] is not None else 1
    constant = constants[at]
    if constant is None or (node.kind == "Div" and (at == 0 or constant.quant is not None)):
        raise UnsupportedError(f"{node.kind} of a constant", "compute it beforehand")
    stored = lowering.source(node, 1 - at)
    if lowering.net.shapes[node.output] != stored.place.shape:
        raise UnsupportedError(f"{node.kind} that widens an activation", BROADCAST)
    values = 1 / constant.values if node.kind == "Div" else constant.values
    quant = constant.quant
    if quant is not None and len(quant.scale) > 1:
        values, quant = constant.real(), None
    stored, operand = _operand(lowering, node, stored, values)
    own = Constant(operand, quant)
    function: Any = _FUNCTIONS[node.kind]
    swapped = at == 0
    layer = Binary(node.name, (stored.name,), node.output, function, own, swapped, node.clip)
    lowering.emit(layer, stored.place, stored.shape)


def _operand(lowering: Lowering, node: Node, stored: Stored, values: Array) -> tuple[Stored, Array]:
    """Return a constant as [] or [C] of the stored tensor, or as [H, W, C] of a map's pixels."""
    if stored.place.ndim < 4 or len(stored.shape) < 4:
        stored, (operand,) = per_channel(lowering, node, stored, values)
        return stored, operand
    order = np.argsort(stored.place.reshape(-1))
    whole = np.broadcast_to(values, stored.place.shape).reshape(-1)[order]
    whole = whole.reshape(stored.shape[1:])
    for axis in (0, 1):
        first = whole.take([0], axis)
        whole = first if (whole == first).all() else whole
    if whole.shape[:2] == (1, 1):
        return stored, values.reshape(()) if values.size == 1 else whole[0, 0]
    return stored, whole


def of_two_each(lowering: Lowering, node: Node) -> None:
    """Make an operator on many values of operators on two.

    Raises:
        UnsupportedError: an int8 sum, whose parts have no scales.
    """
    net = lowering.net
    if len(node.inputs) == 1:
        stored = lowering.source(node)
        lowering.put(node.output, stored)
        return
    if len(node.inputs) > 2 and net.quants and node.kind == "Sum":
        raise UnsupportedError(f"Sum of {len(node.inputs)} int8 values", "add two at a time")
    so_far = node.inputs[0]
    for number, other in enumerate(node.inputs[1:], start=2):
        is_last = number == len(node.inputs)
        output = node.output if is_last else f"{node.output}/{number}"
        name = node.name if is_last else f"{node.name}_{number}"
        if not is_last:
            shapes = [
                net.constants[one].values.shape if one in net.constants else net.shapes[one]
                for one in (so_far, other)
            ]
            net.shapes[output] = np.broadcast_shapes(*shapes)
            if node.output in lowering.quants:
                lowering.quants[output] = lowering.quants[node.output]
        _binary(lowering, replace(node, name=name, inputs=(so_far, other), output=output))
        so_far = output


def _mean_of(lowering: Lowering, node: Node) -> None:
    """Make a sum, and a product with one over how many there are."""
    net = lowering.net
    if net.quants:
        raise UnsupportedError("Mean of int8 values", "add them, and multiply by a constant")
    total, share = f"{node.output}/sum", f"{node.output}/share"
    net.shapes[total] = net.shapes[node.output]
    net.constants[share] = Constant(np.array(1 / len(node.inputs), np.float32), None)
    of_two_each(lowering, replace(node, kind="Sum", name=f"{node.name}_sum", output=total))
    _binary(lowering, replace(node, kind="Mul", inputs=(total, share)))


def per_channel(
    lowering: Lowering, node: Node, stored: Stored, *constants: Array
) -> tuple[Stored, list[Array]]:
    """Return constants as [] or [C] of the stored tensor, which is reshaped to a row if needed.

    Raises:
        UnsupportedError: one differs from pixel to pixel of a map.
    """
    shape = stored.place.shape
    full = [np.broadcast_to(values, shape).reshape(-1) for values in constants]
    order = np.argsort(stored.place.reshape(-1))
    rows = [values[order].reshape(-1, stored.shape[-1]) for values in full]
    if all((row == row[0]).all() for row in rows):
        small = [
            values.reshape(()) if values.size == 1 else row[0]
            for values, row in zip(constants, rows, strict=True)
        ]
        return stored, small
    if stored.place.size not in shape:
        raise UnsupportedError(f"{node.kind} by a constant map", BROADCAST)
    row = lowering.reshaped(node, stored, (1, stored.place.size))
    return row, [values[order] for values in full]


def _two(lowering: Lowering, node: Node) -> None:
    """Make the layer of an operator on two activations, one of which may be one pixel."""
    one, two = lowering.source(node, 0), lowering.source(node, 1)
    function: Any = _FUNCTIONS[node.kind]
    if node.kind == "Div":
        raise UnsupportedError("Div by an activation", "multiply by a constant")
    names = (one.name, two.name)
    place, shape = one.place, one.shape
    if one.shape != two.shape or not np.array_equal(one.place, two.place):
        larger = 0 if one.place.size >= two.place.size else 1
        first, axes = lowering.map(node, larger)
        second, other = lowering.map(node, 1 - larger, axes)
        if axes != other or any(
            mine not in (theirs, 1) for mine, theirs in zip(second.shape, first.shape, strict=True)
        ):
            raise UnsupportedError(f"{node.kind} of two layouts or sizes", BROADCAST)
        names = (first.name, second.name) if larger == 0 else (second.name, first.name)
        place, shape = first.place, first.shape
    layer = Binary(node.name, names, node.output, function, clip=node.clip)
    lowering.emit(layer, place, shape)


def _batch_norm(lowering: Lowering, node: Node) -> None:
    gamma, beta, mean, variance = (
        lowering.needs_constant(node, position).real().astype(np.float64)
        for position in range(1, 5)
    )
    stored = lowering.source(node)
    scale = gamma / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    shape = [1, -1, *[1] * (stored.place.ndim - 2)]
    sides = [values.astype(np.float32).reshape(shape) for values in (scale, beta - mean * scale)]
    stored, placed = per_channel(lowering, node, stored, *sides)
    factors, offsets = (np.broadcast_to(values, stored.shape[-1:]) for values in placed)
    layer = Affine(node.name, (stored.name,), node.output, factors, offsets)
    lowering.emit(layer, stored.place, stored.shape)


def _to_keras(scope: KerasScope, layer: Binary) -> Any:
    import keras

    values = [scope.read(layer, position) for position in range(len(layer.inputs))]
    if isinstance(layer.constant, Constant):
        constant = layer.constant.real().astype(np.float32)
        values = [constant, *values] if layer.swapped else [*values, constant]
    ops = keras.ops
    names = {"sub": "subtract", "mul": "multiply"}
    function = getattr(ops, names.get(layer.function, layer.function))
    return function(*values)


def _affine_to_keras(scope: KerasScope, layer: Affine) -> Any:
    import keras

    made = keras.layers.BatchNormalization(epsilon=0.0, name=layer.name)
    channels = len(layer.scale)
    scope.weights[layer.name] = [
        layer.scale,
        layer.offset,
        np.zeros(channels, np.float32),
        np.ones(channels, np.float32),
    ]
    return made(scope.read(layer))


def _write(scope: TfliteScope, layer: Binary) -> None:
    if layer.function in ("maximum", "minimum"):
        _write_extreme(scope, layer)
        return
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


def _write_extreme(scope: TfliteScope, layer: Binary) -> None:
    """Write a MAXIMUM or MINIMUM, whose operands have the output's scale."""
    quant = scope.quant(layer.output)
    inputs = [scope.rescaled(layer, position, quant) for position in range(len(layer.inputs))]
    if layer.constant is not None:
        scale, point = float(quant.scale[0]), int(quant.zero_point[0])
        levels = np.round(layer.constant.real() / scale) + point
        values = np.clip(levels, -128, 127).astype(np.int8)
        label = f"{layer.name}/constant"
        inputs.append(scope.writer.constant(values, [scale], zero_point=point, name=label))
    scope.writer.op(layer.function.upper(), inputs, scope.made(layer), None)


def _write_affine(scope: TfliteScope, layer: Affine) -> None:
    do = "fold batch normalizations before quantizing (quant_pre_process)"
    scope.problems.append(("BatchNormalization in int8", layer.name, do))
    scope.made(layer)


ONNX: OnnxOperators = {
    "Add": Taken(_binary, takes_clip=True),
    "BatchNormalization": Taken(_batch_norm),
    "Div": Taken(_binary),
    "Mean": Taken(_mean_of),
    "Mul": Taken(_binary, takes_clip=True),
    "Sub": Taken(_binary, takes_clip=True),
    "Sum": Taken(_binary),
}
KERAS: KerasMakers = {Affine: _affine_to_keras, Binary: _to_keras}
TFLITE: TfliteWriters = {Affine: _write_affine, Binary: _write}
