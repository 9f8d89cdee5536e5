"""ONNX's values on their way to NHWC: the layers made so far, and where each value lies."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np

from edgesq.importers.net import Net, Node
from edgesq.importers.network import Layer, Pair, Permute, Reshape, Resize, Take
from edgesq.importers.places import NCHW, NHWC, Axes, Stored, image, nchw
from edgesq.importers.quants import Array, Constant, as_int8

_SEQUENCE = 3
"""Dimensions of [N, C, W]."""

_ALONG_ROWS = {"dilations": 1, "kernel_shape": 1, "output_padding": 0, "strides": 1}
"""What attributes of windows have for rows where there is one row."""


class UnsupportedError(Exception):
    """One operator cannot be taken: why, and what to do ("": what `supported` advises)."""

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(what)
        self.what, self.do = what, do


def stored_input(net: Net, name: str, channels_last: Collection[str]) -> Stored:
    """Return how an input is stored; `channels_last` names those that come as NHWC."""
    shape, windowed = net.shapes[name], ("Conv", "ConvTranspose", "MaxPool", "AveragePool")
    if len(shape) == _SEQUENCE and any(
        node.kind in windowed and node.inputs[0] == name for node in net.nodes
    ):
        found = nchw(name, (*shape[:2], 1, shape[2]))
        return Stored(found.name, found.shape, found.place[:, :, 0])
    return image(name, shape, name in channels_last, len(net.inputs) == 1)


class Lowering:
    """The layers made so far, and where each value of ONNX lies."""

    def __init__(self, net: Net, channels_last: Collection[str]) -> None:
        self.net = net
        self.layers: list[Layer] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.stored: dict[str, Stored] = {}
        self.quants = {name: as_int8(quant) for name, quant in net.quants.items()}
        for name in net.inputs:
            self.put(name, stored_input(net, name, channels_last))

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
        place = positions.transpose(axes)
        if len(self.net.shapes.get(layer.output, shape)) == _SEQUENCE:
            place = place[:, :, 0]
        self.emit(layer, place, shape)

    def constant(self, node: Node, position: int) -> Constant | None:
        """Return input `position` if it is a constant."""
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
        """Return input `position`, which must be a constant if there is one.

        Raises:
            UnsupportedError: it is computed.
        """
        there = position < len(node.inputs) and node.inputs[position]
        return self.needs_constant(node, position) if there else None

    def numbers(self, node: Node, attribute: str, position: int) -> list[int] | None:
        """Return numbers that newer opsets pass as an input, and older ones as an attribute."""
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
        """Return values that a Tile or Expand repeated as a map whose pixels are repeated.

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
        moved = self._moved(node, stored, like or NCHW) if found is None else None
        if moved is not None:
            return moved
        if found is None:
            rank = stored.place.ndim
            what = "of transposed values" if rank == 4 else f"of {rank} dimensions"
            raise UnsupportedError(f"{node.kind} {what}", "keep to maps [1, C, H, W]")
        shape, axes = found
        return self.reshaped(node, stored, shape), axes

    def _moved(self, node: Node, stored: Stored, axes: Axes) -> tuple[Stored, Axes] | None:
        """Return a map whose numbers lie in another order as one whose do not, by one layer.

        None where its axes are in no other order, nor its channels: then nothing is known to do it.
        """
        if stored.place.ndim != 4 or len(stored.shape) != 4:
            return None
        wanted = stored.place.transpose(np.argsort(axes))
        every = np.arange(math.prod(stored.shape), dtype=np.int32).reshape(stored.shape)
        name, label = f"{stored.name}/{node.name}", f"moved{len(self.layers)}_{node.name}"
        channels = wanted[0, 0, 0] % stored.shape[3]
        layer: Layer | None = None
        for first, second, third in itertools.permutations((1, 2, 3)):
            if np.array_equal(every.transpose(0, first, second, third), wanted):
                layer = Permute(label, (stored.name,), name, (0, first, second, third))
        if layer is None and np.array_equal(every[..., channels], wanted):
            layer = Take(label, (stored.name,), name, 3, tuple(channels.tolist()))
        if layer is None:
            return None
        self.layers.append(layer)
        self.shapes[name] = wanted.shape
        if stored.name in self.quants:
            self.quants[name] = self.quants[stored.name]
        positions = np.arange(wanted.size, dtype=np.int32).reshape(wanted.shape)
        return Stored(name, wanted.shape, positions.transpose(axes)), axes

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

    def nchw(self, node: Node) -> tuple[Stored, Axes]:
        """Return the input of an operator that ONNX defines on NCHW only, and NCHW.

        Raises:
            UnsupportedError: ONNX sees an NHWC map there.
        """
        stored = self.source(node)
        if stored.place.ndim == _SEQUENCE:
            place = stored.place[:, :, np.newaxis]
            found = Stored(stored.name, stored.shape, place).as_map(NCHW)
            if found is None or found[1] != NCHW:
                raise UnsupportedError(f"{node.kind} of transposed values", "keep to [1, C, W]")
            return self.reshaped(node, Stored(stored.name, stored.shape, place), found[0]), NCHW
        source, axes = self.map(node)
        if axes == NHWC:
            raise UnsupportedError(f"{node.kind} across height", "transpose maps to NCHW before it")
        return source, NCHW

    def extents(self, node: Node) -> tuple[Pair, Pair]:
        """Return rows and columns of an operator's input and output, NCHW in ONNX."""
        shapes = (self.net.shapes[name] for name in (node.inputs[0], node.output))
        image, output = ((1, *shape[2:])[-2:] for shape in shapes)
        return (image[0], image[1]), (output[0], output[1])

    def planar(self, node: Node) -> Node:
        """Return an operator on [N, C, W] as the same on [N, C, 1, W]."""
        if len(self.net.shapes[node.inputs[0]]) != _SEQUENCE:
            return node
        widened = {
            name: [one, *node.attributes[name]]
            for name, one in _ALONG_ROWS.items()
            if name in node.attributes
        }
        if "pads" in node.attributes:
            before, after = node.attributes["pads"]
            widened["pads"] = [0, before, 0, after]
        return replace(node, attributes={**node.attributes, **widened})


Rule = Callable[[Lowering, Node], None]
"""Makes the layers of one operator of ONNX."""


@dataclass(frozen=True)
class Taken:
    """An operator of ONNX between activations.

    Attributes:
        lower: makes its layers.
        keeps_range: its results stay in the range of its input, whose scale serves them too.
        has_one_scale: its int8 results can have one scale only.
        takes_clip: a Relu or Clip behind it can be done by it.
        is_nchw: ONNX defines it on NCHW only.
    """

    lower: Rule
    keeps_range: bool = False
    has_one_scale: bool = False
    takes_clip: bool = False
    is_nchw: bool = False
