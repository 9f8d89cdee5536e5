"""Sources of models that are quantized with an .npz, which has an array for each input."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgesq.builds.model import Model
from edgesq.builds.source import Source, taking_pixels
from edgesq.calibrate import (
    Classes,
    InputArrays,
    Preprocessing,
    Wanted,
    judged_by,
    read_inputs,
    wanted_of,
)
from edgesq.choices import Activations
from edgesq.errors import ModelError
from edgesq.formats.float_weights import FloatWeights, float_weights
from edgesq.formats.tflite import read_graph, reading_notes
from edgesq.graph import Graph, Int8Array
from edgesq.quantize import input_names, to_int8_tflite

if TYPE_CHECKING:
    import keras


def calibration_arrays(model: keras.Model, calibration: Path) -> InputArrays:
    """Read the arrays that a float model is quantized with; that of one input is `input`.

    Raises:
        ImageError: they are not there, or do not suit the inputs.
    """
    names = input_names(model)
    wanted = [
        Wanted((str(one.name), name) if len(names) > 1 else (name,), tuple(one.shape[1:]))
        for one, name in zip(model.inputs, names, strict=True)
    ]
    return read_inputs(calibration, wanted)


def quantized_of_inputs(
    opened: Model,
    arrays: InputArrays,
    calibration: Path,
    classes: Classes,
    activations: Activations,
) -> Source:
    """Quantize a float model with arrays.

    Raises:
        ModelError, ImageError: the model or its arrays cannot be used.
    """
    name, model = opened.name, opened.keras
    assert model is not None
    preprocessing = Preprocessing(scale=1.0) if opened.takes_pixels else Preprocessing()
    floats = arrays.floats(preprocessing)
    images = ([part[np.newaxis] for part in image] for image in zip(*floats, strict=True))
    content = to_int8_tflite(model, images, activations)
    graph = read_graph(content, name)
    in_order = _in_the_files_order(graph, model, arrays)
    int8 = in_order.int8(graph, preprocessing)
    weights: dict[str, FloatWeights] | None = None
    with contextlib.suppress(ModelError):  # the build says that they are left out
        weights = float_weights(model, content)
    judged = judged_by(graph, classes, arrays.labels)
    has_one = len(floats) == 1
    return Source(
        name,
        content,
        graph,
        model,
        int8,
        floats[0].reshape(len(int8), *graph.image_shape) if has_one else None,
        f"{len(int8)} calibration images",
        int8,
        judged.labels,
        f"the calibration images of {calibration.name}",
        preprocessing,
        weights=weights,
        float_inputs=tuple(floats),
        classes=judged.kept,
        image_notes=judged.notes,
        notes=(*opened.notes, *reading_notes(content)),
    )


def _in_the_files_order(graph: Graph, model: keras.Model, arrays: InputArrays) -> InputArrays:
    """Return the arrays as the converter has put the inputs."""
    if len(arrays.arrays) == 1:
        return arrays
    names = input_names(model)
    order = [_index(names, graph.tensors[index].name) for index in graph.inputs]
    return InputArrays(tuple(arrays.arrays[at] for at in order), arrays.labels, arrays.identity)


def _index(names: Sequence[str], tensor: str) -> int:
    return names.index(tensor.partition(":")[0])


def given_inputs(graph: Graph, calibration: Path) -> tuple[Int8Array, InputArrays]:
    """Return the images of an int8 model in an .npz, and what they were read from.

    Raises:
        ImageError: they are not there, or do not suit the inputs.
    """
    arrays = read_inputs(calibration, wanted_of(graph))
    return arrays.int8(graph, taking_pixels(graph, Preprocessing())), arrays
