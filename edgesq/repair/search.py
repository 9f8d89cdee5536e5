"""Try recipes under a time budget, and keep what helps on images that were held out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ImageError
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.scales import roomier_scores
from edgesq.formats.tflite import read_stored_graph
from edgesq.graph import Graph, Int8Array
from edgesq.repair.equalize import equalized
from edgesq.repair.feedback import rounded
from edgesq.repair.judge import distance, float_scores, int8_scores
from edgesq.repair.ranges import RULES, Samples, choose, observe
from edgesq.repair.rounding import corrected
from edgesq.repair.state import Quantized, check_unshared
from edgesq.repair.trial import Trial

Float32Array = NDArray[np.float32]

MIN_IMAGES = 8
_FOLDS = 4
"""Folds of the cross-validation: each is held out once while recipes are fitted to the others."""

_HEADROOMS = (1.25, 1.5)
_STRENGTHS = (0.5, 1.0)
_MIN_GAIN = 0.02
"""Smallest relative gain in KL divergence for which a recipe is taken. A wider range for the scores
needs no gain: it costs next to nothing, and what it saves shows on few images."""


@dataclass(frozen=True)
class Recipe:
    """How an int8 model is made of a float one.

    Attributes:
        rule: of the activations' ranges, a key of `RULES`; None for the converter's own.
        headroom: by which the range of the scores is wider: the largest one decides, and what cuts
            it off makes the model uncertain of what it knows best.
        strength: of cross-layer equalization; 0 for none.
        correction: what is corrected layer by layer: nothing, biases, or biases and weights
            (`weights` sees what the int8 layers before give, `feedback` the float model's).
    """

    rule: str | None = None
    headroom: float = 1.0
    strength: float = 0.0
    correction: str = "nothing"

    def __str__(self) -> str:
        parts = [self.rule or "as converted"]
        parts += [f"scores x {self.headroom:g}"] * (self.headroom != 1)
        parts += [f"equalized by {self.strength:g}"] * bool(self.strength)
        parts += [f"{self.correction} corrected"] * (self.correction != "nothing")
        return ", ".join(parts)


STRENGTH, ROOM = 0.75, 1.125
"""Of the usual recipe. Equalized in full, each channel would be cut off at the largest value that
it had on few images, and so would the scores, which no other channel makes up for."""


def usual(graph: Graph) -> Recipe:
    """Return the recipe of every export: that of a model without a softmax gives scores no room."""
    room = 1.0 if graph.logits is None else ROOM
    return Recipe("min-max", room, STRENGTH, "feedback")


@dataclass(frozen=True, eq=False)
class Repaired:
    """The int8 model that was found.

    Attributes:
        content: the bytes of the .tflite.
        weights: its float weights, by operator name; other than those given where it is equalized.
        recipe: how it was made, from all images.
        trials: what was tried, in order.
    """

    content: bytes
    weights: Mapping[str, FloatWeights]
    recipe: Recipe
    trials: tuple[Trial, ...]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Calibration images.

    Attributes:
        floats: as the float model sees them, float32 [n, H, W, C].
        int8: as the int8 model sees them, [n, H, W, C].
    """

    floats: Float32Array
    int8: Int8Array

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Pictures:
        return Pictures(self.floats[chosen], self.int8[chosen])

    def reals(self, model: Quantized) -> Float32Array:
        """Return what the int8 model's input stands for."""
        tensor = model.graph.tensors[model.graph.input]
        levels = self.int8.astype(np.float32) - np.float32(tensor.zero_point)
        return np.asarray(levels * np.float32(tensor.scale))


def repair(
    content: bytes,
    weights: Mapping[str, FloatWeights],
    pictures: Pictures,
    seconds: float,
    on_trial: Callable[[str], None] = lambda _: None,
) -> Repaired:
    """Look for the int8 model that is closest to the float one.

    First the rules of ranges, then room for larger scores, equalization, and corrections, each on
    top of the best so far. A recipe counts by the KL divergence of the scores from the float
    model's on images that it was not fitted to: all of them, in four parts; for corrections, which
    take longer, the first part. What was found is fitted once more, to all images. A recipe begun
    within the time is ended, and the usual one is tried in any case, so more of it may pass.

    Args:
        content: the bytes of the .tflite, as the converter wrote them.
        weights: by operator name.
        pictures: calibration images.
        seconds: after which no further recipe is begun.
        on_trial: is told which recipe begins.

    Raises:
        ImageError: there are fewer than 8 images.
        ModelError: an operator has no float form, or two share their constants.
    """
    count = len(pictures.floats)
    if count < MIN_IMAGES:
        raise ImageError(
            f"{count} calibration images are too few to hold some out",
            hint=f"give {MIN_IMAGES} or more, or leave out --optimize-accuracy",
        )
    base = Quantized(content, read_stored_graph(content), weights)
    check_unshared(base.graph)
    search = _Search(base, pictures, time.monotonic() + seconds)
    best = search.run(on_trial)
    on_trial(f"{best}, from all images")
    found = RecipeRunner(base, pictures).make(best)
    # The same recipe is tried again where corrections begin; the last one is the one they beat.
    kept = max(i for i, one in enumerate(search.trials) if one.recipe == str(best))
    trials = tuple(replace(one, is_kept=i == kept) for i, one in enumerate(search.trials))
    return Repaired(found.content, found.weights, best, trials)


class RecipeRunner:
    """Makes int8 models by recipes from some images; what recipes share is made once."""

    def __init__(self, base: Quantized, pictures: Pictures) -> None:
        self._base = base
        self._pictures = pictures
        self._equalized: dict[float, Quantized] = {0.0: base}
        self._observed: dict[float, dict[tuple[int, ...], Samples]] = {}

    def make(self, recipe: Recipe) -> Quantized:
        """Return the model that a recipe makes."""
        strength, floats = recipe.strength, self._pictures.floats
        if strength not in self._equalized:
            self._equalized[strength] = equalized(self._base, floats, strength)
        model = self._equalized[strength]
        if recipe.rule is not None:
            if strength not in self._observed:
                self._observed[strength] = observe(model, floats)
            model = model.with_ranges(choose(self._observed[strength], RULES[recipe.rule]))
        if recipe.headroom != 1:
            model = model.with_ranges(roomier_scores(model.graph, recipe.headroom))
        if recipe.correction == "nothing":
            return model
        if recipe.correction == "feedback":
            return rounded(model, floats)
        with_weights = recipe.correction == "weights"
        return corrected(model, floats, self._pictures.reals(model), with_weights=with_weights)


@dataclass(frozen=True, eq=False)
class _Fold:
    """One part held out.

    Attributes:
        runner: with the other parts.
        held_out: the part.
        expected: the float model's scores of it, [n, K].
    """

    runner: RecipeRunner
    held_out: Pictures
    expected: Float32Array


class _Search:
    def __init__(self, base: Quantized, pictures: Pictures, deadline: float) -> None:
        parts = np.arange(len(pictures.floats)) % _FOLDS
        expected = float_scores(base, pictures.floats)
        self._folds = [
            _Fold(
                RecipeRunner(base, pictures[parts != part]),
                pictures[parts == part],
                expected[parts == part],
            )
            for part in range(_FOLDS)
        ]
        self._usual = usual(base.graph)
        self._deadline = deadline
        self.trials: list[Trial] = []

    def run(self, on_trial: Callable[[str], None]) -> Recipe:
        """Try recipes until the time is up; return the best."""
        best = Recipe()
        least = self._try(best, self._folds, on_trial)
        for stage, gain in ((_rules, _MIN_GAIN), (_headrooms, 0.0), (_strengths, _MIN_GAIN)):
            best, least = self._best(best, least, stage(best), self._folds, on_trial, gain)
        first = self._folds[:1]
        least = self._try(best, first, on_trial)
        plain = self._try(self._usual, first, on_trial)
        if plain < least:
            best, least = self._usual, plain
        best, _ = self._best(best, least, _corrections(best), first, on_trial)
        return best

    def _best(
        self,
        best: Recipe,
        least: float,
        recipes: Iterator[Recipe],
        folds: Sequence[_Fold],
        on_trial: Callable[[str], None],
        gain: float = _MIN_GAIN,
    ) -> tuple[Recipe, float]:
        """Return the best of some recipes, or the one before where none is better by `gain`."""
        found, found_kl = best, least
        for recipe in recipes:
            if time.monotonic() >= self._deadline:
                break
            kl = self._try(recipe, folds, on_trial)
            if kl < found_kl:
                found, found_kl = recipe, kl
        return (found, found_kl) if found_kl < least * (1 - gain) else (best, least)

    def _try(
        self, recipe: Recipe, folds: Sequence[_Fold], on_trial: Callable[[str], None]
    ) -> float:
        on_trial(str(recipe))
        start = time.monotonic()
        scores = [int8_scores(fold.runner.make(recipe).graph, fold.held_out.int8) for fold in folds]
        expected = np.concatenate([fold.expected for fold in folds])
        result = distance(expected, np.concatenate(scores))
        facts = (len(expected), result.kl, result.agreement, result.sqnr_db)
        self.trials.append(Trial(str(recipe), *facts, time.monotonic() - start))
        return result.kl


def _rules(best: Recipe) -> Iterator[Recipe]:
    for rule in RULES:
        yield replace(best, rule=rule)


def _headrooms(best: Recipe) -> Iterator[Recipe]:
    for headroom in _HEADROOMS:
        yield replace(best, headroom=headroom)


def _strengths(best: Recipe) -> Iterator[Recipe]:
    """Equalized models need ranges of their own."""
    for strength in _STRENGTHS:
        yield replace(best, strength=strength, rule=best.rule or "min-max")


def _corrections(best: Recipe) -> Iterator[Recipe]:
    for correction in ("biases", "weights", "feedback"):
        if correction != best.correction:
            yield replace(best, correction=correction)
