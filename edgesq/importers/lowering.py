"""From ONNX's operators to layers in NHWC: the walk over the net, and what moves no values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from edgesq.errors import ModelError
from edgesq.importers.layers import (
    Layer,
    Network,
    Place,
    Requantize,
    Reshape,
    Resize,
    Softmax,
)
from edgesq.importers.net import Array, Constant, Net, Node
from edgesq.importers.places import NCHW, NHWC, Axes, Stored, image, nchw
from edgesq.importers.quantized import as_int8
from edgesq.importers.supported import SHAPES_ONLY, refusal

_LOOKS_THROUGH = frozenset(
    {
        "Add",
        "Clip",
        "DequantizeLinear",
        "Div",
        "Mul",
        "Pad",
        "QuantizeLinear",
        "Relu",
        "Requantize",
        "Sub",
    }
)

_DEFINED_ON_NCHW = frozenset(
    {"AveragePool", "Conv", "DepthToSpace", "GlobalAveragePool", "MaxPool", "SpaceToDepth"}
)
_COLOURS = (1, 3)


class UnsupportedError(Exception):
    """One operator cannot be taken: what of it, and what to do ("": what the table says)."""

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(what)
        self.what, self.do = what, do


class Lowering:
    """The layers made so far, and where each value of ONNX lies."""

    def __init__(self, net: Net, channels_last: bool) -> None:
        self.net = net
        self.layers: list[Layer] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.stored: dict[str, Stored] = {}
        self.quants = {name: as_int8(quant) for name, quant in net.quants.items()}
        self.put(net.input, stored_input(net, channels_last))

    def put(self, name: str, stored: Stored) -> None:
        """Note where a value lies."""
        self.stored[name] = stored
        self.shapes[stored.name] = stored.shape

    def emit(self, layer: Layer, place: Array, shape: tuple[int, ...]) -> None:
        """Add a layer whose output is stored with `shape` and read as `place` by ONNX."""
        self.layers.append(layer)
        self.put(layer.output, Stored(layer.output, shape, place))

    def emit_map(self, layer: Layer, shape: tuple[int, ...], axes: Axes) -> None:
        """Add a layer that makes an NHWC map, which ONNX sees with its axes in another order."""
        positions = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
        self.emit(layer, positions.transpose(axes), shape)

    def constant(self, node: Node, position: int) -> Constant | None:
        """Return input `position` if it is there and a constant."""
        name = node.inputs[position] if position < len(node.inputs) else ""
        return self.net.constants.get(name)

    def needs_constant(self, node: Node, position: int) -> Constant:
        """Return input `position`, which must be a constant.

        Raises:
            UnsupportedError: it is computed.
        """
        found = self.constant(node, position)
        if found is None:
            raise UnsupportedError(f"{node.kind} by a computed operand", "use constants there")
        return found

    def optional_constant(self, node: Node, position: int) -> Constant | None:
        """Return input `position`, a constant if it is there.

        Raises:
            UnsupportedError: it is computed.
        """
        there = position < len(node.inputs) and node.inputs[position]
        return self.needs_constant(node, position) if there else None

    def numbers(self, node: Node, attribute: str, position: int) -> list[int] | None:
        """Return what newer versions of ONNX pass as an input and older ones as an attribute."""
        if attribute in node.attributes:
            return [int(value) for value in node.attributes[attribute]]
        found = self.constant(node, position)
        return None if found is None else [int(value) for value in found.values.reshape(-1)]

    def source(self, node: Node, position: int = 0) -> Stored:
        """Return where the activation at input `position` lies.

        Raises:
            UnsupportedError: it is a constant.
        """
        found = self.stored.get(node.inputs[position])
        if found is None:
            raise UnsupportedError(f"{node.kind} of a constant")
        return self.enlarged(node, found) if found.is_repeated else found

    def enlarged(self, node: Node, stored: Stored) -> Stored:
        """Return repeated values as a map each of whose pixels is repeated.

        Raises:
            UnsupportedError: they are repeated otherwise.
        """
        for axes in (NHWC, NCHW):
            factors = stored.repeats(axes)
            if factors is not None:
                name = f"{stored.name}/{factors[0]}x{factors[1]}"
                batch, height, width, channels = stored.shape
                shape = (batch, height * factors[0], width * factors[1], channels)
                if name not in self.shapes:
                    label = f"enlarge{len(self.layers)}_{node.name}"
                    self.layers.append(Resize(label, (stored.name,), name, factors))
                    self.shapes[name] = shape
                    if stored.name in self.quants:
                        self.quants[name] = self.quants[stored.name]
                positions = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
                return Stored(name, shape, positions.transpose(axes))
        raise UnsupportedError("Tile of an activation", "repeat whole pixels (Resize)")

    def map(self, node: Node, position: int = 0, like: Axes | None = None) -> tuple[Stored, Axes]:
        """Return input `position` as an NHWC map, and the NHWC axis of each of ONNX's axes.

        Where `like` says how another operand lies, fewer dimensions are filled up as ONNX does.

        Raises:
            UnsupportedError: its numbers lie in another order, or it has another rank.
        """
        stored = self.source(node, position)
        if like is not None and stored.place.ndim < 4:
            shape = (1,) * (4 - stored.place.ndim) + stored.place.shape
            stored = Stored(stored.name, stored.shape, stored.place.reshape(shape))
        found = stored.as_map(like)
        if found is None:
            rank = stored.place.ndim
            what = "of transposed values" if rank == 4 else f"of {rank} dimensions"
            raise UnsupportedError(f"{node.kind} {what}", "keep to maps [1, C, H, W]")
        shape, axes = found
        return self.reshaped(node, stored, shape), axes

    def reshaped(self, node: Node, stored: Stored, shape: tuple[int, ...]) -> Stored:
        """Return the same values stored with another shape."""
        if stored.shape == shape:
            return stored
        name = f"{stored.name}/{'x'.join(map(str, shape))}"
        if name not in self.shapes:
            number = sum(isinstance(layer, Reshape) for layer in self.layers)
            label = f"reshape{number}_{node.name}"
            self.layers.append(Reshape(label, (stored.name,), name))
            self.shapes[name] = shape
            if stored.name in self.quants:
                self.quants[name] = self.quants[stored.name]
        return Stored(name, shape, stored.place)


Rule = Callable[[Lowering, Node], None]


def lower(net: Net, rules: dict[str, Rule], where: str) -> Network:
    """Return the net's layers in NHWC.

    Where the image's layout is a guess, and wrong, the other one is tried too.

    Args:
        net: float, or int8 after `annotate`.
        rules: what makes layers of an operator, by ONNX's name.
        where: the file, for messages.

    Raises:
        ModelError: operators cannot be taken; all are named.
    """
    guess = is_channels_last(net)
    try:
        return _lower(net, rules, where, guess)
    except ModelError:
        if len(net.shapes[net.input]) == 4:
            with suppress(ModelError):
                return _lower(net, rules, where, not guess)
        raise


def _lower(net: Net, rules: dict[str, Rule], where: str, channels_last: bool) -> Network:
    lowering = Lowering(net, channels_last)
    problems = []
    for node in net.nodes:
        problem = _lowered(lowering, node, rules)
        if problem:
            problems.append((problem.what, node.name, problem.do))
            lowering.put(node.output, nchw(node.output, net.shapes[node.output]))
    if problems:
        raise refusal(problems, where)
    return _finished(lowering, where)


def _lowered(lowering: Lowering, node: Node, rules: dict[str, Rule]) -> UnsupportedError | None:
    """Make the layers of one operator, or say why not."""
    try:
        if node.kind in SHAPES_ONLY or node.kind in ("Expand", "Tile"):
            _move(lowering, node)
        elif node.kind in rules:
            rules[node.kind](lowering, node)
        else:
            return UnsupportedError(f"{node.kind} of an activation")
    except UnsupportedError as problem:
        return problem
    return None


def _finished(lowering: Lowering, where: str) -> Network:
    net = lowering.net
    result = lowering.stored[net.output]
    if result.is_repeated:
        raise refusal([("the result is repeated values", net.output, "end before that")], where)
    if result.as_map() is None and not result.in_order:
        what = "the result is flattened from a map"
        raise refusal([(what, net.output, "end with the map itself, or with a dense layer")], where)
    read = lowering.stored[net.input]
    return Network(
        tuple(lowering.layers),
        lowering.shapes,
        lowering.quants,
        Place(net.input, read.name, read.place),
        Place(net.output, result.name, result.place),
        _logits(lowering),
        tuple(net.notes),
    )


def _logits(lowering: Lowering) -> Place | None:
    """Return what a final softmax reads."""
    last = lowering.layers[-1] if lowering.layers else None
    for node in lowering.net.nodes:
        if isinstance(last, Softmax) and node.output == last.output:
            read = lowering.stored[node.inputs[0]]
            return Place(node.inputs[0], read.name, read.place)
    return None


def _move(lowering: Lowering, node: Node) -> None:
    """Let a Transpose, Reshape or the like change how ONNX sees a value, not the value."""
    stored = lowering.stored.get(node.inputs[0]) or lowering.source(node)
    shape = lowering.net.shapes[node.output]
    if node.kind == "Transpose":
        order: Sequence[int] = node.attributes.get("perm") or range(stored.place.ndim)[::-1]
        place = stored.place.transpose(order)
    elif node.kind == "Expand":
        place = np.broadcast_to(stored.place, shape)
    elif node.kind == "Tile":
        place = np.tile(stored.place, lowering.numbers(node, "repeats", 1) or [])
    else:
        place = stored.place.reshape(shape)
    mine, theirs = lowering.quants.get(stored.name), lowering.quants.get(node.output)
    if mine and theirs and not mine.same(theirs):
        layer = Requantize(node.name, (stored.name,), node.output)
        lowering.emit(layer, place, stored.shape)
    else:
        lowering.put(node.output, Stored(stored.name, stored.shape, place))


def stored_input(net: Net, channels_last: bool) -> Stored:
    """Return how a net's image is stored."""
    return image(net.input, net.shapes[net.input], channels_last)


def is_channels_last(net: Net) -> bool:
    """Say whether the image comes as NHWC: transposed before its first use, or by its shape."""
    shape = net.shapes[net.input]
    if len(shape) != 4:
        return False
    readers = net.readers()
    name = net.input
    while len(readers.get(name, [])) == 1:
        node = readers[name][0]
        if node.kind == "Transpose":
            return list(node.attributes.get("perm", ())) == [0, 3, 1, 2]
        if node.kind in _DEFINED_ON_NCHW:
            return False
        if node.kind not in _LOOKS_THROUGH:
            break
        name = node.output
    return shape[3] in _COLOURS and shape[1] not in _COLOURS
