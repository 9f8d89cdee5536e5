"""Weights in Keras .h5 files: the layout of Keras 1 and 2, and that of Keras 3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from edgesq.zoo.weights.arrays import Arrays, Shapes, damaged, read_file


def read_h5(path: Path, shapes: Shapes) -> Arrays:
    """Read a weights file or a whole model.

    Keras 1 and 2: one group per layer, named in the attribute `layer_names`; in a whole model below
    `model_weights`. Keras 3 (`.weights.h5`): `layers/NAME/vars/0` and `1`; older ones of these name
    layers `conv2d`, `conv2d_1`, ... in the order of the network.

    Args:
        path: the file.
        shapes: the convolutions the model has, in order.

    Raises:
        ModelError: missing or damaged.
    """
    read_file(path)
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            layers = _keras_3(root, shapes) if "layers" in root else _keras_2(root)
            return {name: array for layer in layers for name, array in layer}
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise damaged(path, "Keras .h5") from error


_Layer = list[tuple[str, Any]]


def _keras_2(root: Any) -> Iterator[_Layer]:
    for layer in root.attrs["layer_names"]:
        group = root[layer]
        values = [group[name][()] for name in group.attrs["weight_names"]]
        if values:
            yield _named(_text(layer), values)


def _keras_3(root: Any, shapes: Shapes) -> Iterator[_Layer]:
    groups = {
        name: [group["vars"][key][()] for key in sorted(group["vars"], key=int)]
        for name, group in root["layers"].items()
        if "vars" in group and len(group["vars"])
    }
    if set(groups) <= {_counted(place) for place in range(len(groups))}:
        groups = {
            name: groups[_counted(place)]
            for place, name in enumerate(shapes)
            if place < len(groups)
        }
    for name, values in groups.items():
        yield _named(name, values)


def _counted(place: int) -> str:
    return f"conv2d_{place}" if place else "conv2d"


def _named(layer: str, values: list[Any]) -> _Layer:
    name = layer.replace("_", "/")
    kinds = {4: "kernel", 1: "bias"}
    return [
        (f"{name}/{kinds.get(value.ndim, 'weights')}", np.asarray(value, np.float32))
        for value in values
    ]


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
