"""From a model's file or folder to a float Keras model or an int8 .tflite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate import load_folder
from edgesq.errors import ModelError
from edgesq.files import read_bytes
from edgesq.graph import Graph, Int8Array
from edgesq.quantize import FloatModel, is_saved_model, load_keras, load_saved_model
from edgesq.zoo.demo import demo_model_path

if TYPE_CHECKING:
    import keras

_KERAS, _ONNX, _TFLITE = (".keras", ".h5", ".hdf5"), ".onnx", ".tflite"
_READ = "give a .keras, .h5, .onnx or int8 .tflite file, or a SavedModel's folder"


class Original(Protocol):
    """The file that an int8 model was imported from, in its own runtime."""

    def run_int8(self, images: Int8Array, graph: Graph) -> tuple[Int8Array, ...]:
        """Run int8 [n, H, W, C]; return what the tensors of `graph.observed` hold."""


@dataclass(frozen=True, eq=False)
class Model:
    """A model as its file gives it: either `keras` or `tflite` is there.

    Attributes:
        name: for reports.
        keras: a float model.
        tflite: an int8 model.
        original: runs the file that `tflite` was made of; None where it is that file.
        notes: what the import decided.
        takes_pixels: the file's image is of whole numbers, so pixels as they are.
    """

    name: str
    keras: keras.Model | None = None
    tflite: bytes | None = None
    original: Original | None = None
    notes: tuple[str, ...] = ()
    takes_pixels: bool = False


def is_float(path: Path) -> bool:
    """Say whether a model needs images to be quantized with.

    Raises:
        ModelError: there is no such file, it is of a kind that is not read, or damaged.
    """
    suffix = path.suffix.lower()
    if not path.exists():
        raise ModelError("no such model file", where=str(path), hint="check the path")
    if path.is_dir():
        if is_saved_model(path):
            return True
        raise ModelError(
            "a folder without saved_model.pb is not a model", where=str(path), hint=_READ
        )
    if suffix not in (*_KERAS, _ONNX, _TFLITE):
        raise ModelError(
            f"a {suffix or 'nameless'} file is not a model edgesq reads",
            where=str(path),
            hint=_READ,
        )
    if suffix == _ONNX:
        from edgesq.importers.onnx_file import is_int8

        return not is_int8(path)
    return suffix != _TFLITE


def open_model(
    path: Path, on_stage: Callable[[str], None], calibration: Path | None = None
) -> Model:
    """Read a model of any kind.

    Args:
        path: .keras, .h5, a SavedModel's folder, .onnx or int8 .tflite.
        on_stage: is told what begins.
        calibration: images, where an int8 .onnx leaves values without a scale.

    Raises:
        ModelError, ImageError: it cannot be used.
    """
    needs_images = is_float(path)
    suffix = path.suffix.lower()
    if suffix == _ONNX and not path.is_dir():
        on_stage("import the ONNX model")
        from edgesq.importers.onnx import ImportedFloat, import_onnx

        images = None if calibration is None else _images_of(calibration)
        made = import_onnx(path, images)
        if isinstance(made, ImportedFloat):
            pixels = made.takes_pixels
            return Model(path.stem, keras=made.keras, notes=made.notes, takes_pixels=pixels)
        return Model(path.stem, tflite=made.tflite, original=made.original, notes=made.notes)
    if path.is_dir():
        on_stage("load the SavedModel")
        return _of_float(path.name, load_saved_model(path))
    if needs_images:
        on_stage("load the Keras model")
        return _of_float(path.stem, load_keras(path, trusted=path == demo_model_path()))
    on_stage("read the .tflite")
    try:
        return Model(path.stem, tflite=read_bytes(path))
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _of_float(name: str, loaded: FloatModel) -> Model:
    return Model(name, loaded.keras, notes=loaded.notes, takes_pixels=loaded.takes_pixels)


def _images_of(folder: Path) -> Callable[[tuple[int, int, int]], NDArray[np.float32]]:
    def images(shape: tuple[int, int, int]) -> NDArray[np.float32]:
        loaded = load_folder(folder, shape)
        return loaded.preprocessing.to_float(loaded.images)

    return images
