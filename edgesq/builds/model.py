"""From a model's file or folder to a float Keras model or an int8 .tflite."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate import Preprocessing, Wanted, has_arrays, load_folder, read_inputs
from edgesq.errors import ModelError
from edgesq.extras import require
from edgesq.files import read_bytes
from edgesq.formats.float_tflite import FloatTflite, is_float_tflite
from edgesq.graph import Graph, Int8Array
from edgesq.quantize import FloatModel, is_saved_model, load_keras, load_saved_model
from edgesq.zoo.demo import demo_model_path

if TYPE_CHECKING:
    import keras

_KERAS, _ONNX, _TFLITE = (".keras", ".h5", ".hdf5"), ".onnx", ".tflite"
_READ = "give a .keras, .h5, .onnx or .tflite file, or a SavedModel's folder"


class Kind(Enum):
    """What a model's file or folder is; the value is what reading it is called."""

    KERAS = "load the Keras model"
    SAVED_MODEL = "load the SavedModel"
    FLOAT_ONNX = "import the float ONNX model"
    INT8_ONNX = "import the int8 ONNX model"
    TFLITE = "read the .tflite"
    FLOAT_TFLITE = "read the float .tflite"

    @property
    def is_float(self) -> bool:
        """Whether it needs images to be quantized with."""
        return self not in (Kind.INT8_ONNX, Kind.TFLITE)

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages of the extra `convert` that reading it needs."""
        if self is Kind.FLOAT_TFLITE:
            return ("tensorflow",)
        return ("tensorflow", "keras", "h5py") if self.is_float else ()


class Original(Protocol):
    """The file that an int8 model was imported from, in its own runtime."""

    def run_int8(self, images: Int8Array, graph: Graph) -> tuple[Int8Array, ...]:
        """Run int8 [n, H, W, C]; return what the tensors of `graph.observed` hold."""


@dataclass(frozen=True, eq=False)
class Model:
    """A model as its file gives it: one of `keras`, `tflite` and `float_tflite` is there.

    Attributes:
        name: for reports.
        keras: a float model.
        tflite: an int8 model.
        original: runs the file that `tflite` was made of; None where it is that file.
        notes: what the import decided.
        float_tflite: a float model that is no Keras model.
        takes_pixels: the file's images are of whole numbers, so pixels as they are.
    """

    name: str
    keras: keras.Model | None = None
    tflite: bytes | None = None
    original: Original | None = None
    notes: tuple[str, ...] = ()
    takes_pixels: bool = False
    float_tflite: FloatTflite | None = None


def kind_of(path: Path) -> Kind:
    """Return what a model is; an .onnx file is opened for it.

    Raises:
        ModelError: there is no such file, it is of a kind that is not read, or damaged.
        MissingExtraError: reading its kind needs packages that are not installed.
    """
    kind = _kind_of(path)
    require(*kind.packages)
    return kind


def _kind_of(path: Path) -> Kind:
    suffix = path.suffix.lower()
    if not path.exists():
        raise ModelError("no such model file", where=str(path), hint="check the path")
    if path.is_dir():
        if is_saved_model(path):
            return Kind.SAVED_MODEL
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

        return Kind.INT8_ONNX if is_int8(path) else Kind.FLOAT_ONNX
    return _kind_of_tflite(path) if suffix == _TFLITE else Kind.KERAS


def _kind_of_tflite(path: Path) -> Kind:
    """Return what a .tflite is; a damaged one is refused where it is read."""
    with contextlib.suppress(OSError, ModelError):
        return Kind.FLOAT_TFLITE if is_float_tflite(read_bytes(path), str(path)) else Kind.TFLITE
    return Kind.TFLITE


def open_model(path: Path, kind: Kind, calibration: Path | None = None) -> Model:
    """Read a model of any kind.

    Args:
        path: .keras, .h5, a SavedModel's folder, .onnx or .tflite.
        kind: which of them it is.
        calibration: images, where an int8 .onnx leaves values without a scale.

    Raises:
        ModelError, ImageError: it cannot be used.
    """
    if kind in (Kind.FLOAT_ONNX, Kind.INT8_ONNX):
        return _of_onnx(path, calibration)
    if kind is Kind.SAVED_MODEL:
        return _of_float(path.name, load_saved_model(path))
    if kind is Kind.KERAS:
        return _of_float(path.stem, load_keras(path, trusted=path == demo_model_path()))
    try:
        content = read_bytes(path)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if kind is Kind.TFLITE:
        return Model(path.stem, tflite=content)
    made = FloatTflite(content, str(path))
    return Model(path.stem, notes=made.notes, float_tflite=made)


def _of_onnx(path: Path, calibration: Path | None) -> Model:
    from edgesq.importers.onnx import ImportedFloat, import_onnx

    images = None if calibration is None else _images_of(calibration)
    made = import_onnx(path, images)
    if isinstance(made, ImportedFloat):
        return Model(path.stem, made.keras, notes=made.notes, takes_pixels=made.takes_pixels)
    return Model(path.stem, tflite=made.tflite, original=made.original, notes=made.notes)


def _of_float(name: str, loaded: FloatModel) -> Model:
    return Model(name, loaded.keras, notes=loaded.notes, takes_pixels=loaded.takes_pixels)


def _images_of(
    calibration: Path,
) -> Callable[[Mapping[str, tuple[int, ...]]], list[NDArray[np.float32]]]:
    def images(shapes: Mapping[str, tuple[int, ...]]) -> list[NDArray[np.float32]]:
        if len(shapes) > 1 or has_arrays(calibration):
            numbers = [""] if len(shapes) == 1 else range(len(shapes))
            named = zip(numbers, shapes.items(), strict=True)
            wanted = [Wanted((f"input{number}", name), shape) for number, (name, shape) in named]
            return read_inputs(calibration, wanted).floats(Preprocessing())
        ((height, width, channels),) = shapes.values()
        loaded = load_folder(calibration, (height, width, channels))
        return [loaded.preprocessing.to_float(loaded.images)]

    return images
