"""Bring both int8 forms of ONNX, QDQ and QOperator, to one: float operators with known scales.

Numbers stay as they are in the file; only uint8 becomes int8, by subtracting 128 from values and
zero points alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from edgesq.importers.fusing import fuse
from edgesq.importers.net import Net, Node
from edgesq.importers.operators.table import ONNX
from edgesq.importers.qoperators import float_form
from edgesq.importers.quants import INT8, PROBABILITY, Quant, covering, range_quant, read_quant
from edgesq.importers.supported import SHAPES_ONLY, refusal

Measure = Callable[[Sequence[str]], dict[str, tuple[float, float]]]
"""Returns the least and the largest number of each value asked for, by name."""


def annotate(net: Net, where: str, measure: Measure | None = None) -> Net:
    """Return the net without QuantizeLinear, DequantizeLinear and QLinear operators.

    What they said stands in `quants`, int8 for every value.

    Args:
        net: as it was read.
        where: the file, for messages.
        measure: finds the ranges of values that have no scale in the file; None without images.

    Raises:
        ModelError: a value has no scale, or one that int8 cannot hold.
    """
    return _Annotator(net, where, measure).run()


class _Annotator:
    def __init__(self, net: Net, where: str, measure: Measure | None) -> None:
        self.net = net
        self.where = where
        self.measure = measure
        self.alias: dict[str, str] = {}
        self.problems: list[tuple[str, str, str]] = []
        self.nodes: list[Node] = []

    def run(self) -> Net:
        net = self.net
        for node in net.nodes:
            inputs = tuple(self.alias.get(name, name) for name in node.inputs)
            self.take(replace(node, inputs=inputs))
        net.nodes = self.nodes
        net.outputs = tuple(self.alias.get(name, name) for name in net.outputs)
        self.look_back()
        fuse(net)
        self.measure_missing()
        for node in net.nodes:
            self.fill(node)
        if self.problems:
            raise refusal(self.problems, self.where)
        return net

    def look_back(self) -> None:
        """Give integers that an operator only moves or selects the scale of its result."""
        net = self.net
        for node in reversed(net.nodes):
            moves = node.kind in SHAPES_ONLY or node.output not in net.floats
            if _keeps_range(node) and moves and node.output in net.quants:
                for name in self.read(node):
                    net.quants.setdefault(name, net.quants[node.output])

    def take(self, node: Node) -> None:
        if node.kind == "QuantizeLinear":
            self.quantize(node)
        elif node.kind == "DequantizeLinear":
            self.dequantize(node)
        else:
            plain, quants = float_form(node, self.net)
            keeps = _keeps_range(node) or plain is not node
            if not keeps and node.output not in self.net.floats:
                self.problems.append((f"{node.kind} of integers", node.name, "dequantize them"))
            for name, quant in quants.items():
                self.set_quant(plain, name, quant)
            self.nodes.append(plain)

    def quantize(self, node: Node) -> None:
        """Note the scale of a value; one that has another already is requantized."""
        source, quant = node.inputs[0], self.quant_of(node)
        known = self.net.quants.get(source)
        if known is not None and not known.same(quant):
            self.nodes.append(Node("Requantize", node.name, (source,), node.output))
            self.set_quant(node, node.output, quant)
        else:
            self.set_quant(node, source, quant)
            self.alias[node.output] = source

    def dequantize(self, node: Node) -> None:
        source = node.inputs[0]
        self.set_quant(node, source, self.quant_of(node))
        self.alias[node.output] = source

    def quant_of(self, node: Node) -> Quant:
        """Return the int8 quantization of a QuantizeLinear or DequantizeLinear of an activation."""
        constants = self.net.constants
        if any(name not in constants for name in node.inputs[1:] if name):
            self.problems.append((node.kind, node.name, "scales must be constants"))
            return PROBABILITY
        point = constants[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else None
        return read_quant(constants[node.inputs[1]], point, np.dtype(np.uint8), 1, 4)

    def set_quant(self, node: Node, name: str, quant: Quant) -> None:
        if len(quant.scale) != 1 or quant.dtype not in (INT8, np.dtype(np.uint8)):
            what = f"{node.kind} to {quant.dtype}, {len(quant.scale)} scales"
            self.problems.append(
                (what, node.name, "quantize activations to int8 or uint8, one scale each")
            )
            return
        known = self.net.quants.get(name)
        if known is not None and not known.same(quant):
            self.problems.append((f"{node.kind} with other scales", node.name, "export it again"))
        self.net.quants[name] = quant

    def measure_missing(self) -> None:
        """Find scales by images for values that have none, and whose operators imply none."""
        net = self.net
        known, missing = {*net.quants}, []
        for name in net.inputs:
            if name not in known:
                missing.append((name, "the image", name))
                known.add(name)
        for node in net.nodes:
            implied = _has_one_scale(node) or (_keeps_range(node) and node.inputs[0] in known)
            if node.output not in known and not implied:
                missing.append((node.output, node.kind, node.name))
            known.add(node.output)
        if not missing:
            return
        if self.measure is None:
            do = "quantize this value too, or give images to find its range: --calibration FOLDER"
            self.problems += [(f"{what} without a scale", place, do) for _, what, place in missing]
            net.quants |= {name: PROBABILITY for name, _, _ in missing}
            return
        ranges = self.measure([name for name, _, _ in missing])
        for name, what, place in missing:
            net.quants[name] = range_quant(*ranges[name])
            net.notes.append((f"{what} without a scale got one by the calibration images", place))

    def read(self, node: Node) -> tuple[str, ...]:
        """Return the activations whose range an operator keeps."""
        return node.inputs if node.kind == "Concat" else node.inputs[:1]

    def fill(self, node: Node) -> None:
        """Note the scale that an operator in float implies."""
        net = self.net
        if node.output in net.quants:
            return
        if _has_one_scale(node):
            net.quants[node.output] = PROBABILITY
            net.notes.append((f"{node.kind} in float became int8 in steps of 1/256", node.name))
            return
        net.quants[node.output] = covering([net.quants[name] for name in self.read(node)])
        if node.kind not in SHAPES_ONLY and node.output in net.floats:
            net.notes.append((f"{node.kind} in float takes the scale of its input", node.name))


def _keeps_range(node: Node) -> bool:
    """Say whether results stay in the range of the input, so that its scale serves them too."""
    moves = node.kind in SHAPES_ONLY or node.kind in ("Expand", "Tile")
    return moves or (node.kind in ONNX and ONNX[node.kind].keeps_range)


def _has_one_scale(node: Node) -> bool:
    """Say whether the output can have one scale only."""
    return node.kind in ONNX and ONNX[node.kind].has_one_scale
