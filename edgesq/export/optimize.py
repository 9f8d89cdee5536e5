"""`--optimize-accuracy`: look for an int8 model that is closer to its float model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edgesq.errors import ModelError
from edgesq.export.facts import AccuracyFacts
from edgesq.export.source import Source
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.tflite import read_graph

MAX_TRIALS = 17
"""Recipes tried at most, the last one for all images included."""

FLOAT_WEIGHTS = "float_weights.npz"


def optimized(
    source: Source, seconds: float, on_stage: Callable[[str], None]
) -> tuple[Source, AccuracyFacts]:
    """Return the source with the int8 model that was found, and what the report says of it.

    Args:
        source: a quantized Keras model with its calibration images.
        seconds: after which no further recipe is begun.
        on_stage: is told what begins.

    Raises:
        ModelError: there is no float model, or its weights are not found in the int8 one.
        ImageError: there are too few calibration images.
    """
    from edgesq.repair.search import Pictures, repair  # imports onnx

    if source.weights is None or source.floats is None:
        raise ModelError(
            "there is no float model that accuracy could be measured against",
            where=source.name,
            hint="give the .keras file that it was made from, or leave out --optimize-accuracy",
        )
    pictures = Pictures(source.floats, source.images)
    found = repair(source.tflite, source.weights, pictures, seconds, on_stage)
    graph = read_graph(found.content, source.name)
    better = dataclasses.replace(source, tflite=found.content, graph=graph, weights=found.weights)
    return better, AccuracyFacts(seconds, str(found.recipe), found.trials)


def write_float_weights(path: Path, source: Source) -> None:
    """Keep the float weights, from which `evaluate` makes the float model of each layer.

    Raises:
        ModelError: they are not known.
    """
    if source.weights is None:
        raise ModelError("not every operator's weights are found in the float model")
    arrays = {
        f"{name}/{kind}": value
        for name, weights in source.weights.items()
        for kind, value in vars(weights).items()
    }
    np.savez(path, allow_pickle=False, **arrays)


def read_float_weights(folder: Path) -> dict[str, FloatWeights] | None:
    """Return what `write_float_weights` wrote; None where it had nothing to write.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / FLOAT_WEIGHTS
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = [key.removesuffix("/kernel") for key in archive if key.endswith("/kernel")]
            return {
                name: FloatWeights(
                    archive[f"{name}/kernel"],
                    archive[f"{name}/bias"],
                    archive[f"{name}/activation"].item(),
                )
                for name in names
            }
    # A damaged archive can raise nearly anything.
    except Exception as error:
        raise ModelError("is damaged", where=str(path), hint="export again") from error
