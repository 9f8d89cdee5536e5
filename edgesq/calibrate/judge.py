"""Turn a model's outputs into a class, or say why they are none: one rule for all commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate.classes import Classes, check_count
from edgesq.graph import Graph
from edgesq.operators import Logistic, Softmax

Int64Array = NDArray[np.int64]

_FINEST = 1 / 512
"""Half a quantization step of an int8 probability: probabilities are clipped this far from 0 and
1."""

_MIN_SHARE, _MIN_IMAGES = 0.7, 10
"""Smallest share of the images that a permutation of classes must explain, and smallest number of
images to judge by."""


@dataclass(frozen=True)
class Judge:
    """How the scores of a model say a class: the largest one's, the first of equal ones.

    Attributes:
        classes: that it tells apart, at least 2.
        is_sigmoid: whether one output is the probability of class 1, which counts from above 0.5.
        is_sure: whether its outputs are classes by themselves, as those of a softmax; others may
            also be measures.
    """

    classes: int
    is_sigmoid: bool = False
    is_sure: bool = False

    def scores(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a score per class [..., classes] of what `Graph.scores` holds, [..., K] reals.

        Their softmax is the probability of each class.
        """
        if not self.is_sigmoid:
            return values
        one = np.clip(np.asarray(values, np.float64), _FINEST, 1 - _FINEST)
        return np.concatenate([np.zeros_like(one), np.log(one / (1 - one))], axis=-1)


def judge_of(graph: Graph) -> Judge | str:
    """Return how a model's outputs become a class, or why they cannot."""
    if len(graph.outputs) > 1:
        return f"the model has {len(graph.outputs)} outputs, which are no single class"
    height, width, outputs = graph.tensors[graph.output].hwc
    if height * width > 1:
        return f"the model's output is a map of {height} x {width} pixels, not a class"
    if outputs == 1 and isinstance(graph.last, Logistic):
        return Judge(2, is_sigmoid=True, is_sure=True)
    if outputs == 1:
        return "the model's one output is a measure, no probability: it has no sigmoid"
    return Judge(outputs, is_sure=isinstance(graph.last, Softmax))


def _why_unfit(judge: Judge, classes: Classes, labels: Int64Array | None) -> str | None:
    """Return why a model cannot be judged by labels; None where it can."""
    if labels is None:
        return "the images have no labels"
    worst = int(labels.max())
    if worst >= judge.classes:
        return f"label {worst} is none of the {judge.classes} classes that the model tells apart"
    named = len(classes.names)
    if named and not classes.is_declared and named != judge.classes and not judge.is_sure:
        return (
            f"the images have {named} classes and the model {judge.classes} outputs without a "
            "softmax: if they are classes, declare them with --classes FILE"
        )
    return None


@dataclass(frozen=True, eq=False)
class Judged:
    """Classes and labels of images, as far as they apply to one model.

    Attributes:
        judge: of the model; None where its outputs are no classes.
        classes: none where they are not the model's, or it has none.
        labels: None where the model cannot be judged by them.
        reason: why it cannot; None where it can.
        notes: what to know of it.
    """

    judge: Judge | None
    classes: Classes
    labels: Int64Array | None
    reason: str | None
    notes: tuple[str, ...]

    @property
    def kept(self) -> Classes:
        """The classes that a build keeps: declared, or as many as the model tells apart."""
        count = 0 if self.judge is None else self.judge.classes
        is_whole = self.classes.is_declared or len(self.classes.names) == count
        return self.classes if is_whole else Classes()


def judged_by(graph: Graph, classes: Classes, labels: Int64Array | None) -> Judged:
    """Say how far a model can be judged by the classes of some images.

    Args:
        graph: the model.
        classes: of the images; none where nobody says.
        labels: of the images, at least 0; None without.

    Raises:
        ImageError: more classes are declared than the model tells apart.
    """
    judge = judge_of(graph)
    if isinstance(judge, str):
        is_asked = labels is not None or classes.is_declared
        return Judged(None, Classes(), None, judge, (f"no accuracy: {judge}",) if is_asked else ())
    notes = check_count(classes, judge.classes)
    reason = _why_unfit(judge, classes, labels)
    if reason and labels is not None:
        notes = (*notes, f"no accuracy: {reason}")
    return Judged(judge, classes, None if reason else labels, reason, notes)


def probable_order(
    confusion: Mapping[tuple[int, int], int], classes: Classes, outputs: int
) -> str | None:
    """Say in a sentence what the class order probably is, where a confusion matrix tells.

    That is so where the model puts most images of each class into one other, of its own.

    Args:
        confusion: images by their class and the model's.
        classes: as they were numbered.
        outputs: classes that the model tells apart.
    """
    images = sum(confusion.values())
    said_of: dict[int, int] = {}
    for (label, said), _ in sorted(confusion.items(), key=lambda item: item[1]):
        said_of[label] = said
    explained = sum(confusion[pair] for pair in said_of.items())
    is_permutation = len(set(said_of.values())) == len(said_of) > 1
    if not is_permutation or images < max(_MIN_IMAGES, 3 * len(said_of)):
        return None
    if explained < _MIN_SHARE * images or all(label == said for label, said in said_of.items()):
        return None
    names = ["?"] * outputs
    for label, said in said_of.items():
        names[said] = classes.names[label] if label < len(classes.names) else str(label)
    order = Classes(tuple(names), f"that explains {explained / images:.0%} of the images")
    return f"your class order is probably {order}: declare it with --classes FILE"
