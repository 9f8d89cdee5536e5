"""How right a model is whose output is a map of classes: intersection over union."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.accuracy.forms import FLOAT, TFLITE_INT8, Batch
from edgesq.calibrate import Judge, NpzMasks, Resize, read_mask
from edgesq.errors import ImageError
from edgesq.graph import Graph
from edgesq.operators import Logistic
from edgesq.verify.images import VerifyImages

Int64Array = NDArray[np.int64]
UInt8Array = NDArray[np.uint8]

IMAGES, MASKS = "images", "masks"
IGNORED = 255
"""The label of pixels that do not count."""

HINT = (
    f"give a folder with {IMAGES} and {MASKS} in it, the masks as .png of the same names whose "
    f"palette indices or grey values are class numbers, {IGNORED} where a pixel does not count; "
    "or an .npz with `input` and `masks` [n, H, W]"
)


@dataclass(frozen=True)
class MapScore:
    """One form of the model on all pixels that count.

    Attributes:
        form: which.
        mean_iou: mean of the intersection over union of the classes that the labels or the form
            have anywhere.
        pixels_right: share of the pixels with the class of the label.
        agreement: share of the pixels with the float model's class; None where it is not known.
    """

    form: str
    mean_iou: float
    pixels_right: float
    agreement: float | None


@dataclass(frozen=True)
class MapClass:
    """One class.

    Attributes:
        label: its number.
        name: "" where nobody says.
        pixels: that have it as their label.
        float_iou: intersection over union of the float model; None without it, and where neither
            labels nor model have the class.
        int8_iou: of the int8 model, likewise.
    """

    label: int
    name: str
    pixels: int
    float_iou: float | None
    int8_iou: float | None


def map_judge(graph: Graph) -> Judge | None:
    """Return how a pixel's values become a class; None where the one output is no such map."""
    height, width, values = graph.tensors[graph.output].hwc
    if len(graph.outputs) > 1 or height * width == 1:
        return None
    if values == 1:
        return Judge(2, is_sigmoid=True) if isinstance(graph.last, Logistic) else None
    return Judge(values)


def masks_of(
    source: Path, images: VerifyImages, resize: Resize, graph: Graph
) -> Iterator[UInt8Array]:
    """Yield the labels of each image's pixels, uint8 [h, w] of the output's size, as it is needed.

    A mask is cut and resized as its image, by the nearest pixel, and then to the output's size.

    Args:
        source: what the user gave.
        images: those that are judged.
        resize: how images get the model's size.
        graph: the model.

    Raises:
        ImageError: a mask is missing, or of another size than its image.
    """
    height, width, _ = graph.tensors[graph.input].hwc
    to = graph.tensors[graph.output].hwc[:2]
    if images.files is None:
        for mask in NpzMasks(source, (height, width), images.count).masks():
            yield _nearest(mask, to)
        return
    for file in images.files.files:
        path = source / MASKS / f"{file.stem}.png"
        yield _nearest(read_mask(path, file, (height, width), resize), to)


def _nearest(mask: UInt8Array, size: tuple[int, int]) -> UInt8Array:
    """Return a mask of another size: of the pixel that each one's centre lies in."""
    rows, columns = (
        ((2 * np.arange(to) + 1) * extent // (2 * to)).astype(np.int64)
        for to, extent in zip(size, mask.shape, strict=True)
    )
    return np.asarray(mask[rows[:, np.newaxis], columns], np.uint8)


class MapCount:
    """Pixels by label and class, of each form."""

    def __init__(self, judge: Judge, where: str) -> None:
        self._judge, self._where = judge, where
        self._sums: dict[str, Int64Array] = {}
        """By form, [3, classes]: pixels of which label, class, and both are that."""
        self._agreeing: dict[str, int] = {}

    def add(self, batch: Batch, masks: Sequence[UInt8Array]) -> None:
        """Count a batch, whose `made` has the scores of each pixel.

        Raises:
            ImageError: a label is no class of the model.
        """
        labels = np.stack(masks).reshape(-1).astype(np.int64)
        counts = labels != IGNORED
        labels, classes = labels[counts], self._judge.classes
        if labels.size and int(labels.max()) >= classes:
            raise ImageError(
                f"label {int(labels.max())} is none of the {classes} classes of the model's map",
                where=self._where,
                hint=f"{IGNORED} stands for pixels that do not count",
            )
        said = {form: self._classes(scores)[counts] for form, (scores,) in batch.made.items()}
        for form, found in said.items():
            parts = (labels, found, labels[labels == found])
            sums = np.stack([np.bincount(part, minlength=classes) for part in parts])
            self._sums[form] = self._sums.get(form, 0) + sums
            same = int(np.count_nonzero(found == said.get(FLOAT, found)))
            self._agreeing[form] = self._agreeing.get(form, 0) + same

    def _classes(self, scores: NDArray[np.float32]) -> Int64Array:
        """Return the class of every pixel of [n, values]: the largest score's, the first one's."""
        values = 1 if self._judge.is_sigmoid else self._judge.classes
        every = self._judge.scores(scores.reshape(-1, values))
        return np.asarray(every.argmax(axis=-1), np.int64)

    def scores(self) -> tuple[MapScore, ...]:
        """Return how right each form is.

        Raises:
            ImageError: no pixel counts.
        """
        rows = []
        for form, sums in self._sums.items():
            total, _, right = sums.sum(axis=1).tolist()
            if not total:
                raise ImageError("no pixel has a label", where=self._where, hint=HINT)
            found = [one for one in _ious(sums) if one is not None]
            agreement = self._agreeing[form] / total if FLOAT in self._sums else None
            rows.append(MapScore(form, sum(found) / len(found), right / total, agreement))
        return tuple(rows)

    def classes(self, names: Sequence[str]) -> tuple[MapClass, ...]:
        """Return every class that labels or forms have, those that lose most first."""
        int8 = _ious(self._sums[TFLITE_INT8])
        real: list[float | None] = [None] * len(int8)
        if FLOAT in self._sums:
            real = _ious(self._sums[FLOAT])
        pixels = self._sums[TFLITE_INT8][0].tolist()
        known = [*names, *[""] * len(int8)]
        rows = [
            MapClass(label, known[label], pixels[label], *both)
            for label, both in enumerate(zip(real, int8, strict=True))
            if both != (None, None)
        ]
        return tuple(sorted(rows, key=lambda row: (row.int8_iou or 0) - (row.float_iou or 0)))


def _ious(sums: Int64Array) -> list[float | None]:
    """Return the intersection over union of each class; None where it has no pixels."""
    return [
        both / (labels + said - both) if labels + said else None
        for labels, said, both in sums.T.tolist()
    ]
