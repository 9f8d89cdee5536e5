"""Fold the preprocessing into the first layer, so that the board takes raw pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesq.calibrate import Preprocessing
from edgesq.quantize.flat import flat
from edgesq.quantize.quiet import captured_output

if TYPE_CHECKING:
    import keras

PIXELS = Preprocessing(scale=1.0)
"""The model's input is the pixel's value, RGB."""


def baked(model: keras.Model, declared: Preprocessing) -> tuple[keras.Model, Preprocessing] | None:
    """Put channel order, mean and scale into the first layer's weights.

    w (p - m) s + b = (w s) p + (b - s sum(w m)): the same for every pixel inside. Outside, where
    a convolution pads with zeros, it is so only if the mean is 0. Pixels are then quantized
    without being rounded, and preparing them is one XOR.

    Args:
        model: its input is what `declared` makes of pixels; it is not changed.
        declared: size and crop stay as they are.

    Returns:
        another model, and what is left to do; None where nothing is gained (order RGB, mean 0) or
        where the first layer is none that could take it exactly.
    """
    has_mean = any(declared.mean)
    if not has_mean and declared.channel_order == "rgb":
        return None
    first = _first_layer(model)
    if first is None or (has_mean and first.padding != "valid"):
        return None
    with captured_output():
        copy = flat(model, model.name)
    _absorb(copy.get_layer(first.name), declared)
    return copy, replace(PIXELS, resize=declared.resize)


def _first_layer(model: keras.Model) -> Any:
    """Return the only layer that reads the image, where it is a convolution with a bias."""
    import keras

    source = model.inputs[0]
    readers = [
        layer
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
        and any(_reads(node, source) for node in layer._inbound_nodes)
    ]
    if len(readers) != 1 or type(readers[0]) is not keras.layers.Conv2D:
        return None
    layer = readers[0]
    alone = len(layer._inbound_nodes) == 1 and layer.groups == 1
    return layer if alone and layer.use_bias else None


def _reads(node: Any, source: Any) -> bool:
    return any(tensor is source for tensor in node.input_tensors)


def _absorb(layer: Any, declared: Preprocessing) -> None:
    kernel, bias = (values.astype(np.float64) for values in layer.get_weights())
    channels = kernel.shape[2]
    mean = np.array(declared.mean[:channels], np.float64)
    bias = bias - declared.scale * np.einsum("hwco,c->o", kernel, mean)
    if declared.channel_order == "bgr":
        kernel = kernel[:, :, ::-1]
    layer.set_weights([(kernel * declared.scale).astype(np.float32), bias.astype(np.float32)])
