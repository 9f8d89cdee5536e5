"""From a float .tflite and images to a Source: look at the images, quantize."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.builds.model import Kind, Model
from edgesq.builds.source import Request, Source, levels_of
from edgesq.builds.steps import Step
from edgesq.calibrate import (
    AuditRow,
    Classes,
    Preprocessing,
    Sheet,
    Wanted,
    audit_images,
    judged_by,
    load_folder,
    make_sheet,
    read_inputs,
)
from edgesq.errors import ImageError, ModelError
from edgesq.formats.float_tflite import FloatTflite
from edgesq.formats.float_weights import FloatWeights, weights_of_float
from edgesq.formats.tflite import read_graph, reading_notes
from edgesq.graph import Graph, Int8Array
from edgesq.quantize import INPUT_NAME, quantized_tflite

_NOISE_SEED = 20261201


@dataclass(frozen=True, eq=False)
class _Audited:
    """A float .tflite with calibration images that were looked at, or come from an .npz.

    Attributes:
        floats: float32 [n, H, W, C].
        levels: makes the int8 model's images of them, as its graph quantizes its input.
    """

    request: Request
    model: Model
    floats: NDArray[np.float32]
    levels: Callable[[Graph], Int8Array]
    classes: Classes
    labels: NDArray[np.int64] | None
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    audit: tuple[AuditRow, ...] = ()
    notes: tuple[str, ...] = ()
    sheet: Sheet | None = None


def float_tflite_steps(opened: Callable[[Request], Model]) -> list[Step]:
    """Return the steps from a Request to a Source; `opened` reads the model."""

    def look(read: tuple[Request, Model]) -> _Audited:
        return _audited(*read)

    return [
        Step(Kind.FLOAT_TFLITE.value, lambda request: (request, opened(request))),
        Step("audit the calibration images", look),
        Step("quantize to int8", _quantized),
    ]


def quantized_with_noise(model: FloatTflite, where: str) -> bytes:
    """Return the int8 .tflite for its shapes alone.

    Raises:
        ModelError: TensorFlow cannot quantize it.
    """
    noise = np.random.default_rng(_NOISE_SEED).random((2, *model.shape), np.float32)
    return quantized_tflite(model.content, noise, where)


def _float(model: Model) -> FloatTflite:
    assert model.float_tflite is not None
    return model.float_tflite


def _audited(request: Request, model: Model) -> _Audited:
    """Load the calibration images and audit them.

    Raises:
        ImageError: they cannot be used, or are found wrong and that is to be refused.
    """
    taken = request.taken
    assert request.calibration is not None
    if request.has_arrays:
        return _of_array(request, model, request.calibration)
    images = load_folder(request.calibration, _float(model).hwc, taken.classes, taken.fit)
    audit = tuple(audit_images(images))
    wrong = [row.message for row in audit if not row.is_good]
    if taken.strict and wrong:
        hint = "mend the set, or leave out --strict"
        raise ImageError("; ".join(wrong), where=str(request.calibration), hint=hint)
    return _Audited(
        request,
        model,
        images.preprocessing.to_float(images.images),
        lambda graph: levels_of(graph, images.images, images.preprocessing),
        images.classes,
        images.labels,
        images.preprocessing,
        audit,
        images.notes,
        make_sheet(images, audit),
    )


def _of_array(request: Request, model: Model, calibration: Path) -> _Audited:
    source = _float(model)
    arrays = read_inputs(calibration, [Wanted((INPUT_NAME,), source.shape[1:])])
    preprocessing = Preprocessing()
    return _Audited(
        request,
        model,
        arrays.floats(preprocessing)[0].reshape(-1, *source.hwc),
        lambda graph: arrays.int8(graph, preprocessing),
        request.taken.classes or Classes(),
        arrays.labels,
    )


def _quantized(audited: _Audited) -> Source:
    request, floats, model = audited.request, audited.floats, _float(audited.model)
    shaped = [image.reshape(model.shape) for image in floats]
    content = quantized_tflite(model.content, shaped, str(request.path))
    graph = read_graph(content, str(request.path))
    int8 = audited.levels(graph)
    judged = judged_by(graph, audited.classes, audited.labels)
    assert request.calibration is not None
    return Source(
        audited.model.name,
        content,
        graph,
        None,
        int8,
        floats,
        f"{len(int8)} calibration images",
        int8,
        judged.labels,
        f"the calibration images of {request.calibration.name}",
        audited.preprocessing,
        audited.audit,
        original=model,
        weights=_weights(model, content),
        classes=judged.kept,
        image_notes=(*audited.notes, *judged.notes),
        notes=(*audited.model.notes, *reading_notes(content)),
        sheet=audited.sheet,
    )


def _weights(model: FloatTflite, content: bytes) -> dict[str, FloatWeights] | None:
    with contextlib.suppress(ModelError):  # the build says that they are left out
        return weights_of_float(model.content, content)
    return None
