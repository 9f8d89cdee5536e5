"""Audit a set of calibration images by the images alone.

Limits come from measurements on SqueezeNet v1.1 with ImageNet weights
(docs/explanation/decisions/017-calibration-audit.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesq.calibrate.folder import ImageSet
from edgesq.records import Count

ENOUGH_IMAGES = 32
MAX_DUPLICATES = 0.25
MIN_CORRELATION = 0.5
"""Smallest correlation of neighbouring pixels: photographs have more than 0.9, noise has 0."""

MAX_SHOWN = 12
"""Images that a check names."""

_ALIKE = 0.98
"""Cosine of two thumbnails above which they count as the same image."""

_THUMBNAIL = 16


@dataclass(frozen=True)
class AuditRow:
    """The result of one check.

    Attributes:
        check: what, in a word or two.
        figure: what was measured.
        limit: where it begins to be wrong.
        is_good: whether it is right.
        message: the figure in a sentence, and what to do where it is wrong.
        images: numbers of the images that make it wrong, at most MAX_SHOWN; none where it is
            right, or where no single image does.
    """

    check: str
    figure: float
    limit: float
    is_good: bool
    message: str
    images: tuple[Count, ...] = ()


def audit_images(images: ImageSet) -> tuple[AuditRow, ...]:
    """Look at number, likeness, classes and pixels of a calibration set."""
    return (
        _count(len(images.images)),
        _duplicates(images.images),
        _pixels(images.images),
        *_classes(images),
    )


def _count(count: int) -> AuditRow:
    return AuditRow(
        "images",
        count,
        ENOUGH_IMAGES,
        count >= ENOUGH_IMAGES,
        f"{count} images; with fewer than {ENOUGH_IMAGES} the ranges depend on the draw: "
        "give 64 or more",
    )


def _duplicates(images: NDArray[np.uint8]) -> AuditRow:
    thumbnails = np.stack([_thumbnail(image) for image in images])
    alike = thumbnails @ thumbnails.T - 2 * np.eye(len(thumbnails))
    found = alike.max(axis=1) > _ALIKE
    share = float(np.mean(found))
    return AuditRow(
        "near-duplicates",
        share,
        MAX_DUPLICATES,
        share <= MAX_DUPLICATES,
        f"{share:.0%} of the images have a near-duplicate in the set: such images count once, "
        "give different ones",
        _named(np.flatnonzero(found), share > MAX_DUPLICATES),
    )


def _named(numbers: NDArray[np.intp], is_wrong: bool) -> tuple[int, ...]:
    return tuple(numbers[:MAX_SHOWN].tolist()) if is_wrong else ()


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return 16 x 16 grey values less their mean, as a vector of length 1."""
    grey = Image.fromarray(image if image.shape[-1] == 3 else image[..., 0]).convert("L")
    small = grey.resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    values = np.asarray(small, np.float64).reshape(-1)
    values -= values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-9)


def _pixels(images: NDArray[np.uint8]) -> AuditRow:
    """Tell pictures from noise and from blank images."""
    values = images.astype(np.float64).mean(axis=-1)
    left, right = values[:, :, :-1] - values.mean(), values[:, :, 1:] - values.mean()
    together = (left * right).sum(axis=(1, 2))
    squares = (left**2).sum(axis=(1, 2)), (right**2).sum(axis=(1, 2))
    spread = float(np.sqrt(squares[0].sum() * squares[1].sum()))
    correlation = float(together.sum() / spread) if spread else 0.0
    each = together / np.maximum(np.sqrt(squares[0] * squares[1]), 1e-9)
    return AuditRow(
        "pictures",
        correlation,
        MIN_CORRELATION,
        correlation >= MIN_CORRELATION,
        f"neighbouring pixels correlate by {correlation:.2f}, in pictures by more than "
        f"{MIN_CORRELATION}: give images as the model will see them",
        _named(np.flatnonzero(each < MIN_CORRELATION), correlation < MIN_CORRELATION),
    )


def _classes(images: ImageSet) -> Iterator[AuditRow]:
    if images.labels is None:
        return
    count = len(set(images.labels.tolist()))
    yield AuditRow(
        "classes",
        count,
        2,
        count >= 2,
        f"{count} class{'es' * (count != 1)} in the set: give images of all that the model tells "
        "apart",
    )
