"""From what the user names to a Source: read, look at the images, quantize."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgesq.builds.float_tflite import float_tflite_steps, quantized_with_noise
from edgesq.builds.model import Kind, Model, kind_of, open_model
from edgesq.builds.several import calibration_arrays, given_inputs, quantized_of_inputs
from edgesq.builds.source import (
    NOISE_IS,
    CalibrationOptions,
    Request,
    Source,
    as_they_are,
    levels_of,
    taking_pixels,
)
from edgesq.builds.steps import Driver, OnStage, Step
from edgesq.calibrate import (
    AuditRow,
    Classes,
    ImageSet,
    InputArrays,
    Preprocessing,
    audit_images,
    has_arrays,
    judged_by,
    load_folder,
    make_sheet,
    open_folder,
)
from edgesq.choices import Activations
from edgesq.errors import ImageError, ModelError
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


@dataclass(frozen=True, eq=False)
class _Opened:
    """A model that was read."""

    request: Request
    model: Model


@dataclass(frozen=True, eq=False)
class _OfArrays:
    """A float model, and arrays for its inputs."""

    opened: _Opened
    arrays: InputArrays


@dataclass(frozen=True, eq=False)
class _Audited:
    """A float model with calibration images that were looked at."""

    opened: _Opened
    keras: keras.Model
    images: ImageSet
    audit: tuple[AuditRow, ...]


def source_request(
    model: Path | None, calibration: Path | None, taken: CalibrationOptions | None = None
) -> Request:
    """Look at what is given before anything of it is loaded.

    Args:
        model: .keras, .h5, SavedModel, .onnx or .tflite; None for the bundled demo model.
        calibration: folder of images or .npz; None for the bundled ones (demo model) or none
            (int8).
        taken: how the calibration images are taken.

    Raises:
        ModelError, ImageError: the model or the folder is not there, or no images are given for a
            float model.
    """
    path, taken = model or demo_model_path(), taken or CalibrationOptions()
    if model is None:
        calibration = calibration or resource("calibration_data")
    kind = kind_of(path)
    if kind.is_float and calibration is None:
        raise ImageError(
            "a float model needs images to be quantized with",
            where=str(model),
            hint="give --calibration FOLDER with some 100 typical images",
        )
    if taken.activations is Activations.INT16 and (not kind.is_float or kind is Kind.FLOAT_TFLITE):
        raise ModelError(
            "keeps its activations as they are",
            where=str(path),
            hint="leave out --activations, or give the Keras or ONNX model in float",
        )
    if calibration is not None and not has_arrays(calibration):
        # What is wrong with it is said before TensorFlow is loaded.
        open_folder(calibration, taken.classes)
    return Request(path, kind, calibration, taken)


def loading_steps(kind: Kind) -> list[Step]:
    """Return the steps from a Request to a Source."""
    if kind is Kind.FLOAT_TFLITE:
        return float_tflite_steps(lambda request: _opened(request).model)
    if kind.is_float:
        return [
            Step(kind.value, _opened),
            Step("audit the calibration images", _audited),
            Step("quantize to int8", _quantized),
        ]
    return [Step(kind.value, lambda request: _from_int8(_opened(request)))]


def load_source(
    model: Path | None,
    calibration: Path | None,
    on_stage: OnStage,
    taken: CalibrationOptions | None = None,
) -> Source:
    """Read and, if need be, quantize a model; arguments as for `source_request`.

    Raises:
        ModelError, ImageError: the model or its images cannot be used.
    """
    request = source_request(model, calibration, taken)
    steps = loading_steps(request.kind)
    driver = Driver(on_stage)
    driver.announce(steps)
    source: Source = driver.run(steps, request)
    return source


def load_content(model: Path | None, on_stage: Callable[[str], None]) -> bytes:
    """Return a model as int8 .tflite for its shapes; a float one is quantized with some noise.

    Raises:
        ModelError: the model cannot be used.
    """
    path = model or demo_model_path()
    kind = kind_of(path)
    on_stage("quantize for its shapes" if kind.is_float else "read the model")
    opened = open_model(path, kind)
    if opened.tflite is not None:
        read_graph(opened.tflite, str(model))
        return opened.tflite
    if opened.float_tflite is not None:
        return quantized_with_noise(opened.float_tflite, str(model))
    assert opened.keras is not None
    random = np.random.default_rng(_NOISE_SEED)
    shapes = [one.shape[1:] for one in opened.keras.inputs]
    noise = ([random.random((1, *shape), np.float32) for shape in shapes] for _ in range(2))
    return to_int8_tflite(opened.keras, noise)


def load_graph(model: Path | None, on_stage: Callable[[str], None]) -> Graph:
    """Read a model for its shapes alone, as `load_content` does.

    Raises:
        ModelError: the model cannot be used.
    """
    return read_graph(load_content(model, on_stage), str(model))


def _opened(request: Request) -> _Opened:
    return _Opened(request, open_model(request.path, request.kind, request.calibration))


def _audited(opened: _Opened) -> _Audited | _OfArrays:
    """Load the calibration images and audit them.

    Raises:
        ImageError: they cannot be used, or are found wrong and that is to be refused.
    """
    request, model = opened.request, opened.model.keras
    assert model is not None
    assert request.calibration is not None
    if len(model.inputs) > 1 or request.has_arrays:
        return _OfArrays(opened, calibration_arrays(model, request.calibration))
    shape = _input_shape(model, request.path)
    images = load_folder(request.calibration, shape, request.taken.classes, request.taken.fit)
    images = _unscaled(images) if opened.model.takes_pixels else images
    audit = (*audit_images(images), *audit_model(model, images))
    if request.taken.strict:
        _refuse(audit, request.calibration)
    return _Audited(opened, model, images, audit)


def _quantized(audited: _Audited | _OfArrays) -> Source:
    """Quantize, and choose the images that the result is judged on."""
    if isinstance(audited, _OfArrays):
        return _quantized_of_arrays(audited)
    request, images = audited.opened.request, audited.images
    path, declared = request.path, images.preprocessing
    activations = request.taken.activations
    is_int8 = activations is Activations.INT8
    pixels_in = baked(audited.keras, declared) if is_int8 else None  # for its input's 256 levels
    model, preprocessing = pixels_in or (audited.keras, declared)
    floats = preprocessing.to_float(images.images)
    content = to_int8_tflite(model, (image[np.newaxis] for image in floats), activations)
    graph = _read_quantized(model, floats, content, path)
    weights = _float_weights(model, content)
    if preprocessing != declared and weights is not None:
        content = _all_pixels(content, weights)
        graph = read_graph(content, str(path))
    int8 = levels_of(graph, images.images, preprocessing)
    verify, labels = int8, images.labels
    assert request.calibration is not None
    verify_are = f"the calibration images of {request.calibration.name}"
    if path == demo_model_path():
        digits, labels = heldout()
        verify = levels_of(graph, digits, preprocessing)
        verify_are = "held-out digits"
    judged = judged_by(graph, images.classes, labels)
    return Source(
        audited.opened.model.name,
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
        audited.audit,
        weights=weights,
        classes=judged.kept,
        image_notes=(*images.notes, *judged.notes),
        declared=None if preprocessing == declared else declared,
        notes=(*audited.opened.model.notes, *reading_notes(content)),
        sheet=make_sheet(images, audited.audit),
    )


def _quantized_of_arrays(audited: _OfArrays) -> Source:
    model, request = audited.opened.model, audited.opened.request
    assert request.calibration is not None
    classes = request.taken.classes or Classes()
    return quantized_of_inputs(
        model, audited.arrays, request.calibration, classes, request.taken.activations
    )


def _input_shape(model: keras.Model, path: Path) -> tuple[int, int, int]:
    shape = tuple(model.inputs[0].shape[1:])
    if len(shape) != 3:
        raise ModelError(
            f"the input shape {list(shape)} is no image [H, W, C]",
            where=str(path),
            hint=f"give --calibration FILE.npz with input {['n', *shape]}",
        )
    return shape[0], shape[1], shape[2]


def _unscaled(images: ImageSet) -> ImageSet:
    """Return images that come as pixels, whatever scale and mean their manifest declares."""
    return replace(images, preprocessing=as_they_are(images.preprocessing))


def _read_quantized(
    model: keras.Model, floats: NDArray[np.float32], content: bytes, path: Path
) -> Graph:
    """Read what was quantized; where it cannot be used, name the layer that gives nothing.

    Raises:
        ModelError: there is such a layer, or another reason.
    """
    try:
        return read_graph(content, str(path))
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


def _noise(graph: Graph) -> Int8Array:
    """Return images of noise, of `Graph.image_shape` each."""
    generator, tensor = np.random.default_rng(_NOISE_SEED), graph.tensors[graph.input]
    low, high = tensor.levels
    return generator.integers(low, high + 1, (_NOISE_IMAGES, *graph.image_shape), tensor.dtype)


def _from_int8(read: _Opened) -> Source:
    """Take images for an int8 model: those of the user, or else noise."""
    request, opened = read.request, read.model
    path, calibration, taken = request.path, request.calibration, request.taken
    content = opened.tflite
    assert content is not None
    graph = read_graph(content, str(path))
    preprocessing, labels = taking_pixels(graph, Preprocessing(resize=taken.fit)), None
    classes = taken.classes or Classes()
    notes: tuple[str, ...] = ()
    sheet = None
    if calibration is None:
        images = _noise(graph)
        images_are = NOISE_IS
    elif len(graph.inputs) > 1 or request.has_arrays:
        images, arrays = given_inputs(graph, calibration)
        labels, images_are = arrays.labels, f"the images of {calibration.name}"
    else:
        loaded = load_folder(calibration, graph.tensors[graph.input].hwc, taken.classes, taken.fit)
        preprocessing = taking_pixels(graph, loaded.preprocessing)
        labels, notes, classes = loaded.labels, loaded.notes, loaded.classes
        images = levels_of(graph, loaded.images, preprocessing)
        images_are = f"the images of {calibration.name}"
        sheet = make_sheet(loaded)
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
        sheet=sheet,
    )
