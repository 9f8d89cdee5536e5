"""Judge every form of a build's model on labelled images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.accuracy.forms import FLOAT, TFLITE_INT8, Batch, Forms
from edgesq.accuracy.maps import HINT as MASKS_HINT
from edgesq.accuracy.maps import IMAGES, MASKS, MapClass, MapCount, MapScore, map_judge, masks_of
from edgesq.accuracy.noise import LayerNoise, layer_noise
from edgesq.accuracy.outputs import OutputCount, OutputGap
from edgesq.accuracy.score import ClassScore, FormScore, class_scores, form_score, share
from edgesq.builds import TFLITE, read_float_weights, read_model
from edgesq.calibrate import Classes, Judge, check_count, has_masks, judge_of, probable_order
from edgesq.errors import ImageError, ModelError
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.tflite import read_stored_graph
from edgesq.graph import Graph, Int8Array
from edgesq.int8_only import need_int8
from edgesq.verify import Verified, recall
from edgesq.verify.images import VerifyImages, open_images, read_preprocessing

Float32Array = NDArray[np.float32]

SCHEMA_VERSION = 2
LAYER_IMAGES = 16
"""Images whose layers are looked at."""

OnProgress = Callable[[int, int], None]

_PARTS = ("forms", "classes", "maps", "map_classes", "outputs", "layers")


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
        maps: the forms, where the output is a map of classes; `forms` is empty then.
        map_classes: float against int8 by class, those that lose most first.
        outputs: how near raw outputs are, where they are no classes; `forms` is empty then.
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
    maps: tuple[MapScore, ...]
    map_classes: tuple[MapClass, ...]
    outputs: tuple[OutputGap, ...]
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
    floats: tuple[Float32Array, ...]
    int8: Int8Array


def evaluate(
    build: Path,
    source: Path,
    count: int | None = None,
    device: Verified | None = None,
    on_progress: OnProgress = lambda _done, _all: None,
    declared: Classes | None = None,
) -> AccuracyReport:
    """Run images through the float model and the int8 forms.

    A classifier is judged by labels, a map of classes by label maps; of other models the raw
    outputs are compared.

    Args:
        build: the BUILD folder.
        source: folder with one folder per class, or .npz with `input` and `labels`; for a map of
            classes a folder with `images` and `masks`, or .npz with `input` and `masks`; for other
            models images without labels.
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
    need_int8(graph, "`edgesq evaluate`", str(build / TFLITE))
    weights = read_float_weights(build)
    per_pixel = map_judge(graph)
    has_labels = per_pixel is not None and _has_masks(source)
    folder = source / IMAGES if has_labels and source.is_dir() else source
    images = open_images(build, graph, folder, count, declared)
    given = _Given(build, source, images, graph, content, weights, declared or Classes())
    if per_pixel and has_labels:
        return _of_maps(given, per_pixel, on_progress)
    if isinstance(judge_of(graph), str):
        return _of_outputs(given, on_progress)
    board = device or recall(build, graph.sha256, images.identity, images.count)
    return _of_classes(given, board, on_progress)


@dataclass(frozen=True, eq=False)
class _Given:
    """What is judged: a build's model and images."""

    build: Path
    source: Path
    images: VerifyImages
    graph: Graph
    content: bytes
    weights: dict[str, FloatWeights] | None
    declared: Classes

    def batches(self, wanted: Sequence[int], on_progress: OnProgress) -> Iterator[Batch]:
        forms = Forms(self.graph, self.content, self.weights, wanted)
        return forms.batches(self.build, self.images, on_progress)

    @property
    def absent(self) -> list[str]:
        """What is not there to be compared with."""
        return [] if self.weights else ["no float model: the build was made of an int8 model"]

    def report(self, notes: Sequence[str], **found: Any) -> AccuracyReport:
        """Return a report with what was found."""
        images = self.images
        empty: dict[str, Any] = dict.fromkeys(_PARTS, ())
        layers: Sequence[LayerNoise] = found.get("layers", ())
        facts = {
            "class_names": images.classes.names,
            "classes_by": images.classes.said_by,
            "layer_images": 0,
            "hurts": max(layers, key=lambda row: row.own_kl).name if layers else None,
        }
        return AccuracyReport(
            schema=SCHEMA_VERSION,
            model_sha256=self.graph.sha256,
            images=images.count,
            images_from=str(self.source),
            images_identity=images.identity,
            notes=tuple(notes),
            **{**empty, **facts, **found},
        )


def _of_classes(given: _Given, device: Verified | None, on_progress: OnProgress) -> AccuracyReport:
    images, graph, weights = given.images, given.graph, given.weights
    labels, judge = _judged(images)
    got = _run(given.batches([graph.scores], on_progress), judge)
    expected = got.by_form.get(FLOAT)
    forms = [form_score(form, rows, labels, expected) for form, rows in got.by_form.items()]
    board = _device(device, images)
    layers = weights and layer_noise(graph, given.content, weights, got.floats, got.int8, judge)
    notes = [*images.notes, *_order(got, labels, images, judge), *given.absent]
    if not board:
        notes.append("no device: `edgesq verify` these images first, or give --port")
    return given.report(
        notes,
        forms=(*forms, *([board] if board else [])),
        classes=_classes(got, labels, images.classes.names),
        layers=layers or (),
        layer_images=len(got.int8),
    )


def _of_maps(given: _Given, judge: Judge, on_progress: OnProgress) -> AccuracyReport:
    graph, images, named = given.graph, given.images, given.declared
    check_count(named, judge.classes)
    resize = read_preprocessing(given.build).resize
    masks = masks_of(given.source, images, resize, graph)
    count = MapCount(judge, str(given.source))
    for batch in given.batches([graph.scores], on_progress):
        count.add(batch, list(islice(masks, len(batch.int8))))
    known = f"no accuracy: {images.no_accuracy}"
    return given.report(
        [*(note for note in images.notes if note != known), *given.absent],
        maps=count.scores(),
        map_classes=count.classes(named.names),
        class_names=named.names,
        classes_by=named.said_by,
    )


def _of_outputs(given: _Given, on_progress: OnProgress) -> AccuracyReport:
    count = OutputCount(given.graph)
    for batch in given.batches(given.graph.outputs, on_progress):
        count.add(batch)
    notes = [f"{given.images.no_accuracy}: how near the raw outputs are is all that can be said"]
    if map_judge(given.graph):
        notes.append(f"for the mean intersection over union {MASKS_HINT}")
    return given.report([*notes, *given.absent], outputs=count.gaps())


def check_is_classifier(build: Path) -> None:
    """Refuse a model that a board cannot be judged by: `verify` tells it nothing of classes.

    Raises:
        ModelError: it gives no class.
        EdgesqError: `build` is not a BUILD folder, or damaged.
    """
    why = judge_of(read_stored_graph(read_model(build), str(build / TFLITE)))
    if isinstance(why, str):
        raise ModelError(
            f"a board is judged by classes: {why}",
            where=str(build / TFLITE),
            hint="`edgesq verify` compares every value; without --port the other forms are judged",
        )


def _has_masks(source: Path) -> bool:
    """Say whether label maps are given.

    Raises:
        ImageError: only masks are there, or only a folder of images for them.
    """
    if not source.is_dir():
        return has_masks(source)
    found = [(source / name).is_dir() for name in (IMAGES, MASKS)]
    if any(found) and not all(found):
        raise ImageError(
            f"has a folder {IMAGES if found[0] else MASKS} and no {MASKS if found[0] else IMAGES}",
            where=str(source),
            hint=MASKS_HINT,
        )
    return all(found)


def _classes(
    got: _Scores, labels: NDArray[np.int64], names: Sequence[str]
) -> tuple[ClassScore, ...]:
    if FLOAT not in got.by_form:
        return ()
    in_float, in_int8 = (got.by_form[form].argmax(axis=1) for form in (FLOAT, TFLITE_INT8))
    return class_scores(labels, in_float, in_int8, names)


def _order(
    got: _Scores, labels: NDArray[np.int64], images: VerifyImages, judge: Judge
) -> tuple[str, ...]:
    said = got.by_form[TFLITE_INT8].argmax(axis=1)
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


def _run(batches: Iterator[Batch], judge: Judge) -> _Scores:
    scores: dict[str, list[Float32Array]] = {}
    first: list[Batch] = []
    for batch in batches:
        if sum(len(one.int8) for one in first) < LAYER_IMAGES:
            first.append(batch)
        for form, (values,) in batch.made.items():
            scores.setdefault(form, []).append(judge.scores(values))
    floats = (np.concatenate(column) for column in zip(*(b.floats for b in first), strict=True))
    return _Scores(
        {form: np.concatenate(parts) for form, parts in scores.items()},
        tuple(column[:LAYER_IMAGES] for column in floats),
        np.concatenate([one.int8 for one in first])[:LAYER_IMAGES],
    )


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
