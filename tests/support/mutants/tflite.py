"""Mutants of int8 .tflite files: bytes, and any field of the unpacked flatbuffer."""

from __future__ import annotations

import functools
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from support.cases import NETWORKS
from support.mutants import ladder
from support.mutants.damage import chance_of, damaged, other_float, other_integer, other_text

_INT32 = 2
_UNPACKABLE = (struct.error, TypeError, ValueError, AttributeError, OverflowError, IndexError)
"""What flatbuffers raises where a field does not take a value."""

Edit = Callable[[Any, random.Random], None]


def prepare(_: Path) -> None:
    """Load what the first mutant would else wait for."""
    from edgesq.formats import onnx  # noqa: F401

    _base("fire")


def write(number: int, folder: Path) -> Path:
    """Write a mutant; return its path."""
    chance = chance_of("tflite", number)
    content = _base(chance.choice(sorted(NETWORKS)))
    path = folder / "mutant.tflite"
    path.write_bytes(damaged(content, chance) if chance.random() < 0.3 else edited(content, chance))
    return path


def attempt(_: int, path: Path, kept: Path) -> None:
    """Read a mutant as `export` does, and hold the ladder where it is accepted."""
    from edgesq.builds import load_source

    source = load_source(path, None, lambda _: None)
    ladder.hold(source.tflite, source.graph, kept)


@functools.cache
def _base(name: str) -> bytes:
    return NETWORKS[name]()


def edited(content: bytes, chance: random.Random) -> bytes:
    """Return a .tflite after one to three edits that flatbuffers can write."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    while True:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        try:
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                chance.choice(_EDITS)(model, chance)
            builder = flatbuffers.Builder(1024)
            builder.Finish(model.Pack(builder), b"TFL3")
        except _UNPACKABLE:
            continue
        return bytes(builder.Output())


def _any_field(model: Any, chance: random.Random) -> None:
    holder, key = chance.choice(list(_fields(model)))
    _change(holder, key, chance)


def _fields(holder: Any) -> list[tuple[Any, Any]]:
    """Return every place below an object: (object, attribute) or (list, index)."""
    inner = vars(holder).items() if hasattr(holder, "__dict__") else enumerate(holder)
    found = []
    for key, value in inner:
        found.append((holder, key))
        if isinstance(value, list) or hasattr(value, "__dict__"):
            found += _fields(value)
    return found


def _change(holder: Any, key: Any, chance: random.Random) -> None:
    """Put another value in a place."""
    value = vars(holder)[key] if hasattr(holder, "__dict__") else holder[key]
    new = _other(value, chance)
    if hasattr(holder, "__dict__"):
        setattr(holder, key, new)
    else:
        holder[key] = new


def _other(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return other_integer(value, chance)
    if isinstance(value, float):
        return other_float(value, chance)
    if isinstance(value, bytes):
        name = other_text(value.decode(errors="replace"), chance)
        return chance.choice((name.encode(errors="surrogatepass"), b"\xff\xfe", None))
    if isinstance(value, np.ndarray):
        return _other_array(value, chance)
    if isinstance(value, list):
        return _other_list(value, chance)
    return None


def _other_array(values: np.ndarray[Any, Any], chance: random.Random) -> Any:
    """Return an array with a number changed, one more, some less, in another order, or none."""
    kind = chance.randrange(8)
    made = values.copy()
    if kind < 4 and made.size:
        place = chance.randrange(made.size)
        if made.dtype.kind == "f":
            made[place] = other_float(float(made[place]), chance)
        else:
            limits = np.iinfo(made.dtype)
            span = int(limits.max) - int(limits.min) + 1
            number = other_integer(int(made[place]), chance)
            made[place] = (number - int(limits.min)) % span + int(limits.min)
        return made
    if kind == 4:
        return np.concatenate([made, made[-1:]])
    if kind == 5:
        return made[: chance.randrange(made.size + 1)]
    if kind == 6 and made.size < 100:
        order = list(range(made.size))
        chance.shuffle(order)
        return made[order]
    return None


def _other_list(values: list[Any], chance: random.Random) -> Any:
    """Return a list without an item, with one twice, in another order, empty, or none."""
    made = list(values)
    kind = chance.randrange(5)
    if kind == 0 and made:
        del made[chance.randrange(len(made))]
    elif kind == 1 and made:
        made.insert(chance.randrange(len(made)), chance.choice(made))
    elif kind == 2:
        chance.shuffle(made)
    elif kind == 3:
        made = []
    else:
        return None
    return made


def _shape(model: Any, chance: random.Random) -> None:
    """Let the file lie about a shape, of one tensor or of all that have it."""
    tensors = model.subgraphs[0].tensors
    chosen = chance.choice([tensor for tensor in tensors if tensor.shape is not None])
    old = list(chosen.shape)
    new = _other_array(np.asarray(old, np.int32), chance)
    for tensor in tensors if chance.random() < 0.4 else [chosen]:
        if tensor.shape is not None and list(tensor.shape) == old:
            tensor.shape = None if new is None else list(new)


def _constant(model: Any, chance: random.Random) -> None:
    """Change a constant of whole numbers: sizes, begins, pads, axes, biases."""
    tensors = [tensor for tensor in model.subgraphs[0].tensors if tensor.type == _INT32]
    buffers = [model.buffers[tensor.buffer] for tensor in tensors]
    filled = [buffer for buffer in buffers if buffer.data is not None and len(buffer.data)]
    if not filled:
        return _any_field(model, chance)
    buffer = chance.choice(filled)
    new = _other_array(np.frombuffer(bytes(buffer.data), np.int32), chance)
    buffer.data = None if new is None else np.frombuffer(new.tobytes(), np.uint8)
    return None


def _options(model: Any, chance: random.Random) -> None:
    holders = [one.builtinOptions for one in model.subgraphs[0].operators if one.builtinOptions]
    if holders and vars(holder := chance.choice(holders)):
        _change(holder, chance.choice(sorted(vars(holder))), chance)
    else:
        _operators(model, chance)


def _operators(model: Any, chance: random.Random) -> None:
    """Swap, drop or repeat operators, give one another's code, or read another tensor."""
    graph = model.subgraphs[0]
    operators, kind = graph.operators, chance.randrange(6)
    one, two = chance.randrange(len(operators)), chance.randrange(len(operators))
    if kind == 0:
        operators[one], operators[two] = operators[two], operators[one]
    elif kind == 1 and len(operators) > 1:
        del operators[one]
    elif kind == 2:
        operators.insert(two, operators[one])
    elif kind == 3:
        code = chance.choice(model.operatorCodes)
        code.builtinCode = code.deprecatedBuiltinCode = chance.randrange(160)
    elif kind == 4:
        inputs = list(operators[one].inputs)
        inputs[chance.randrange(len(inputs))] = chance.randrange(-1, len(graph.tensors) + 1)
        operators[one].inputs = inputs
    else:
        ends = chance.choice(("inputs", "outputs"))
        setattr(graph, ends, [chance.randrange(len(graph.tensors))])


def _quantization(model: Any, chance: random.Random) -> None:
    quantized = [one.quantization for one in model.subgraphs[0].tensors if one.quantization]
    if quantized:
        key = chance.choice(("scale", "zeroPoint", "quantizedDimension"))
        _change(chance.choice(quantized), key, chance)


_EDITS: tuple[Edit, ...] = (
    *(_any_field, _any_field, _any_field),
    *(_shape, _shape, _constant, _constant),
    *(_options, _options, _operators, _operators, _quantization),
)
