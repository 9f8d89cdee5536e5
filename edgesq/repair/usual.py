"""What export does to each model that the converter has made int8: the part of repair that is quick."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgesq.repair.equalize import USUAL_STRENGTH, equalized
from edgesq.repair.feedback import rounded
from edgesq.repair.judge import Distance, distance, float_scores, int8_scores
from edgesq.repair.ranges import choose, min_max, observe
from edgesq.repair.search import Pictures
from edgesq.repair.state import Quantized

_FITTED, _JUDGED = 64, 32
"""Images that weights are rounded on, and that the result is compared on, at most."""


def fitted(model: Quantized, pictures: Pictures) -> Quantized:
    """Return a model with evened-out channels and weights rounded with feedback.

    Or the one given, where that is nearer to the float model.

    Args:
        model: as the converter wrote it.
        pictures: calibration images, any number.
    """
    found = usual(model, pictures.floats)
    few = pictures[_spread(len(pictures.floats), _JUDGED)]
    expected = float_scores(model, few.floats)
    before, after = (
        distance(expected, int8_scores(one.graph, few.int8)) for one in (model, found)
    )
    return found if _is_nearer(after, before) else model


def usual(model: Quantized, images: NDArray[np.float32]) -> Quantized:
    """Return the model with evened-out channels, ranges and weights to match, uncompared.

    Args:
        model: as the converter wrote it.
        images: as the float model sees them, float32 [n, H, W, C].
    """
    even = equalized(model, images, USUAL_STRENGTH)
    even = even.with_ranges(choose(observe(even, images), min_max))
    return rounded(even, images[_spread(len(images), _FITTED)])


def _spread(count: int, most: int) -> NDArray[np.bool_]:
    """Choose at most so many of `count` images, from all over."""
    chosen = np.zeros(count, np.bool_)
    chosen[np.linspace(0, count - 1, min(most, count)).astype(np.intp)] = True
    return chosen


def _is_nearer(one: Distance, other: Distance) -> bool:
    """Say whether a model is nearer both in what it answers and in its scores."""
    noise, before = (np.inf if d.sqnr_db is None else d.sqnr_db for d in (one, other))
    return one.kl <= other.kl and noise >= before
