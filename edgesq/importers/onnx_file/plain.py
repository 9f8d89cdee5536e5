"""Bring a model to one form: all floats are float32, and so are images that are cast to them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from edgesq.importers.net import Note
from edgesq.importers.onnx_file.tensors import numbers, tensors
from edgesq.importers.supported import PASSED, SHAPES_ONLY
from edgesq.limits import MAX_OBSERVED

FLOAT = TensorProto.FLOAT
_OTHER_FLOATS: dict[int, str] = {
    TensorProto.BFLOAT16: "bfloat16",
    TensorProto.DOUBLE: "float64",
    TensorProto.FLOAT16: "float16",
}
_PIXELS = (TensorProto.INT32, TensorProto.INT64, TensorProto.UINT16, TensorProto.UINT8)
_DECIDES = frozenset({"ArgMax", "LogSoftmax", "TopK"})
"""What stands behind the values of the classes and leaves their order as it is."""

_MOVES_IMAGES = SHAPES_ONLY | PASSED | {"Slice"}
_MOVES_RESULTS = SHAPES_ONLY | PASSED | {"Cast"}


def images_of(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that are no constants."""
    constants = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in constants]


def only_float32(model: onnx.ModelProto) -> list[Note]:
    """Change float16, bfloat16 and float64 to float32, in numbers, inputs, outputs and casts."""
    found: set[str] = set()
    for tensor in tensors(model):
        if tensor.data_type in _OTHER_FLOATS:
            found.add(_OTHER_FLOATS[tensor.data_type])
            with np.errstate(over="ignore"):
                values = numbers(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in _OTHER_FLOATS:
                found.add(_OTHER_FLOATS[attribute.i])
                attribute.i = FLOAT
    for value in (*model.graph.input, *model.graph.output):
        kind = value.type.tensor_type
        if kind.elem_type in _OTHER_FLOATS:
            found.add(_OTHER_FLOATS[kind.elem_type])
            kind.elem_type = FLOAT
    return [(f"{name} is computed in float32", "the whole model") for name in sorted(found)]


def float_images(model: onnx.ModelProto) -> list[Note]:
    """Let images of integers that are only cast to floats come as floats."""
    notes = []
    for image in images_of(model.graph):
        kind = image.type.tensor_type
        ends = list(_readers(model.graph, image.name))
        only_cast = all(node.op_type == "Cast" and _to(node) == FLOAT for node in ends)
        if kind.elem_type in _PIXELS and ends and only_cast:
            name = TensorProto.DataType.Name(kind.elem_type).lower()
            kind.elem_type = FLOAT
            what = f"the image is {name}: pixels 0 to 255, whatever a manifest says"
            notes.append((what, image.name))
    return notes


def _to(node: onnx.NodeProto) -> int:
    return next((int(item.i) for item in node.attribute if item.name == "to"), 0)


def _readers(graph: onnx.GraphProto, name: str) -> Iterator[onnx.NodeProto]:
    """Yield what reads a value, looking through what only moves it."""
    moved = {name}
    for node in graph.node:
        if moved.isdisjoint(node.input):
            continue
        if node.op_type in _MOVES_IMAGES and node.input[0] in moved:
            moved.update(node.output[:1])
        else:
            yield node


def only_scores(model: onnx.ModelProto) -> list[Note]:
    """End the model at the values of the classes: leave out ArgMax, TopK and LogSoftmax."""
    graph = model.graph
    if len(graph.output) > MAX_OBSERVED:  # which is refused later
        return []
    makers = {name: node for node in graph.node for name in node.output if name}
    notes: dict[str, Note] = {}
    ends: dict[str, onnx.ValueInfoProto] = {}
    for value in graph.output:
        name, node = value.name, _decider(makers, value.name)
        while node is not None:
            what = f"{node.op_type} at the end was left out: the result is what it reads"
            notes[node.output[0]] = (what, node.name or node.output[0])
            name = node.input[0]
            node = _decider(makers, name)
        kept = value if name == value.name else onnx.ValueInfoProto(name=name)
        ends.setdefault(name, kept)
    results = [onnx.ValueInfoProto.FromString(one.SerializeToString()) for one in ends.values()]
    del graph.output[:]
    graph.output.extend(results)
    return list(notes.values())


def _decider(makers: dict[str, onnx.NodeProto], name: str) -> onnx.NodeProto | None:
    """Return the ArgMax or the like that a value is made by, looking through what moves it."""
    seen: set[str] = set()
    while name in makers and name not in seen:
        seen.add(name)
        node = makers[name]
        if not node.input:
            return None
        if node.op_type in _DECIDES:
            return node
        if node.op_type not in _MOVES_RESULTS:
            return None
        name = node.input[0]
    return None
