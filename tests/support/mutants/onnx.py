"""Mutants of .onnx files, float and int8: bytes, any field of the protobuf, and graphs that lie."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import EncodeError
from onnx import TensorProto, helper

from support import onnx_cases, onnx_int8_cases
from support.mutants import ladder
from support.mutants.damage import chance_of, damaged, other_float, other_integer, other_text

QUANTIZED_EVERY = 25
"""Of the float models, one in so many is quantized where it is accepted, and then held."""

_BASES = {
    **{f"float {name}": build for name, build in onnx_cases.CASES.items()},
    **{f"int8 {name}": build for name, build in onnx_int8_cases.CASES.items()},
}
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}

Edit = Callable[[onnx.ModelProto, random.Random], None]


def prepare(_: Path) -> None:
    """Load what the first mutant would else wait for."""
    import keras  # noqa: F401
    import onnxruntime  # noqa: F401

    from edgesq.importers import onnx as importer  # noqa: F401


def write(number: int, folder: Path) -> Path:
    """Write a mutant; return its path."""
    chance = chance_of("onnx", number)
    names = sorted(name for name in _BASES if name.startswith(chance.choice(("float", "int8"))))
    content = _base(chance.choice(names))
    path = folder / "mutant.onnx"
    if chance.random() < 0.25:
        path.write_bytes(damaged(content, chance))
    else:
        path.write_bytes(_edited(content, chance))
        (folder / "beside.bin").write_bytes(chance.randbytes(64))
    return path


def attempt(number: int, path: Path, kept: Path) -> None:
    """Read a mutant as `export` and `plan` do, and hold the ladder where it is accepted."""
    from edgesq.builds import load_content, load_source
    from edgesq.builds.model import kind_of, open_model
    from edgesq.formats.tflite import read_graph

    kind = kind_of(path)
    if not kind.is_float:
        source = load_source(path, None, lambda _: None)
        ladder.hold(source.tflite, source.graph, kept)
    elif number % QUANTIZED_EVERY:
        open_model(path, kind)
    else:
        content = load_content(path, lambda _: None)
        ladder.hold(content, read_graph(content), kept)


@functools.cache
def _base(name: str) -> bytes:
    return bytes(_BASES[name]().SerializeToString())


def _edited(content: bytes, chance: random.Random) -> bytes:
    """Return a file after one to three edits."""
    while True:
        model = onnx.ModelProto()
        model.ParseFromString(content)
        try:
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                chance.choice(_EDITS)(model, chance)
            return bytes(model.SerializeToString())
        except (EncodeError, IndexError, UnicodeError, ValueError, TypeError):
            continue  # protobuf does not take it


def _messages(message: Any) -> list[Any]:
    """Return a message and all below it."""
    found = [message]
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for one in value if hasattr(value, "extend") else [value]:
                found += _messages(one)
    return found


def _any_field(model: onnx.ModelProto, chance: random.Random) -> None:
    """Change, remove, repeat or invent a field of any message."""
    message = chance.choice(_messages(model))
    fields = [field for field, _ in message.ListFields()]
    if not fields or chance.random() < 0.15:
        fields = [one for one in message.DESCRIPTOR.fields if one.cpp_type != one.CPPTYPE_MESSAGE]
    field = chance.choice(fields)
    if chance.random() < 0.15:
        message.ClearField(field.name)
    elif hasattr(getattr(message, field.name), "extend"):
        _change_list(getattr(message, field.name), field, chance)
    elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _other(getattr(message, field.name), field, chance))


def _change_list(values: Any, field: FieldDescriptor, chance: random.Random) -> None:
    kind = chance.randrange(4)
    if kind == 0 and values:
        del values[chance.randrange(len(values))]
    elif kind == 1 and values:
        values.append(values[chance.randrange(len(values))])
    elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        items = list(values)
        chance.shuffle(items)
        copies = [type(item).FromString(item.SerializeToString()) for item in items]
        del values[:]
        values.extend(copies)
    elif values:
        place = chance.randrange(len(values))
        values[place] = _other(values[place], field, chance)
    else:
        empty = {FieldDescriptor.CPPTYPE_STRING: ""}.get(field.cpp_type, 0)
        values.append(_other(empty, field, chance))


def _other(value: Any, field: FieldDescriptor, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return damaged(value, chance) if isinstance(value, bytes) else b"\xff"
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return other_text(value, chance)
    if field.cpp_type in _RANGES:
        low, high = _RANGES[field.cpp_type]
        return (other_integer(value, chance) - low) % (high - low + 1) + low
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return chance.randrange(-1, 24)
    return other_float(float(value), chance)


def _shape(model: onnx.ModelProto, chance: random.Random) -> None:
    """Change the extents of an initializer or of an end of the graph."""
    graph = model.graph
    ends = [value.type.tensor_type.shape.dim for value in (*graph.input, *graph.output)]
    if graph.initializer and chance.random() < 0.6:
        dims = chance.choice(graph.initializer).dims
        place = chance.randrange(len(dims))
        dims[place] = other_integer(dims[place], chance)
    else:
        dim = chance.choice(chance.choice(ends))
        dim.dim_value = other_integer(dim.dim_value, chance)


def _constant(model: onnx.ModelProto, chance: random.Random) -> None:
    """Change what an initializer holds, how much of it, its type, or where it lies."""
    tensor = chance.choice(model.graph.initializer)
    kind = chance.randrange(6)
    if kind == 0:
        tensor.data_type = chance.randrange(-1, 24)
    elif kind == 1:
        tensor.raw_data = tensor.raw_data[: chance.randrange(len(tensor.raw_data) + 1)]
    elif kind == 2:
        tensor.raw_data += chance.randbytes(chance.choice((1, 4, 100)))
    elif kind == 3:
        tensor.raw_data = damaged(tensor.raw_data, chance)
    elif kind == 4:
        tensor.ClearField("raw_data")
        getattr(tensor, chance.choice(("float_data", "int32_data", "int64_data"))).append(1)
    else:
        _external(tensor, chance)


def _external(tensor: TensorProto, chance: random.Random) -> None:
    tensor.data_location = TensorProto.EXTERNAL
    places = (
        "beside.bin",
        "none.bin",
        "../beside.bin",
        "/etc/passwd",
        "/dev/zero",
        "",
        ".",
        "a\0b",
    )
    facts = {"location": chance.choice(places)}
    for key in ("offset", "length"):
        if chance.random() < 0.6:
            facts[key] = chance.choice((str(other_integer(8, chance)), "x", "", "1e9", "9" * 400))
    for key, value in facts.items():
        tensor.external_data.add(key=key, value=value)
    if chance.random() < 0.5:
        tensor.ClearField("raw_data")


def _node(model: onnx.ModelProto, chance: random.Random) -> None:
    """Make a cycle, take another input, clash names, swap operators, or drop or repeat one."""
    nodes, kind = model.graph.node, chance.randrange(8)
    one, other = chance.choice(nodes), chance.choice(nodes)
    if kind <= 1 and one.input:
        one.input[chance.randrange(len(one.input))] = chance.choice(other.output)
    elif kind == 2:
        one.output[0] = chance.choice((other.output[0], model.graph.input[0].name, ""))
    elif kind == 3:
        one.op_type = chance.choice((other.op_type, "Loop", "If", "Conv", "Resize", "NonZero"))
    elif kind == 4:
        nodes.remove(one)
    elif kind == 5:
        nodes.append(one)
    elif kind == 6:
        one.domain = chance.choice(("com.microsoft", "ai.onnx", "ai.onnx.ml", "x"))
    else:
        names = [tensor.name for tensor in model.graph.initializer]
        one.input.append(chance.choice((*names, "", "none")))


def _attribute(model: onnx.ModelProto, chance: random.Random) -> None:
    """Remove an attribute, give it another type or other numbers, or invent one."""
    node = chance.choice(model.graph.node)
    if not node.attribute or chance.random() < 0.2:
        names = ("axis", "axes", "group", "pads", "strides", "auto_pad", "perm", "mode", "alpha")
        node.attribute.append(helper.make_attribute(chance.choice(names), _value(chance)))
        return
    item = chance.choice(node.attribute)
    if item.ints and chance.random() < 0.6:
        place = chance.randrange(len(item.ints))
        item.ints[place] = other_integer(item.ints[place], chance)
        return
    node.attribute.remove(item)
    if chance.random() < 0.7:
        node.attribute.append(helper.make_attribute(item.name, _value(chance)))


def _value(chance: random.Random) -> Any:
    number = other_integer(chance.choice((0, 1, 2, 3)), chance)
    number = max(-(1 << 63), min(number, (1 << 63) - 1))
    numbers = [number] * chance.choice((1, 2, 4, 5000))
    return chance.choice((number, numbers, other_float(1.0, chance), "SAME_UPPER", [0.5], ["a"]))


def _opset(model: onnx.ModelProto, chance: random.Random) -> None:
    chance.choice(model.opset_import).version = chance.choice((0, 1, 6, 9, 11, 13, 22, 30, 1 << 40))


def _doubled(model: onnx.ModelProto, chance: random.Random) -> None:
    """Let an output grow by each of many concatenations or sums with itself."""
    graph = model.graph
    last = graph.output[0].name
    for number in range(chance.choice((3, 12, 40))):
        node = helper.make_node(chance.choice(("Concat", "Add")), [last, last], [f"twice{number}"])
        if node.op_type == "Concat":
            node.attribute.append(helper.make_attribute("axis", 1))
        graph.node.append(node)
        last = node.output[0]
    graph.output[0].name = last


def _functions(model: onnx.ModelProto, chance: random.Random) -> None:
    """Move an operator into functions of functions; the last may call the first."""
    node = chance.choice(model.graph.node)
    depth, times = chance.choice((1, 3, 30)), chance.choice((1, 2))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    for level in range(depth):
        ends = [f"x{turn}" for turn in range(times)]
        deeper = f"level{level + 1}" if level + 1 < depth else chance.choice((None, "level0"))
        inner = [
            helper.make_node(deeper or "Relu", [before], [after], domain="own" if deeper else "")
            for before, after in zip(["x", *ends], ends, strict=False)
        ]
        model.functions.append(
            helper.make_function("own", f"level{level}", ["x"], [ends[-1]], inner, opsets)
        )
    if chance.random() < 0.8:
        model.opset_import.append(helper.make_opsetid("own", 1))
    call = helper.make_node("level0", [node.output[0]], ["called"], domain="own")
    model.graph.node.append(call)
    model.graph.output[0].name = "called"


_EDITS: tuple[Edit, ...] = (
    *(_any_field, _any_field, _any_field, _any_field),
    *(_shape, _shape, _constant, _constant, _node, _node, _attribute, _attribute),
    *(_opset, _doubled, _functions),
)
