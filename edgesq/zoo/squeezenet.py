"""SqueezeNet v1.0 and v1.1 in Keras, with the paper's bypasses and metaparameters.

Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016,
sections 3, 5 and 6, and the v1.1 release notes of its authors.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from edgesq.extras import require

require("keras")

import keras
from keras import layers

from edgesq.zoo.architecture import (
    FIRE_MODULES,
    V1_0,
    V1_1,
    V1_1_SMALL,
    Bypass,
    FireWidths,
    Layout,
    Metaparameters,
    Shape,
    check,
)

__all__ = [
    "V1_0",
    "V1_1",
    "V1_1_SMALL",
    "Layout",
    "Metaparameters",
    "fold_batch_norm",
    "squeezenet",
    "squeezenet_v1_0",
    "squeezenet_v1_1",
]

_CONV10_STDDEV = 0.01
"""As in the authors' training file: logits start near zero, or conv10's ReLU dies early."""

# Keras' default initializer lets the signal fade through 17 ReLU layers until nothing learns.
_plain = partial(layers.Conv2D, activation="relu", kernel_initializer="he_uniform")


def squeezenet(
    layout: Layout,
    input_shape: Shape = (224, 224, 3),
    classes: int = 1000,
    *,
    bypass: Bypass = "none",
    relu_conv10: bool = True,
    include_softmax: bool = True,
    metaparameters: Metaparameters | None = None,
    dropout: float = 0.5,
    pad_conv10: bool = False,
    batch_norm: bool = False,
) -> keras.Model:
    """Build a SqueezeNet; input float32 [None, H, W, C], output float32 [None, classes].

    Args:
        layout: `V1_0`, `V1_1` or one of your own.
        input_shape: height, width, channels; the input is preprocessed, by default to [0, 1].
        classes: number of outputs.
        bypass: "simple" adds a Fire module's input to its output where their channels are equal;
            "complex" does so everywhere, through a 1x1 convolution where they differ.
        relu_conv10: keep the paper's ReLU after conv10; small sets train better without it.
        include_softmax: end in probabilities rather than logits.
        metaparameters: widths of the Fire modules; None for the paper's.
        dropout: share of fire9's output dropped in training; 0 leaves the layer out.
        pad_conv10: surround conv10's input with one pixel of zeros, as the authors' files do; only
            for reproducing their probabilities.
        batch_norm: normalize, for training, behind every convolution with a ReLU but conv10.

    Raises:
        ModelError: the input is smaller than conv1's kernel, a width would be below 1, or `bypass`
            is unknown.
    """
    check(layout, input_shape, classes, bypass)
    widths = metaparameters or Metaparameters()
    image = keras.Input(input_shape, name="input")
    convolve = _normalized if batch_norm else _plain
    x = _conv1(convolve, layout)(image)
    for number in range(1, FIRE_MODULES + 2):
        if number > 1:
            x = _fire(convolve, x, widths.fire(number - 2), bypass, f"fire{number}")
        if number in layout.pools_after:
            x = _ceil_max_pool(x, f"pool{number}")
    if dropout:
        x = layers.Dropout(dropout, name="drop9")(x)
    if pad_conv10:
        x = layers.ZeroPadding2D(1, name="pad10")(x)
    x = _classify(x, classes, "relu" if relu_conv10 else None)
    x = layers.Softmax(name="softmax")(x) if include_softmax else x
    return keras.Model(image, x, name=layout.name)


def _conv1(convolve: Any, layout: Layout) -> Any:
    """Return the first layer."""
    stride = layout.conv1_stride
    padding = "same" if stride == 1 else "valid"
    filters, size = layout.conv1_filters, layout.conv1_size
    return convolve(filters, size, strides=stride, padding=padding, name="conv1")


def _normalized(filters: int, size: int, **options: Any) -> Callable[[Any], Any]:
    """Return a convolution with batch normalization before its ReLU."""
    convolution = _plain(filters, size, activation=None, **options)

    def apply(x: Any) -> Any:
        x = layers.BatchNormalization(momentum=0.9, name=f"{convolution.name}_norm")(convolution(x))
        return layers.ReLU(name=f"{convolution.name}_relu")(x)

    return apply


def _fire(convolve: Any, x: Any, widths: FireWidths, bypass: Bypass, name: str) -> Any:
    """Add one Fire module, and the way around it that `bypass` asks for."""
    squeezed = convolve(widths.squeeze, 1, name=f"{name}_squeeze1x1")(x)
    expand_1x1 = convolve(widths.expand_1x1, 1, name=f"{name}_expand1x1")(squeezed)
    expand_3x3 = convolve(widths.expand_3x3, 3, padding="same", name=f"{name}_expand3x3")(squeezed)
    out = layers.Concatenate(name=f"{name}_concat")([expand_1x1, expand_3x3])
    same_channels = x.shape[-1] == widths.out
    if bypass == "none" or (bypass == "simple" and not same_channels):
        return out
    if not same_channels:
        x = _plain(widths.out, 1, activation=None, name=f"{name}_bypass1x1")(x)
    return layers.Add(name=f"{name}_bypass")([x, out])


def _ceil_max_pool(x: Any, name: str) -> Any:
    """Add a 3x3 max pool of stride 2 that keeps a last, partial window, as Caffe's does.

    Keras pads both axes alike, so an image odd on one axis and even on the other takes two pools.
    """
    vertical, horizontal = (_ceil_padding(size) for size in x.shape[1:3])
    if vertical == horizontal:
        return layers.MaxPooling2D(3, 2, padding=vertical, name=name)(x)
    x = layers.MaxPooling2D((3, 1), (2, 1), padding=vertical, name=f"{name}_rows")(x)
    return layers.MaxPooling2D((1, 3), (1, 2), padding=horizontal, name=f"{name}_columns")(x)


def _ceil_padding(size: int) -> str:
    """Return the Keras padding under which `size` pixels give ceil((size - 3) / 2) + 1, least 1."""
    return "valid" if size >= 3 and size % 2 == 1 else "same"


def _classify(x: Any, classes: int, activation: str | None) -> Any:
    """Add conv10 and the global average: [None, classes]."""
    x = layers.Conv2D(
        classes,
        1,
        activation=activation,
        kernel_initializer=keras.initializers.RandomNormal(stddev=_CONV10_STDDEV),
        name="conv10",
    )(x)
    return layers.GlobalAveragePooling2D(name="pool10")(x)


squeezenet_v1_0 = partial(squeezenet, V1_0)
"""SqueezeNet v1.0; arguments and errors as `squeezenet` from `input_shape` on."""

squeezenet_v1_1 = partial(squeezenet, V1_1)
"""SqueezeNet v1.1, 2.4 times fewer operations; arguments and errors as v1.0."""


def fold_batch_norm(trained: keras.Model, plain: keras.Model) -> None:
    """Give a model built without `batch_norm` what one trained with it computes.

    Args:
        trained: built with `batch_norm`.
        plain: the same otherwise; its weights are replaced.
    """
    names = {layer.name for layer in trained.layers}
    for layer in plain.layers:
        if not isinstance(layer, layers.Conv2D):
            continue
        kernel, bias = trained.get_layer(layer.name).get_weights()
        if f"{layer.name}_norm" in names:
            norm = trained.get_layer(f"{layer.name}_norm")
            gamma, beta, mean, variance = norm.get_weights()
            by = gamma / np.sqrt(variance + norm.epsilon)
            kernel, bias = kernel * by, (bias - mean) * by + beta
        layer.set_weights([kernel, bias])
