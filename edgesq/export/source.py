"""From what the user names to one int8 .tflite and the images that go with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate import (
    AuditRow,
    Classes,
    Fit,
    ImageSet,
    Preprocessing,
    audit_images,
    judged_by,
    load_folder,
    open_folder,
)
from edgesq.errors import ImageError, ModelError
from edgesq.export.model import Model, Original, is_float, open_model
from edgesq.formats.float_weights import FloatWeights, float_weights
from edgesq.formats.tflite import read_graph, read_stored_graph, reading_notes
from edgesq.graph import Graph, Int8Array, Quantization
from edgesq.quantize import audit_model, baked, silent_layer, to_int8_tflite
from edgesq.resources import resource
from edgesq.zoo.demo import demo_model_path, heldout

if TYPE_CHECKING:
    import keras

_NOISE_IMAGES = 16
_NOISE_SEED = 20261121
_NOISE_IS = "seeded noise"


@dataclass(frozen=True)
class CalibrationOptions:
    """How calibration images are taken.

    Attributes:
        classes: as declared; None for the folder's.
        fit: how images of another size get the model's; None for as the manifest says.
        strict: refuse images that the audit finds wrong.
    """

    classes: Classes | None = None
    fit: Fit | None = None
    strict: bool = False


@dataclass(frozen=True, eq=False)
class Source:
    """A quantized model with the images it is judged on.

    Attributes:
        name: for reports.
        tflite: the bytes every number comes from.
        graph: the same, parsed.
        keras: the float model; None for a .tflite.
        images: what `parity` compares, int8 [n, H, W, C].
        floats: the same images for the float model, float32 [n, H, W, C]; None without one.
        images_are: where they come from, in words.
        verify_images: what `verify` streams, int8 [m, H, W, C].
        verify_labels: int64 [m], or None.
        verify_images_are: where those come from, in words.
        preprocessing: from pixels to the model's input, that of `tflite`.
        audit: what was found of the calibration images; empty where nothing was quantized.
        original: runs the int8 file that `tflite` was made of; None where it is that file.
        notes: what the import of another format decided.
        declared: the preprocessing that the images' manifest declares, where the first layer of
            `tflite` and `keras` does what is missing in `preprocessing`; None where nothing is.
        weights: float weights by operator name, which `tflite` stands for; None where they are not
            known.
        classes: which class has which number, where that is declared, or the calibration images
            have as many as the model; none otherwise.
        image_notes: what to know of the calibration images and their classes.
    """

    name: str
    tflite: bytes
    graph: Graph
    keras: keras.Model | None
    images: Int8Array
    floats: NDArray[np.float32] | None
    images_are: str
    verify_images: Int8Array
    verify_labels: NDArray[np.int64] | None
    verify_images_are: str
    preprocessing: Preprocessing
    audit: tuple[AuditRow, ...] = ()
    original: Original | None = None
    notes: tuple[str, ...] = ()
    weights: Mapping[str, FloatWeights] | None = None
    declared: Preprocessing | None = None
    classes: Classes = field(default_factory=Classes)
    image_notes: tuple[str, ...] = ()

    @property
    def has_images(self) -> bool:
        """Whether `images` are the user's, and not noise."""
        return self.images_are != _NOISE_IS


def load_source(
    model: Path | None,
    calibration: Path | None,
    on_stage: Callable[[str], None],
    taken: CalibrationOptions | None = None,
) -> Source:
    """Read and, if need be, quantize a model.

    Args:
        model: .keras, .h5, SavedModel, .onnx or int8 .tflite; None for the bundled demo model.
        calibration: folder of images; None for the bundled ones (demo model) or none (int8).
        on_stage: is told what begins.
        taken: how the calibration images are taken.

    Raises:
        ModelError, ImageError: the model or its images cannot be used.
    """
    path = model or demo_model_path()
    if model is None:
        calibration = calibration or resource("calibration_data")
    if is_float(path) and calibration is None:
        raise ImageError(
            "a float model needs images to be quantized with",
            where=str(model),
            hint="give --calibration FOLDER with some 100 typical images",
        )
    if calibration is not None:
        # What is wrong with it is said before TensorFlow is loaded.
        open_folder(calibration, taken.classes if taken else None)
    opened = open_model(path, on_stage, calibration)
    taken = taken or CalibrationOptions()
    if opened.keras is None or calibration is None:
        return _from_int8(opened, path, calibration, taken)
    return _from_keras(opened, path, calibration, on_stage, taken)


def load_content(model: Path | None, on_stage: Callable[[str], None]) -> bytes:
    """Return a model as int8 .tflite for its shapes; a float one is quantized with some noise.

    Raises:
        ModelError: the model cannot be used.
    """
    path = model or demo_model_path()
    on_stage("quantize for its shapes" if is_float(path) else "read the model")
    opened = open_model(path, lambda _: None)
    if opened.tflite is not None:
        read_graph(opened.tflite, str(model))
        return opened.tflite
    assert opened.keras is not None
    shape = opened.keras.inputs[0].shape[1:]
    noise = np.random.default_rng(_NOISE_SEED).random((2, 1, *shape), np.float32)
    return to_int8_tflite(opened.keras, noise)


def load_graph(model: Path | None, on_stage: Callable[[str], None]) -> Graph:
    """Read a model for its shapes alone, as `load_content` does.

    Raises:
        ModelError: the model cannot be used.
    """
    return read_graph(load_content(model, on_stage), str(model))


def _from_keras(
    opened: Model,
    path: Path,
    calibration: Path,
    on_stage: Callable[[str], None],
    taken: CalibrationOptions,
) -> Source:
    model = opened.keras
    assert model is not None
    images = load_folder(calibration, _input_shape(model, path), taken.classes, taken.fit)
    images = _unscaled(images) if opened.takes_pixels else images
    on_stage("audit the calibration images")
    audit = (*audit_images(images), *audit_model(model, images))
    if taken.strict:
        _refuse(audit, calibration)
    model, preprocessing = baked(model, images.preprocessing) or (model, images.preprocessing)
    floats = preprocessing.to_float(images.images)
    on_stage("quantize to int8")
    content = _int8(model, floats, path)
    weights = _float_weights(model, content)
    if preprocessing != images.preprocessing and weights is not None:
        content = _all_pixels(content, weights)
    graph = read_graph(content, str(path))
    int8 = _quantized(graph, images.images, preprocessing)
    verify, labels = int8, images.labels
    verify_are = f"the calibration images of {calibration.name}"
    if path == demo_model_path():
        digits, labels = heldout()
        verify = _quantized(graph, digits, preprocessing)
        verify_are = "held-out digits"
    judged = judged_by(graph, images.classes, labels)
    return Source(
        opened.name,
        content,
        graph,
        model,
        int8,
        floats,
        f"{len(int8)} calibration images",
        verify,
        judged.labels,
        verify_are,
        preprocessing,
        audit,
        weights=weights,
        classes=judged.kept,
        image_notes=(*images.notes, *judged.notes),
        declared=None if preprocessing == images.preprocessing else images.preprocessing,
        notes=(*opened.notes, *reading_notes(content)),
    )


def _input_shape(model: keras.Model, path: Path) -> tuple[int, int, int]:
    shape = tuple(model.inputs[0].shape[1:]) if len(model.inputs) == 1 else ()
    if len(shape) != 3 or None in shape:
        raise ModelError(
            f"the input shape {list(shape)} is not a fixed [H, W, C]",
            where=str(path),
            hint="build the model with the input size that the board will see",
        )
    return shape[0], shape[1], shape[2]


def _unscaled(images: ImageSet) -> ImageSet:
    """Return images that come as pixels, whatever scale and mean their manifest declares."""
    pixels = replace(images.preprocessing, scale=1.0, mean=(0.0, 0.0, 0.0))
    return replace(images, preprocessing=pixels)


def _int8(model: keras.Model, floats: NDArray[np.float32], path: Path) -> bytes:
    content = to_int8_tflite(model, (image[np.newaxis] for image in floats))
    _check_ranges(model, floats, content, path)
    return content


def _check_ranges(
    model: keras.Model, floats: NDArray[np.float32], content: bytes, path: Path
) -> None:
    """Name the layer that gives nothing to be quantized, where the result cannot be used.

    Raises:
        ModelError: there is one, or another reason.
    """
    try:
        read_graph(content, str(path))
    except ModelError as error:
        silent = silent_layer(model, floats)
        if silent is None:
            raise
        raise ModelError(
            f"{silent} gives one value for all calibration images, so nothing can be quantized",
            where=str(path),
            hint="train the model, or look at its preprocessing and at the images",
        ) from error


def _float_weights(model: keras.Model, content: bytes) -> dict[str, FloatWeights] | None:
    with contextlib.suppress(ModelError):  # the build says that they are left out
        return float_weights(model, content)
    return None


def _all_pixels(content: bytes, weights: Mapping[str, FloatWeights]) -> bytes:
    """Give the input the levels 0 to 255, also where no image reaches both ends."""
    from edgesq.repair.state import Quantized

    model = Quantized(content, read_stored_graph(content), weights)
    return model.with_ranges({model.graph.input: Quantization((1.0,), -128)}).content


def _refuse(audit: tuple[AuditRow, ...], calibration: Path) -> None:
    """Raise ImageError with everything that the audit finds wrong."""
    wrong = [row.message for row in audit if not row.is_good]
    if wrong:
        raise ImageError(
            "; ".join(wrong), where=str(calibration), hint="mend the set, or leave out --strict"
        )


def _from_int8(
    opened: Model, path: Path, calibration: Path | None, taken: CalibrationOptions
) -> Source:
    content = opened.tflite
    assert content is not None
    graph = read_graph(content, str(path))
    shape = graph.tensors[graph.input].hwc
    preprocessing, labels = Preprocessing(resize=taken.fit), None
    classes = taken.classes or Classes()
    notes: tuple[str, ...] = ()
    if calibration is None:
        generator = np.random.default_rng(_NOISE_SEED)
        images = generator.integers(-128, 128, (_NOISE_IMAGES, *shape), np.int8)
        images_are = _NOISE_IS
    else:
        loaded = load_folder(calibration, shape, taken.classes, taken.fit)
        preprocessing, labels, notes = loaded.preprocessing, loaded.labels, loaded.notes
        classes = loaded.classes
        images = _quantized(graph, loaded.images, preprocessing)
        images_are = f"the images of {calibration.name}"
    judged = judged_by(graph, classes, labels)
    return Source(
        opened.name,
        content,
        graph,
        None,
        images,
        None,
        images_are,
        images,
        judged.labels,
        images_are,
        preprocessing,
        original=opened.original,
        notes=(*opened.notes, *reading_notes(content)),
        classes=judged.kept,
        image_notes=(*notes, *judged.notes),
    )


def _quantized(graph: Graph, images: NDArray[np.uint8], preprocessing: Preprocessing) -> Int8Array:
    tensor = graph.tensors[graph.input]
    return preprocessing.to_int8(images, tensor.scale, tensor.zero_point)
