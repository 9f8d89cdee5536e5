"""What export does to each model that the converter has made int8: the quick part of repair."""

from __future__ import annotations

import numpy as np

from edgesq.repair.feedback import spread
from edgesq.repair.judge import Distance, distance, float_scores, int8_scores
from edgesq.repair.search import Pictures, RecipeRunner, usual
from edgesq.repair.state import Quantized

_JUDGED = 32
"""Images that the result is compared on, at most."""


def fitted(model: Quantized, pictures: Pictures) -> Quantized:
    """Return a model with evened-out channels and weights rounded with feedback.

    Or the one given, where that is nearer to the float model.

    Args:
        model: as the converter wrote it.
        pictures: calibration images, any number.
    """
    found = RecipeRunner(model, pictures).make(usual(model.graph))
    few = pictures[spread(len(pictures.floats), _JUDGED)]
    expected = float_scores(model, few.floats)
    before, after = (distance(expected, int8_scores(one.graph, few.int8)) for one in (model, found))
    return found if _is_nearer(after, before) else model


def _is_nearer(one: Distance, other: Distance) -> bool:
    """Say whether a model is nearer both in what it answers and in its scores."""
    noise, before = (np.inf if d.sqnr_db is None else d.sqnr_db for d in (one, other))
    return one.kl <= other.kl and noise >= before
