"""Judge every form of a build's model on labelled images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.accuracy.noise import LayerNoise, layer_noise
from edgesq.accuracy.score import ClassScore, FormScore, class_scores, form_score, share
from edgesq.builds import TFLITE, read_float_weights, read_model
from edgesq.calibrate import Classes, Judge, probable_order
from edgesq.errors import ImageError, ModelError
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.tflite import ReferenceInterpreter, read_stored_graph
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.verify import Verified, recall
from edgesq.verify.images import VerifyImages, open_images, read_preprocessing

Float32Array = NDArray[np.float32]

SCHEMA_VERSION = 1
LAYER_IMAGES = 16
"""Images whose layers are looked at."""

_BATCH = 16


@dataclass(frozen=True)
class AccuracyReport:
    """What was found. The field names are the JSON's keys.

    Attributes:
        schema: version of this shape.
        model_sha256: of the .tflite.
        images: labelled ones, judged.
        images_from: file or folder.
        images_identity: changes where the images do.
        forms: float, TFLite int8, ONNX int8, device, as far as they are there.
        classes: float against int8, those that lose most first; empty without a float model.
        layers: noise by operator; empty without a float model.
        layer_images: images that these are from.
        hurts: the operator whose rounding alone moves the model's answer most; None without them.
        class_names: by label; empty where nobody says.
        classes_by: who says so, in words.
        notes: what to know of classes and images, and what is absent, and why.
    """

    schema: int
    model_sha256: str
    images: int
    images_from: str
    images_identity: str
    forms: tuple[FormScore, ...]
    classes: tuple[ClassScore, ...]
    layers: tuple[LayerNoise, ...]
    layer_images: int
    hurts: str | None
    class_names: tuple[str, ...]
    classes_by: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Scores:
    """Scores [n, classes] of each form, and the first images."""

    by_form: dict[str, Float32Array]
    floats: Float32Array
    int8: Int8Array


def evaluate(
    build: Path,
    source: Path,
    count: int | None = None,
    device: Verified | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    declared: Classes | None = None,
) -> AccuracyReport:
    """Run labelled images through the float model and the int8 forms.

    Args:
        build: the BUILD folder.
        source: folder with one folder per class, or .npz with `input` and `labels`.
        count: take at most so many, at least 1, spread evenly over the classes.
        device: what `verify` found on a board; None for what the build remembers of these images.
        on_progress: called with (images done, images in all).
        declared: classes that are more to be believed than the build's.

    Raises:
        ImageError: the images cannot be used, or have no labels, or labels that are no class.
        ModelError, EdgesqError: `build` is not a BUILD folder, or damaged.
        MissingExtraError: ONNX is not installed.
    """
    content = read_model(build)
    graph = read_stored_graph(content, str(build / TFLITE))
    _refuse_several(graph, str(build / TFLITE))
    images = open_images(build, graph, source, count, declared)
    (labels, judge), weights = _judged(images), read_float_weights(build)
    got = _run(_Forms(graph, content, weights, judge), build, images, on_progress)
    expected = got.by_form.get("float")
    forms = [form_score(form, rows, labels, expected) for form, rows in got.by_form.items()]
    board = _device(device or recall(build, graph.sha256, images.identity, len(labels)), images)
    notes = [*images.notes, *_order(got, labels, images, judge)]
    notes += _absent(weights is not None, board is not None)
    layers = weights and layer_noise(graph, content, weights, got.floats, got.int8, judge)
    return AccuracyReport(
        SCHEMA_VERSION,
        graph.sha256,
        len(labels),
        str(images.source),
        images.identity,
        (*forms, *([board] if board else [])),
        _classes(got, labels, images.classes.names),
        layers or (),
        len(got.int8),
        max(layers, key=lambda row: row.own_kl).name if layers else None,
        images.classes.names,
        images.classes.said_by,
        tuple(notes),
    )


def _refuse_several(graph: Graph, where: str) -> None:
    if len(graph.inputs) > 1:
        raise ModelError(
            f"has {len(graph.inputs)} inputs, and accuracy is measured with one image",
            where=where,
            hint="`edgesq verify` compares every value of such a model",
        )


def _classes(
    got: _Scores, labels: NDArray[np.int64], names: Sequence[str]
) -> tuple[ClassScore, ...]:
    if "float" not in got.by_form:
        return ()
    in_float, in_int8 = (got.by_form[form].argmax(axis=1) for form in ("float", "TFLite int8"))
    return class_scores(labels, in_float, in_int8, names)


def _absent(has_float: bool, has_board: bool) -> list[str]:
    no_float = "no float model: the build was made of an int8 model"
    no_board = "no device: `edgesq verify` these images first, or give --port"
    return [*([] if has_float else [no_float]), *([] if has_board else [no_board])]


def _order(
    got: _Scores, labels: NDArray[np.int64], images: VerifyImages, judge: Judge
) -> tuple[str, ...]:
    said = got.by_form["TFLite int8"].argmax(axis=1)
    confusion = Counter(zip(labels.tolist(), said.tolist(), strict=True))
    order = probable_order(confusion, images.classes, judge.classes)
    return (order,) if order else ()


def _judged(images: VerifyImages) -> tuple[NDArray[np.int64], Judge]:
    """Return a class for each image, and what says the model's.

    Raises:
        ImageError: the model cannot be judged by them.
    """
    if images.labels is None or images.judge is None:
        raise ImageError(
            images.no_accuracy or "",
            where=str(images.source),
            hint="accuracy needs a classifier, and its images in one folder per class, or `labels` "
            "in the .npz",
        )
    return images.labels, images.judge


class _Forms:
    """All forms of a model that run here."""

    def __init__(
        self,
        graph: Graph,
        content: bytes,
        weights: dict[str, FloatWeights] | None,
        judge: Judge,
    ) -> None:
        from edgesq.formats.onnx import integer_onnx
        from edgesq.formats.onnx.twin import float_twin

        self.graph = graph
        self._judge = judge
        self._scores = graph.scores
        self._reference = ReferenceInterpreter(content)
        self._onnx = integer_onnx(graph)
        self._twin = weights and float_twin(graph, weights, [self._scores])

    def run(self, floats: Float32Array, int8: Int8Array) -> dict[str, Float32Array]:
        """Return the scores [n, classes] of a batch by form."""
        found = self._outputs(floats, int8)
        return {form: self._judge.scores(values) for form, values in found.items()}

    def _outputs(self, floats: Float32Array, int8: Int8Array) -> dict[str, Float32Array]:
        from edgesq.formats.onnx import run_onnx
        from edgesq.formats.onnx.twin import twin_activations

        tensor = self.graph.tensors[self._scores]
        golden = self._reference.tensors(int8, (self._scores,))[0]
        integer = run_onnx(self._onnx, int8)[-1].reshape(len(int8), -1)
        found = {"TFLite int8": _real(tensor, golden), "ONNX int8": _real(tensor, integer)}
        if not self._twin:
            return found
        rows = [made[0].reshape(-1) for made in twin_activations(self._twin, floats)]
        return {"float": np.stack(rows), **found}


def _real(tensor: Tensor, levels: Int8Array) -> Float32Array:
    return (levels.astype(np.float32) - np.float32(tensor.zero_point)) * np.float32(tensor.scale)


def _run(
    forms: _Forms,
    build: Path,
    images: VerifyImages,
    on_progress: Callable[[int, int], None],
) -> _Scores:
    batches: list[dict[str, Float32Array]] = []
    pairs = zip(_floats(build, images, forms.graph), images.read(), strict=False)
    first: list[tuple[Float32Array, Int8Array]] = []
    done = 0
    while batch := list(islice(pairs, _BATCH)):
        first += batch[: max(LAYER_IMAGES - len(first), 0)]
        floats, int8 = (np.stack(side) for side in zip(*batch, strict=True))
        batches.append(forms.run(floats, int8))
        done += len(batch)
        on_progress(done, images.count)
    scores = {form: np.concatenate([one[form] for one in batches]) for form in batches[0]}
    floats, int8 = (np.stack(side) for side in zip(*first, strict=True))
    return _Scores(scores, floats, int8)


def _floats(build: Path, images: VerifyImages, graph: Graph) -> Iterator[Float32Array]:
    """Yield the images as the float model sees them, where there are pixels unrounded."""
    tensor = graph.tensors[graph.input]
    if images.files is not None:
        preparation = read_preprocessing(build)
        for pixels in images.files.images(tensor.hwc, 0, preparation):
            yield preparation.to_float(pixels)
        return
    for levels in images.read():
        yield _real(tensor, levels).reshape(tensor.hwc)


def _device(report: Verified | None, images: VerifyImages) -> FormScore | None:
    """Return a board's score; None where it saw other images."""
    if (
        report is None
        or report.accuracy is None
        or (report.images_identity, report.images) != (images.identity, images.count)
    ):
        return None
    top5 = report.top5_accuracy
    fives = None if top5 is None else share(round(top5 * report.images), report.images)
    ones = share(round(report.accuracy * report.images), report.images)
    return FormScore("device", ones, fives, None, None)
