"""Networks of ST Edge AI's model zoo, which flash is compared on: random weights, fitted to noise.

Their batch normalizations hold what noise gives them, so activations have the ranges that trained
ones have.
"""

from typing import Any

import numpy as np

from edgesq.quantize import captured_output, to_int8_tflite
from edgesq.zoo import squeezenet

_SEED = 7
_CLASSES = 5
_IMAGES = 8


def fd_mobilenet_128() -> bytes:
    """Return FD-MobileNet 0.25: half the size four times in its first six layers."""
    channels = (16, 32, 32, 64, 64, *[128] * 5, 256)
    strides = (2, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1)

    def body(layers: Any, x: Any) -> Any:
        x = _normalized(layers, layers.Conv2D(8, 3, 2, "same", use_bias=False)(x))
        for count, stride in zip(channels, strides, strict=True):
            depthwise = layers.DepthwiseConv2D(3, stride, "same", use_bias=False)
            x = _normalized(layers, depthwise(x))
            x = _normalized(layers, layers.Conv2D(count, 1, use_bias=False)(x))
        x = layers.GlobalAveragePooling2D()(x)
        return layers.Softmax()(layers.Dense(_CLASSES)(x))

    def build(keras: Any) -> Any:
        image = keras.Input((128, 128, 3))
        return keras.Model(image, body(keras.layers, image))

    return _quantized(build)


def mobilenet_v1_96() -> bytes:
    """Return MobileNet v1 0.25 as Keras has it."""
    return _quantized(
        lambda keras: keras.applications.MobileNet(
            (96, 96, 3), alpha=0.25, weights=None, classes=_CLASSES
        )
    )


def mobilenet_v2_128() -> bytes:
    """Return MobileNet v2 0.35 as Keras has it."""
    return _quantized(
        lambda keras: keras.applications.MobileNetV2(
            (128, 128, 3), alpha=0.35, weights=None, classes=_CLASSES
        )
    )


def mobilenet_v2_144() -> bytes:
    """Return MobileNet v2 0.35 of 1000 classes, on which msf-CNN publishes its front."""
    return _quantized(
        lambda keras: keras.applications.MobileNetV2((144, 144, 3), alpha=0.35, weights=None)
    )


def fomo_96() -> bytes:
    """Return a detector like FOMO: MobileNet v2 0.35 to an eighth of the size, and two classes."""

    def build(keras: Any) -> Any:
        layers = keras.layers
        trunk = keras.applications.MobileNetV2(
            (96, 96, 3), alpha=0.35, weights=None, include_top=False
        )
        x = trunk.get_layer("block_6_expand_relu").output
        x = layers.Conv2D(32, 1, activation="relu")(x)
        return keras.Model(trunk.inputs, layers.Softmax()(layers.Conv2D(3, 1)(x)))

    return _quantized(build)


def squeezenet_v1_1_128() -> bytes:
    """Return SqueezeNet v1.1."""
    return _quantized(lambda _: squeezenet.squeezenet_v1_1((128, 128, 3), _CLASSES))


def resnet8_32() -> bytes:
    """Return the ResNet-8 of MLPerf Tiny, 10 classes."""

    def block(layers: Any, x: Any, count: int, stride: int) -> Any:
        y = layers.Conv2D(count, 3, stride, "same")(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(count, 3, padding="same")(y))
        shortcut = x if stride == 1 else layers.Conv2D(count, 1, stride)(x)
        return layers.ReLU()(layers.Add()([shortcut, y]))

    def build(keras: Any) -> Any:
        layers, image = keras.layers, keras.Input((32, 32, 3))
        x = layers.Conv2D(16, 3, padding="same")(image)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        for count, stride in ((16, 1), (32, 2), (64, 2)):
            x = block(layers, x, count, stride)
        x = layers.Flatten()(layers.AveragePooling2D(8)(x))
        return keras.Model(image, layers.Softmax()(layers.Dense(10)(x)))

    return _quantized(build)


def _normalized(layers: Any, x: Any) -> Any:
    return layers.ReLU(6.0)(layers.BatchNormalization()(x))


def _quantized(build: Any) -> bytes:
    """Build a model, fit its batch normalizations to noise, and quantize it."""
    import keras

    keras.utils.set_random_seed(_SEED)
    with captured_output():  # what TensorFlow says of a GPU that is not there
        model = build(keras)
    noise = np.random.default_rng(_SEED).random((_IMAGES, *model.input_shape[1:]), np.float32)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(noise, training=True)
    return to_int8_tflite(model, noise[:, np.newaxis])
