"""Measure tensors inside of a Keras model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

_NAME = "edgesq_probe"
_BATCH = 16


def probed(tensors: list[Any], measure: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """Return what `measure` makes of a model's tensors, as outputs of a model beside it.

    All of it is one layer. Operations of `keras.ops` that stood alone would get names, "max" say,
    that the user's own may have: Keras refuses two of a name.
    """
    import keras

    return list(keras.layers.Lambda(measure, name=_NAME)(tensors)) if tensors else []


def predicted(model: keras.Model, floats: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return what a model gives for images, an array for each output.

    As `predict` does, without the pipeline of data that it begins each time: with a small model
    that takes longer than all else.
    """
    import keras

    batches = (floats[start : start + _BATCH] for start in range(0, len(floats), _BATCH))
    made = [keras.tree.flatten(model.predict_on_batch(batch)) for batch in batches]
    return [np.concatenate(parts) for parts in zip(*made, strict=True)]
