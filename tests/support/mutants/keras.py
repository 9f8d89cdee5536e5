"""Mutants of .keras archives, HDF5 files and SavedModels: bytes, and what is inside."""

from __future__ import annotations

import fcntl
import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from support.mutants import ladder
from support.mutants.damage import (
    TEXTS,
    chance_of,
    damaged,
    json_values,
    other_integer,
    other_text,
    other_value,
)

QUANTIZED_EVERY = 3
"""Of the models, one in so many is quantized where it is accepted, and held against the ladder."""

_FORMS = ("keras", "keras", "h5", "saved")
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_CLASSES = (
    "Conv2D",
    "Dense",
    "Lambda",
    "TFOpLambda",
    "Functional",
    "Sequential",
    "Dropout",
    "LSTM",
)
_MODULES = ("keras.layers", "os", "builtins", "subprocess", "keras.src.ops.core", "none.such", None)

_base: list[Path] = []


def prepare(folder: Path) -> None:
    """Save the models that mutants are made of, once for all workers."""
    base = folder / "models"
    with (folder / "models.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not base.exists():
            base.mkdir()
            _save(base)
    _base[:] = [base]


def _save(folder: Path) -> None:
    from edgesq.quantize import captured_output

    with captured_output():
        for name, make in _MODELS.items():
            model = make()
            model.save(folder / f"{name}.keras")
            model.save(folder / f"{name}.h5")
            model.export(folder / f"{name}.saved", verbose=False)


def _small() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    image = keras.Input((8, 8, 3))
    one = layers.Conv2D(4, 3, 2, "same", activation="relu")(image)
    two = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(one))
    joined = layers.Concatenate()([one, layers.ReLU(6.0)(two)])
    rows = layers.Flatten()(layers.MaxPooling2D()(joined))
    return keras.Model(image, layers.Dense(5, activation="softmax")(rows))


def _sequential() -> Any:
    import keras

    keras.utils.set_random_seed(4)
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4, 4, 4)), layers.Conv2D(4, 1, activation="relu")])
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Rescaling(2.0, -1.0),
            layers.Conv2D(4, 3, 2, "same"),
            inner,
            layers.Dropout(0.2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


_MODELS: dict[str, Callable[[], Any]] = {"small": _small, "sequential": _sequential}


def write(number: int, folder: Path) -> Path:
    """Write a mutant; return its path."""
    chance = chance_of("keras", number)
    form, name = chance.choice(_FORMS), chance.choice(sorted(_MODELS))
    source = _base[0] / f"{name}.{form}"
    if form == "saved":
        path = folder / "mutant"
        shutil.copytree(source, path)
        chance.choice(_SAVED_EDITS)(path, chance)
        return path
    path = folder / f"mutant.{form}"
    shutil.copyfile(source, path)
    edits = _ARCHIVE_EDITS if form == "keras" else _H5_EDITS
    chance.choice(edits)(path, chance)
    return path


def attempt(number: int, path: Path, kept: Path) -> None:
    """Read a mutant as `plan` does, and hold the ladder where it is accepted."""
    from edgesq.builds import load_content
    from edgesq.builds.model import kind_of, open_model
    from edgesq.formats.tflite import read_graph

    if number % QUANTIZED_EVERY:
        open_model(path, kind_of(path))
    else:
        content = load_content(path, lambda _: None)
        ladder.hold(content, read_graph(content), kept)


Edit = Callable[[Path, random.Random], None]


def _bytes(path: Path, chance: random.Random) -> None:
    path.write_bytes(damaged(path.read_bytes(), chance))


# .keras: a zip of config.json, metadata.json and HDF5 weights


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    path.write_bytes(made.getvalue())


def _archive_config(path: Path, chance: random.Random) -> None:
    members = _members(path)
    config = json.loads(members[_CONFIG])
    _edit_config(config, chance)
    _zip(path, {**members, _CONFIG: _dumped(config, chance)})


def _archive_text(path: Path, chance: random.Random) -> None:
    """Damage config.json as text, or put something else in its place."""
    members = _members(path)
    text = members[_CONFIG]
    others = (b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"a":' * 100_000, b"\xff", text * 2)
    members[_CONFIG] = chance.choice((damaged(text, chance), damaged(text, chance), *others))
    _zip(path, members)


def _archive_members(path: Path, chance: random.Random) -> None:
    """Lose, rename, repeat or add members, one of them of a gigabyte that packs into little."""
    members = _members(path)
    name, kind = chance.choice(sorted(members)), chance.randrange(6)
    if kind == 0:
        del members[name]
    elif kind == 1:
        members[chance.choice(("../" * 9 + "x", "/tmp/x", "a\\b", "é", name.upper()))] = (
            members.pop(name)
        )
    elif kind == 2:
        members[name] = members[chance.choice(sorted(members))]
    elif kind == 3:
        members[name] = b""
    elif kind == 4:
        members |= {f"assets/{count}": b"x" for count in range(chance.choice((10, 2_000)))}
    else:
        members[name] = bytes(256 << 20)
        _zip(path, members, zipfile.ZIP_DEFLATED)
        return
    _zip(path, members)


def _archive_weights(path: Path, chance: random.Random) -> None:
    members = _members(path)
    inner = path.with_suffix(".weights.h5")
    inner.write_bytes(members[_WEIGHTS])
    chance.choice((_bytes, _h5_values))(inner, chance)
    members[_WEIGHTS] = inner.read_bytes()
    inner.unlink()
    _zip(path, members)


_ARCHIVE_EDITS: tuple[Edit, ...] = (
    *(_archive_config,) * 6,
    *(_bytes, _archive_text, _archive_members, _archive_weights, _archive_weights),
)


def _edit_config(config: Any, chance: random.Random) -> None:
    """Change one to three values anywhere in a model's config."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(json_values(config))
        if not places:
            return
        numbers = [(one, key) for one, key in places if isinstance(one[key], int | float)]
        holder, key = chance.choice(numbers if numbers and chance.random() < 0.4 else places)
        value = holder[key]
        if chance.random() < 0.12:
            del holder[key]
        elif key == "class_name":
            holder[key] = chance.choice((*_CLASSES, None, 1, ""))
        elif key in ("module", "registered_name"):
            holder[key] = chance.choice(_MODULES)
        else:
            holder[key] = other_value(value, chance, 1 << 40, "same", _nested(value))


def _nested(value: Any) -> Any:
    for _ in range(60):
        value = [value]
    return value


def _dumped(config: Any, chance: random.Random) -> bytes:
    text = json.dumps(config, ensure_ascii=chance.random() < 0.7)
    return text.encode(errors="surrogatepass")


# HDF5


def _h5_config(path: Path, chance: random.Random) -> None:
    """Edit the config that a whole model carries as an attribute."""
    import h5py

    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        _edit_config(config, chance)
        file.attrs["model_config"] = _dumped(config, chance)


def _h5_values(path: Path, chance: random.Random) -> None:
    """Change an attribute, or a data set's values, shape or type, or remove something."""
    import h5py

    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = chance.choice(sorted(names))
        node, kind = file[name], chance.randrange(4)
        if kind == 0:
            del file[name]
        elif kind == 1:
            holder = chance.choice((file, node))
            key = chance.choice([*holder.attrs, "weight_names", "keras_version"])
            text = chance.choice(TEXTS[:10]).encode(errors="replace")[:60_000]
            holder.attrs[key] = chance.choice((0, -1, text, np.zeros((2, 2)), np.zeros(0)))
        elif isinstance(node, h5py.Dataset):
            shape = chance.choice(((0,), (1,), (3, 3, 3, 3), (1 << 10, 1 << 10), node.shape[::-1]))
            value = chance.choice((0.0, np.nan, np.inf, 1e38))
            dtype = chance.choice(("f4", "f8", "f2", "i8", "u1", "S3"))
            del file[name]
            file[name] = np.full(shape, value).astype(dtype)
        else:
            file[name + "x"] = h5py.SoftLink(chance.choice(("/", "/none", name, name + "x")))


_H5_EDITS: tuple[Edit, ...] = (_bytes, _bytes, _h5_config, _h5_config, _h5_config, _h5_values)


# SavedModel


def _saved_bytes(path: Path, chance: random.Random) -> None:
    file = chance.choice(sorted(one for one in path.rglob("*") if one.is_file()))
    _bytes(file, chance)


def _saved_missing(path: Path, chance: random.Random) -> None:
    file = chance.choice(sorted(one for one in path.rglob("*") if one.name != "saved_model.pb"))
    if file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink()


def _saved_nodes(path: Path, chance: random.Random) -> None:
    """Edit nodes of the graph and of its functions: kinds, names, inputs, attributes."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    file = path / "saved_model.pb"
    model.ParseFromString(file.read_bytes())
    graph = model.meta_graphs[0].graph_def
    lists = [graph.node, *(function.node_def for function in graph.library.function)]
    for _ in range(chance.choice((1, 1, 2))):
        nodes = chance.choice([nodes for nodes in lists if len(nodes)])
        _edit_node(nodes, chance)
    file.write_bytes(model.SerializeToString())


def _edit_node(nodes: Any, chance: random.Random) -> None:
    node, kind = chance.choice(nodes), chance.randrange(6)
    if kind == 0:
        node.op = chance.choice(("WriteFile", "PyFunc", "Relu", "Conv2D", "While", "ReadFile", "x"))
    elif kind == 1:
        node.name = other_text(node.name, chance).encode(errors="replace").decode()
    elif kind == 2 and node.input:
        node.input[chance.randrange(len(node.input))] = chance.choice(nodes).name
    elif kind == 3 and node.attr:
        del node.attr[chance.choice(sorted(node.attr))]
    elif kind == 4 and node.attr:
        _edit_attribute(node.attr[chance.choice(sorted(node.attr))], chance)
    else:
        nodes.remove(node)


def _edit_attribute(value: Any, chance: random.Random) -> None:
    number = max(-(1 << 63), min(other_integer(2, chance), (1 << 63) - 1))
    if value.HasField("shape") and value.shape.dim:
        chance.choice(value.shape.dim).size = number
    elif value.HasField("list") and value.list.i:
        value.list.i[chance.randrange(len(value.list.i))] = number
    elif value.HasField("tensor"):
        value.tensor.tensor_content = damaged(value.tensor.tensor_content, chance)
        value.tensor.tensor_shape.dim.add().size = number
    elif value.HasField("type"):
        value.type = chance.randrange(1, 24)
    else:
        value.i = number


_SAVED_EDITS: tuple[Edit, ...] = (
    *(_saved_bytes, _saved_bytes, _saved_missing),
    *(_saved_nodes,) * 4,
)
