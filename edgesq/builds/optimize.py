"""Make the int8 model closer to its float model: quickly, or by `--optimize-accuracy`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgesq.builds.facts import AccuracyFacts, CompressionFacts
from edgesq.builds.runtime import FirmwareOptions
from edgesq.builds.source import Source
from edgesq.builds.steps import Step
from edgesq.errors import ModelError
from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.tflite import read_graph, read_stored_graph
from edgesq.int8_only import need_int8
from edgesq.plan import Candidate
from edgesq.repair.state import Quantized, check_unshared

FLOAT_WEIGHTS = "float_weights.npz"


@dataclass(frozen=True, eq=False)
class Improved:
    """A quantized model on its way to a firmware, with what the report says of improving it.

    Attributes:
        source: the model with its images.
        firmware: what firmware it is for.
        accuracy: of a search for a more exact model; None where none was made.
        compression: of compressing it; None where it was not asked for.
        chosen: the plan that compressing has measured it with; None without that.
    """

    source: Source
    firmware: FirmwareOptions
    accuracy: AccuracyFacts | None = None
    compression: CompressionFacts | None = None
    chosen: Candidate | None = None


def fitting_steps() -> list[Step]:
    """Return the step from an Improved to one fitted to its float model, where that can be."""
    return [Step("fit int8 to the float model", _fitted)]


def _fitted(improved: Improved) -> Improved:
    """Fit weights, biases and ranges, where there is one float image for one answer.

    Int16 activations, operators that share constants and unknown weights stay as they are.
    """
    source = improved.source
    is_one = source.has_one_end_each and not source.graph.is_int16
    if source.weights is None or source.floats is None or not is_one:
        return improved
    from edgesq.repair.search import Pictures  # imports onnx
    from edgesq.repair.usual import fitted

    model = Quantized(source.tflite, read_stored_graph(source.tflite), source.weights)
    try:
        check_unshared(model.graph)
        model = fitted(model, Pictures(source.floats, source.images))
    except ModelError:  # what has no float form is as exact as the converter made it
        return improved
    graph = read_graph(model.content, source.name)
    better = replace(source, tflite=model.content, graph=graph, weights=model.weights)
    return replace(improved, source=better)


def accuracy_steps(seconds: float, tell: Callable[[str], None]) -> list[Step]:
    """Return the step from an Improved to one with the most exact model found.

    Args:
        seconds: after which no further recipe is begun.
        tell: is told which recipe is tried.
    """
    return [
        Step("look for a more exact int8 model", lambda state: _optimized(state, seconds, tell))
    ]


def _optimized(improved: Improved, seconds: float, tell: Callable[[str], None]) -> Improved:
    """Look for a more exact int8 model.

    Raises:
        ModelError: activations are int16, there is no float model, or its weights are not found in
            the int8 one.
        ImageError: there are too few calibration images.
    """
    source = improved.source
    need_int8(source.graph, "--optimize-accuracy", source.name)
    if not source.has_one_end_each:
        raise ModelError(
            "accuracy is measured at one output of one image",
            where=source.name,
            hint="leave out --optimize-accuracy",
        )
    if source.weights is None or source.floats is None:
        raise ModelError(
            "there is no float model that accuracy could be measured against",
            where=source.name,
            hint="give the .keras file that it was made from, or leave out --optimize-accuracy",
        )
    from edgesq.repair.search import Pictures, repair  # imports onnx

    pictures = Pictures(source.floats, source.images)
    found = repair(source.tflite, source.weights, pictures, seconds, tell)
    graph = read_graph(found.content, source.name)
    better = replace(source, tflite=found.content, graph=graph, weights=found.weights)
    facts = AccuracyFacts(seconds, str(found.recipe), found.trials)
    return replace(improved, source=better, accuracy=facts)


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
