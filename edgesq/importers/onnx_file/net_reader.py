"""From a sound model to a `Net`: operators on activations, constants, shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import onnx

from edgesq.errors import ModelError
from edgesq.importers.net import Net, Node
from edgesq.importers.onnx_file.shapes import parts
from edgesq.importers.onnx_file.view import Known, View, attributes_of, axis_of
from edgesq.importers.quants import Array, Constant, Quant, read_quant
from edgesq.importers.supported import PASSED
from edgesq.limits import MAX_LAYERS


def read_net(model: onnx.ModelProto, known: dict[str, Known], where: str) -> Net:
    """Return the operators between images and results, as the file has them.

    Args:
        model: with known operators.
        known: of every value.
        where: the file, for messages.

    Raises:
        ModelError: nothing is computed of an image, or too much.
    """
    graph = model.graph
    given = {tensor.name for tensor in graph.initializer}
    sources = tuple(value.name for value in graph.input if value.name not in given)
    values = {name: one.values for name, one in known.items() if one.values is not None}
    constants = {name: Constant(values[name]) for name in given}
    shapes = {name: one.shape for name, one in known.items()}
    floats = frozenset(name for name, one in known.items() if one.dtype == np.float32)
    opset = max((item.version for item in model.opset_import if not item.domain), default=1)
    net = Net([], constants, shapes, floats, {}, sources, (), opset)
    names = _Names()
    aliases: dict[str, str] = {}
    for node in graph.node:
        inputs = tuple(aliases.get(name, name) for name in node.input)
        output = node.output[0]
        if output in values:
            constants[output] = _folded(node, inputs, constants, values[output])
            constants.update({name: Constant(values[name]) for name in node.output[1:] if name})
        elif node.op_type in PASSED or _changes_nothing(node, known):
            aliases[output] = inputs[0]
        else:
            name, attributes = names.make(node), attributes_of(node)
            first = known.get(node.input[0])
            integers = first is not None and first.dtype != np.float32
            made = Node(node.op_type, name, inputs, output, attributes, on_integers=integers)
            net.nodes.extend(_parts(node, made, known, net) if made.kind == "Split" else [made])
    if len(net.nodes) > MAX_LAYERS:
        raise ModelError(
            f"{len(net.nodes):,} operators between image and result, {MAX_LAYERS:,} are the most",
            where=where,
        )
    net.outputs = tuple(aliases.get(value.name, value.name) for value in graph.output)
    _check_ends(net, where)
    return net


def _check_ends(net: Net, where: str) -> None:
    """Refuse results that are not computed, and images that nothing is computed of."""
    idle = [name for name in net.outputs if name in net.inputs or name in net.constants]
    if idle and len(net.outputs) == 1:
        raise ModelError("the model computes nothing", where=where)
    if idle:
        hint = "leave out outputs that are inputs or constants"
        raise ModelError(f"the output {idle[0]} is not computed", where=where, hint=hint)
    readers = net.readers()
    unread = [name for name in net.inputs if name not in readers]
    if unread:
        hint = "leave it out of the model"
        raise ModelError(f"the input {unread[0]} is read by nothing", where=where, hint=hint)


def _changes_nothing(node: onnx.NodeProto, known: dict[str, Known]) -> bool:
    source, made = known[node.input[0]], known[node.output[0]]
    if node.op_type in ("Cast", "Expand", "Tile"):
        return (source.dtype, source.shape) == (made.dtype, made.shape)
    return node.op_type in ("Concat", "Max", "Min", "Sum") and len(node.input) == 1


def _parts(node: onnx.NodeProto, split: Node, known: dict[str, Known], net: Net) -> Iterator[Node]:
    """Yield a Slice for each part of a Split that is read."""
    shapes = parts(View(node, known, net.opset))
    axis = axis_of(split.attributes.get("axis", 0), len(shapes[0]))
    start = 0
    for number, (name, shape) in enumerate(zip(node.output, shapes, strict=True)):
        ends = (start, start + shape[axis], axis)
        sides = []
        for label, value in zip(("start", "end", "axis"), ends, strict=True):
            sides.append(f"{split.output}/{number}/{label}")
            net.constants[sides[-1]] = Constant(np.array([value], np.int64))
        start += shape[axis]
        if name:
            inputs = (split.inputs[0], *sides)
            yield Node(
                "Slice", f"{split.name}_{number}", inputs, name, on_integers=split.on_integers
            )


class _Names:
    """Short unique names of nodes, usable in C, Keras and .tflite."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def make(self, node: onnx.NodeProto) -> str:
        raw = str(node.name or f"{node.op_type}_{node.output[0]}").removesuffix("_quant")
        clean = re.sub(r"[^A-Za-z0-9_]+", "_", raw).strip("_") or "layer"
        if not clean[0].isalpha():
            clean = f"{node.op_type.lower()}_{clean}"
        name, number = clean, 1
        while name in self.taken:
            number += 1
            name = f"{clean}_{number}"
        self.taken.add(name)
        return name


def _folded(
    node: onnx.NodeProto, inputs: tuple[str, ...], constants: dict[str, Constant], value: Array
) -> Constant:
    """Return what a node of constants gives; integers keep their quantization where it follows."""
    first = constants.get(inputs[0]) if inputs else None
    if node.op_type == "DequantizeLinear" and first is not None:
        axis = int(attributes_of(node).get("axis", 1))
        point = constants.get(inputs[2]) if len(inputs) > 2 else None
        values = first.values
        quant = read_quant(constants[inputs[1]], point, values.dtype, axis, values.ndim)
        return Constant(values, quant)
    if node.op_type in PASSED and first is not None:
        return first
    if first is not None and first.quant is not None:
        if node.op_type == "Transpose":
            order = attributes_of(node).get("perm") or list(range(first.values.ndim))[::-1]
            axis = order.index(first.quant.axis)
            quant = Quant(first.quant.scale, first.quant.zero_point, first.quant.dtype, axis)
            return Constant(first.values.transpose(order), quant)
        if node.op_type in ("Reshape", "Squeeze", "Unsqueeze") and len(first.quant.scale) == 1:
            return Constant(first.values.reshape(value.shape), first.quant)
    return Constant(value)
