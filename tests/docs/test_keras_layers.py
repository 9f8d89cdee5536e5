"""The layers of Keras that the reference lists: each in a network that is read and compared."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.quantize import captured_output, to_int8_tflite
from edgesq.reference import run_observed
from support.paths import ROOT

pytestmark = pytest.mark.slow

SHAPE = (12, 12, 3)
PAGE = ROOT / "docs" / "reference" / "operators.md"


def windows(layers: Any, x: Any) -> Any:
    x = layers.Normalization(mean=[0.1] * 3, variance=[0.5] * 3)(layers.Rescaling(2.0, -1.0)(x))
    x = layers.Conv2D(8, 3, padding="same")(layers.ZeroPadding2D(1)(x))
    x = layers.LeakyReLU(0.1)(layers.BatchNormalization()(x))
    x = layers.MaxPooling2D(2)(layers.Dropout(0.5)(layers.GaussianNoise(0.1)(x)))
    x = layers.DepthwiseConv2D(3, padding="same", activation="tanh")(x)
    x = layers.AveragePooling2D(2)(layers.SpatialDropout2D(0.2)(x))
    x = layers.Reshape((27, 1, 8))(layers.SeparableConv2D(24, 1)(x))
    return layers.Softmax()(layers.Dense(5)(layers.Flatten()(x)))


def maps(layers: Any, x: Any) -> Any:
    x = layers.RandomFlip()(x)
    x = layers.ReLU()(layers.Conv2D(8, 3, padding="same")(x))
    one, two = (layers.Conv2D(8, 1, activation=name)(x) for name in ("relu6", "sigmoid"))
    x = layers.Add()([layers.Multiply()([one, two]), layers.Subtract()([one, x])])
    x = layers.Activation("hard_silu")(layers.Concatenate()([x, one]))
    x = layers.UpSampling2D()(layers.Cropping2D(1)(layers.Conv2D(4, 3)(x)))
    gate = layers.Dense(4, activation="hard_sigmoid")(layers.GlobalAveragePooling2D()(x))
    x = layers.Multiply()([x, layers.Reshape((1, 1, 4))(gate)])
    return layers.Dense(5)(layers.GlobalMaxPooling2D()(x))


def functions(layers: Any, x: Any) -> Any:
    import keras

    for name in NAMED:
        x = layers.Conv2D(6, 1)(layers.Activation(name)(x))
    for function in ("absolute", "cos", "exp", "floor", "negative", "sign", "sin", "square"):
        x = layers.Conv2D(6, 1)(getattr(keras.ops, function)(x))
    x = layers.PReLU(keras.initializers.RandomUniform(-0.5, 0.5), shared_axes=[1, 2])(x)
    x = layers.Maximum()([x, layers.Conv2D(6, 1)(x)])
    x = layers.Minimum()([x, layers.Conv2D(6, 3, padding="same")(x)])
    x = keras.ops.square(x - layers.Conv2D(6, 1)(x))
    x = layers.ReLU(threshold=0.5, max_value=2.0, negative_slope=0.1)(x)
    return layers.Average()([x, keras.ops.power(keras.ops.relu(x), 1.7)])


def sequences(layers: Any, x: Any) -> Any:
    x = layers.Reshape((48, 9))(x)
    x = layers.MaxPooling1D(2)(layers.Conv1D(8, 3, padding="causal", dilation_rate=2)(x))
    x = layers.SeparableConv1D(8, 3, activation="relu")(layers.ZeroPadding1D(1)(x))
    x = layers.DepthwiseConv1D(3, padding="same")(layers.UpSampling1D(2)(x))
    x = layers.Conv1DTranspose(8, 3, 2, padding="same")(layers.AveragePooling1D(2)(x))
    one = layers.GlobalAveragePooling1D()(layers.Cropping1D(2)(x))
    return layers.Dense(5)(layers.Concatenate()([one, layers.GlobalMaxPooling1D()(x)]))


def spread(layers: Any, x: Any) -> Any:
    x = layers.Conv2D(8, 3, padding="same", dilation_rate=2, activation="relu")(x)
    x = layers.SeparableConv2D(8, 3, padding="same", dilation_rate=(3, 3))(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=2)(x)
    x = layers.Conv2DTranspose(6, 3, 2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(4, 4, 3, output_padding=1)(layers.Resizing(7, 5)(x))
    x = layers.Resizing(9, 9, interpolation="nearest")(layers.Conv2D(4, 1)(x))
    return layers.UpSampling2D(2, interpolation="bilinear")(layers.Conv2D(4, 1)(x))


NAMED = (
    *(
        "celu",
        "elu",
        "exponential",
        "gelu",
        "hard_shrink",
        "hard_tanh",
        "log_sigmoid",
        "mish",
        "selu",
    ),
    *("silu", "soft_shrink", "softplus", "softsign", "sparse_plus", "squareplus", "tanh_shrink"),
)
"""Activations that no operator of TensorFlow Lite stands for, or one that makes a table."""

NETWORKS: tuple[Callable[[Any, Any], Any], ...] = (windows, maps, functions, sequences, spread)


class Noted:
    """Keras' layers, which notes those that are made."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        import keras

        self.names.add(name)
        return getattr(keras.layers, name)


def quantized(body: Any, layers: Any) -> tuple[bytes, Any]:
    """Return a network as int8 .tflite, and images for it."""
    import keras

    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    with captured_output():  # what TensorFlow says of a GPU that is not there
        image = keras.Input(SHAPE)
        model = keras.Model(image, body(layers, image))
    content = to_int8_tflite(model, rng.random((8, 1, *SHAPE), np.float32))
    return content, rng.integers(-128, 128, (3, *SHAPE), np.int8)


def test_the_layers_of_the_page_are_read_and_equal() -> None:
    layers = Noted()
    for body in NETWORKS:
        content, images = quantized(body, layers)
        expected = ReferenceInterpreter(content).observed(images)
        for wanted, got in zip(expected, run_observed(read_graph(content), images), strict=True):
            np.testing.assert_array_equal(wanted, got)
    page = PAGE.read_text()
    assert not [name for name in NAMED if name not in page]
    table = PAGE.read_text().partition("| layers of Keras |")[2].partition("\n\n")[0]
    cells = " ".join(line.split("|")[2] for line in table.splitlines()[2:])
    assert set(re.findall(r"\b[A-Z]\w+", cells)) == layers.names
