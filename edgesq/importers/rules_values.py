"""ONNX's operators on values: sums and products, activations, concatenation, softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgesq.importers.fusing import clip_range
from edgesq.importers.layers import Activation, Affine, Binary, Concat, Requantize, Softmax
from edgesq.importers.lowering import Lowering, Rule, UnsupportedError
from edgesq.importers.net import Array, Constant, Node
from edgesq.importers.places import Axes, Stored

_FUNCTIONS = {"Add": "add", "Div": "mul", "Mul": "mul", "Sub": "sub", "Sum": "add"}
_BROADCAST = "operands of one shape, a constant per channel, or one number are supported"


def _binary(lowering: Lowering, node: Node) -> None:
    if len(node.inputs) != 2:
        raise UnsupportedError(f"{node.kind} of {len(node.inputs)} values", "add two at a time")
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
        raise UnsupportedError(f"{node.kind} that widens an activation", _BROADCAST)
    values = 1 / constant.values if node.kind == "Div" else constant.values
    quant = constant.quant
    if quant is not None and len(quant.scale) > 1:
        values, quant = constant.real(), None
    stored, (operand,) = _per_channel(lowering, node, stored, values)
    own = Constant(operand, quant)
    function: Any = _FUNCTIONS[node.kind]
    swapped = at == 0
    layer = Binary(node.name, (stored.name,), node.output, function, own, swapped, node.clip)
    lowering.emit(layer, stored.place, stored.shape)


def _per_channel(
    lowering: Lowering, node: Node, stored: Stored, *constants: Array
) -> tuple[Stored, list[Array]]:
    """Return constants as [] or as [C] of the stored tensor, which may become one row for it.

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
        raise UnsupportedError(f"{node.kind} by a constant map", _BROADCAST)
    row = lowering.reshaped(node, stored, (1, stored.place.size))
    return row, [values[order] for values in full]


def _two(lowering: Lowering, node: Node) -> None:
    """Take an operator on two activations, the second of which may be one pixel."""
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
            raise UnsupportedError(f"{node.kind} of two layouts or sizes", _BROADCAST)
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
    stored, placed = _per_channel(lowering, node, stored, *sides)
    factors, offsets = (np.broadcast_to(values, stored.shape[-1:]) for values in placed)
    layer = Affine(node.name, (stored.name,), node.output, factors, offsets)
    lowering.emit(layer, stored.place, stored.shape)


def _bound(lowering: Lowering, node: Node) -> None:
    """Take Max or Min of an activation and constants of one number each as a Clip."""
    constants = [name for name in node.inputs if name in lowering.net.constants]
    values = [lowering.net.constants[name].real() for name in constants]
    others = [place for place, name in enumerate(node.inputs) if name not in constants]
    if len(others) != 1 or any(value.min() != value.max() for value in values):
        raise UnsupportedError(f"{node.kind} of several activations", "bound one by one number")
    stored = lowering.source(node, others[0])
    if lowering.net.shapes[node.output] != stored.place.shape:
        raise UnsupportedError(f"{node.kind} that widens an activation", _BROADCAST)
    ends = [float(value.reshape(-1)[0]) for value in values]
    low, high = (max(ends), np.inf) if node.kind == "Max" else (-np.inf, min(ends))
    layer = Activation(node.name, (stored.name,), node.output, "clip", low, high)
    lowering.emit(layer, stored.place, stored.shape)


def _slope(lowering: Lowering, node: Node) -> None:
    """Take a PRelu whose slopes are all the same as a LeakyRelu."""
    slopes = lowering.needs_constant(node, 1).real()
    stored = lowering.source(node)
    if slopes.min() != slopes.max():
        raise UnsupportedError("PRelu of several slopes", "use one slope for all channels")
    alpha = float(slopes.reshape(-1)[0])
    layer = Activation(node.name, (stored.name,), node.output, "leaky_relu", alpha)
    lowering.emit(layer, stored.place, stored.shape)


def _activation(lowering: Lowering, node: Node) -> None:
    stored = lowering.source(node)
    alpha = beta = 0.0
    function: Any
    if node.kind in ("Relu", "Clip"):
        for position in range(1, len(node.inputs)):
            lowering.optional_constant(node, position)
        function, (alpha, beta) = "clip", clip_range(lowering.net, node)
        if not alpha <= beta:
            raise UnsupportedError(f"{node.kind} from {alpha:g} to {beta:g}", "order its bounds")
    else:
        usual = {"LeakyRelu": (0.01, 0.0), "HardSigmoid": (0.2, 0.5)}.get(node.kind, (0.0, 0.0))
        alpha = float(node.attributes.get("alpha", usual[0]))
        beta = float(node.attributes.get("beta", usual[1]))
        function = {
            "HardSigmoid": "hard_sigmoid",
            "HardSwish": "hard_swish",
            "LeakyRelu": "leaky_relu",
            "Sigmoid": "sigmoid",
            "Tanh": "tanh",
        }[node.kind]
    layer = Activation(node.name, (stored.name,), node.output, function, alpha, beta)
    lowering.emit(layer, stored.place, stored.shape)


def _requantize(lowering: Lowering, node: Node) -> None:
    stored = lowering.source(node)
    layer = Requantize(node.name, (stored.name,), node.output)
    lowering.emit(layer, stored.place, stored.shape)


def _concat(lowering: Lowering, node: Node) -> None:
    count = len(node.inputs)
    rank = lowering.source(node).place.ndim
    axis = int(node.attributes["axis"]) % rank
    if rank == 4:
        maps = [lowering.map(node, position) for position in range(count)]
        axes: Axes = maps[0][1]
        if any(other != axes for _, other in maps):
            raise UnsupportedError("Concat of two layouts", "transpose neither")
        sources, along = [stored for stored, _ in maps], axes[axis]
        extents = list(sources[0].shape)
        extents[along] = sum(stored.shape[along] for stored in sources)
        names = tuple(stored.name for stored in sources)
        lowering.emit_map(Concat(node.name, names, node.output, along), tuple(extents), axes)
        return
    rows = [lowering.source(node, position) for position in range(count)]
    if any(stored.place.size != stored.place.shape[axis] for stored in rows):
        raise UnsupportedError(f"Concat of {rank} dimensions along {axis}", "keep to maps and rows")
    rows = [lowering.reshaped(node, stored, (1, stored.place.size)) for stored in rows]
    starts = np.cumsum([0, *(stored.place.size for stored in rows)])
    shifted = [stored.place + start for stored, start in zip(rows, starts, strict=False)]
    layer = Concat(node.name, tuple(stored.name for stored in rows), node.output, 1)
    lowering.emit(layer, np.concatenate(shifted, axis), (1, int(starts[-1])))


def _softmax(lowering: Lowering, node: Node) -> None:
    stored = lowering.source(node)
    shape = stored.place.shape
    by_row = lowering.net.opset < 13 and not node.kind.startswith("Q")
    axis = int(node.attributes.get("axis", 1 if by_row else -1)) % len(shape)
    over = int(np.prod(shape[axis:])) if by_row else shape[axis]
    if over == stored.place.size:
        if stored.shape[-1] != over:
            stored = lowering.reshaped(node, stored, (1, over))
    else:
        found = stored.as_map()
        if found is None or found[1][axis] != 3 or over != shape[axis]:
            raise UnsupportedError(f"Softmax over dimension {axis}", "over channels is supported")
        stored = lowering.reshaped(node, stored, found[0])
    layer = Softmax(node.name, (stored.name,), node.output)
    lowering.emit(layer, stored.place, stored.shape)


RULES: dict[str, Rule] = {
    "Add": _binary,
    "BatchNormalization": _batch_norm,
    "Clip": _activation,
    "Concat": _concat,
    "Div": _binary,
    "HardSigmoid": _activation,
    "HardSwish": _activation,
    "LeakyRelu": _activation,
    "Max": _bound,
    "Min": _bound,
    "Mul": _binary,
    "PRelu": _slope,
    "Relu": _activation,
    "Requantize": _requantize,
    "Sigmoid": _activation,
    "Softmax": _softmax,
    "Sub": _binary,
    "Sum": _binary,
    "Tanh": _activation,
}
