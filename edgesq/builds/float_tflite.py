"""From a float .tflite and images to a Source: look at the images, quantize."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgesq.builds.model import Kind, Model
from edgesq.builds.source import Request, Source, levels_of
from edgesq.builds.steps import Step
from edgesq.calibrate import AuditRow, ImageSet, audit_images, judged_by, load_folder, make_sheet
from edgesq.errors import ImageError, ModelError
from edgesq.formats.float_tflite import FloatTflite
from edgesq.formats.float_weights import FloatWeights, weights_of_float
from edgesq.formats.tflite import read_graph, reading_notes
from edgesq.quantize import quantized_tflite

_NOISE_SEED = 20261201


@dataclass(frozen=True, eq=False)
class _Audited:
    """A float .tflite with calibration images that were looked at."""

    request: Request
    model: Model
    images: ImageSet
    audit: tuple[AuditRow, ...]


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
    images = load_folder(request.calibration, _float(model).hwc, taken.classes, taken.fit)
    audit = tuple(audit_images(images))
    wrong = [row.message for row in audit if not row.is_good]
    if taken.strict and wrong:
        hint = "mend the set, or leave out --strict"
        raise ImageError("; ".join(wrong), where=str(request.calibration), hint=hint)
    return _Audited(request, model, images, audit)


def _quantized(audited: _Audited) -> Source:
    request, images, model = audited.request, audited.images, _float(audited.model)
    floats = images.preprocessing.to_float(images.images)
    shaped = [image.reshape(model.shape) for image in floats]
    content = quantized_tflite(model.content, shaped, str(request.path))
    graph = read_graph(content, str(request.path))
    int8 = levels_of(graph, images.images, images.preprocessing)
    judged = judged_by(graph, images.classes, images.labels)
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
        images.preprocessing,
        audited.audit,
        original=model,
        weights=_weights(model, content),
        classes=judged.kept,
        image_notes=(*images.notes, *judged.notes),
        notes=(*audited.model.notes, *reading_notes(content)),
        sheet=make_sheet(images, audited.audit),
    )


def _weights(model: FloatTflite, content: bytes) -> dict[str, FloatWeights] | None:
    with contextlib.suppress(ModelError):  # the build says that they are left out
        return weights_of_float(model.content, content)
    return None
