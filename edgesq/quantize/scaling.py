"""Find out how a model itself scales its input before its first real layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgesq.calibrate import AuditRow, Preprocessing

if TYPE_CHECKING:
    import keras

MAX_SPREAD = 16.0
"""Largest difference between a network's inputs for black and white: 1, 2, or 5 after division by
ImageNet's deviation; unscaled pixels have 255."""

MIN_SPREAD = 0.1
"""Smallest such difference: less means that pixels were scaled twice."""


def audit_scaling(model: keras.Model, declared: Preprocessing) -> AuditRow | None:
    """Look whether both the images' preprocessing and the model divide pixels by some 255.

    Args:
        model: one input [None, H, W, C].
        declared: from pixels to the model's input.

    Returns:
        None where the model begins with something else than a change of scale.
    """
    import keras

    names, end = _beginning(model)
    if not names:
        return None
    first = keras.Model(model.inputs[0], end)
    pixels = [np.full((1, *model.inputs[0].shape[1:]), level, np.uint8) for level in (0, 255)]
    spread = _spread(first, [declared.to_float(image) for image in pixels])
    alone = _spread(first, [image.astype(np.float32) for image in pixels])
    return AuditRow(
        "scaled twice",
        spread,
        MIN_SPREAD,
        spread >= MIN_SPREAD or alone > MAX_SPREAD,
        f"the model scales pixels itself ({', '.join(names)}), and they are multiplied by "
        f"{declared.scale:.3g} before that: white is {spread:.2g} from black then, {alone:.2g} "
        'without; set "preprocessing": {"scale": 1} in the folder\'s manifest.json',
    )


def _spread(first: keras.Model, ends: list[Any]) -> float:
    black, white = (np.asarray(first(image, training=False)) for image in ends)
    return float(np.abs(white - black).max())


def _beginning(model: keras.Model) -> tuple[list[str], Any]:
    """Return names and result of what changes the image's values, up to the first real layer."""
    import keras

    layers = keras.layers
    end: Any = model.inputs[0]
    names: list[str] = []
    while True:
        nodes = [
            node
            for operation in model.operations
            for node in operation._inbound_nodes
            if any(tensor is end for tensor in node.input_tensors)
        ]
        if len(nodes) != 1 or len(nodes[0].input_tensors) != 1:
            return names, end
        operation = nodes[0].operation
        scales = isinstance(operation, layers.Rescaling | layers.Normalization)
        if not scales and isinstance(operation, layers.Layer):
            return names, end
        end = nodes[0].outputs[0]
        names.append(operation.name)
