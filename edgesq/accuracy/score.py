"""How often a model is right: shares with the intervals that so many images allow, by class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.repair.judge import log_softmax
from edgesq.verify.metrics import TOP

Float32Array = NDArray[np.float32]
Int64Array = NDArray[np.int64]

_Z = 1.959964
"""Of a normal distribution, 95 % lie within so many standard deviations."""


@dataclass(frozen=True)
class Share:
    """A part of the images.

    Attributes:
        hits: of these images.
        images: in all.
        share: hits / images.
        low, high: between which the share of all such images lies, with 95 % confidence.
    """

    hits: int
    images: int
    share: float
    low: float
    high: float


def share(hits: int, images: int) -> Share:
    """Return a share with its Wilson interval; `images` is at least 1.

    Source: E. B. Wilson, "Probable inference", J. Am. Stat. Assoc. 22, 1927.
    """
    part, square = hits / images, _Z * _Z / images
    centre = (part + square / 2) / (1 + square)
    half = math.sqrt(part * (1 - part) * square + square * square / 4) / (1 + square)
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    # Rounding must not leave the share itself outside.
    return Share(hits, images, part, min(low, part), max(high, part))


@dataclass(frozen=True)
class FormScore:
    """One form of the model on the labelled images.

    Attributes:
        form: which.
        top1: images whose class has the largest score (the first of equal ones).
        top5: images whose class is among the five largest; None where there are no more, or that
            was not measured.
        agreement: share of images with the float model's class; None where it is not known.
        kl: mean KL(float || this) of the softmax of the scores, in nats; None likewise.
    """

    form: str
    top1: Share
    top5: Share | None
    agreement: float | None
    kl: float | None


@dataclass(frozen=True)
class ClassScore:
    """One class.

    Attributes:
        label: its number.
        name: "" where nobody says.
        images: of it.
        float_right: of these, by the float model.
        int8_right: by the int8 model.
    """

    label: int
    name: str
    images: int
    float_right: int
    int8_right: int


def form_score(
    form: str, scores: Float32Array, labels: Int64Array, expected: Float32Array | None
) -> FormScore:
    """Judge scores [n, K]; `expected` are the float model's."""
    count = len(labels)
    # The number of larger scores, and of equal ones before it.
    own = np.take_along_axis(scores, labels[:, np.newaxis], axis=1)
    earlier = np.arange(scores.shape[1]) < labels[:, np.newaxis]
    rank = ((scores > own) | ((scores == own) & earlier)).sum(axis=1)
    agreement = kl = None
    if expected is not None:
        agreement = float(np.mean(expected.argmax(axis=1) == scores.argmax(axis=1)))
        p, q = log_softmax(expected), log_softmax(scores)
        kl = float(np.mean(np.sum(np.exp(p) * (p - q), axis=1)))
    one, five = (share(int(np.count_nonzero(rank < most)), count) for most in (1, TOP))
    return FormScore(form, one, five if scores.shape[1] > TOP else None, agreement, kl)


def class_scores(
    labels: Int64Array, in_float: Int64Array, in_int8: Int64Array, names: Sequence[str]
) -> tuple[ClassScore, ...]:
    """Count by class what both models got right, those that lose most first.

    Args:
        labels: [n].
        in_float: the float model's classes, [n].
        in_int8: the int8 model's.
        names: by label, or none.
    """
    rows = []
    for label in sorted(set(labels.tolist())):
        mine = labels == label
        rights = (int(np.count_nonzero(said[mine] == label)) for said in (in_float, in_int8))
        name = names[label] if label < len(names) else ""
        rows.append(ClassScore(label, name, int(mine.sum()), *rights))
    return tuple(sorted(rows, key=lambda row: row.int8_right - row.float_right))
