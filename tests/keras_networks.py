"""Small Keras networks of other kinds than SqueezeNet, seeded weights."""

from typing import Any

import numpy as np

from edgesq.quantize import captured_output, to_int8_tflite

_SEED = 7

UNEVEN_SHAPE = (12, 12, 3)


def mobilenet(side: int, alpha: float = 0.25, classes: int = 10) -> bytes:
    """Return MobileNet v1, batch normalization folded, ReLU6."""
    channels = [int(alpha * count) for count in (64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)]
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)

    def body(layers: Any, x: Any) -> Any:
        x = _normalized(layers, layers.Conv2D(int(32 * alpha), 3, 2, "same", use_bias=False)(x))
        for count, stride in zip(channels, strides, strict=True):
            depthwise = layers.DepthwiseConv2D(3, stride, "same", use_bias=False)
            x = _normalized(layers, depthwise(x))
            x = _normalized(layers, layers.Conv2D(count, 1, use_bias=False)(x))
        x = layers.GlobalAveragePooling2D()(x)
        return layers.Softmax()(layers.Dense(classes)(x))

    return _quantized((side, side, 3), body)


def ds_cnn() -> bytes:
    """Return the small DS-CNN of keyword spotting: 49 x 10 features, 12 words."""

    def body(layers: Any, x: Any) -> Any:
        x = layers.Conv2D(64, (10, 4), 2, "same", activation="relu")(x)
        for _ in range(4):
            x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
            x = layers.Conv2D(64, 1, activation="relu")(x)
        x = layers.AveragePooling2D((25, 5))(x)
        return layers.Softmax()(layers.Dense(12)(layers.Flatten()(x)))

    return _quantized((49, 10, 1), body)


def lenet() -> bytes:
    """Return a LeNet-5 with ReLU and maximum pools: 28 x 28, 10 digits."""

    def body(layers: Any, x: Any) -> Any:
        x = layers.MaxPooling2D()(layers.Conv2D(6, 5, padding="same", activation="relu")(x))
        x = layers.MaxPooling2D()(layers.Conv2D(16, 5, activation="relu")(x))
        x = layers.Dense(120, activation="relu")(layers.Flatten()(x))
        return layers.Softmax()(layers.Dense(10)(layers.Dense(84, activation="relu")(x)))

    return _quantized((28, 28, 1), body)


def uneven_fire() -> Any:
    """Return a Fire module between two convolutions; channels differ a hundredfold in range."""
    import keras

    keras.utils.set_random_seed(11)
    layers = keras.layers
    image = keras.Input(UNEVEN_SHAPE)
    x = layers.Conv2D(8, 3, activation="relu", name="conv1")(image)
    x = layers.MaxPooling2D(2, name="pool")(x)
    squeezed = layers.Conv2D(6, 1, activation="relu", name="squeeze")(x)
    one = layers.Conv2D(8, 1, activation="relu", name="expand1")(squeezed)
    three = layers.Conv2D(8, 3, padding="same", activation="relu", name="expand3")(squeezed)
    x = layers.Concatenate(name="concat")([one, three])
    x = layers.Conv2D(10, 1, name="conv10")(x)
    x = layers.Softmax(name="softmax")(layers.GlobalAveragePooling2D(name="mean")(x))
    model = keras.Model(image, x, name="fire")
    for name in ("conv1", "squeeze", "expand1", "expand3"):
        layer = model.get_layer(name)
        kernel, bias = layer.get_weights()
        by = np.geomspace(0.1, 10, len(bias), dtype=np.float32)
        layer.set_weights([kernel * by, bias + 0.05 * by])
    return model


def unet() -> bytes:
    """Return a small U-Net: padded, half the size and back, cropped, the last windows in groups."""

    def body(layers: Any, x: Any) -> Any:
        x = layers.Conv2D(8, 3, 2, activation="relu")(layers.ZeroPadding2D(1)(x))
        low = layers.DepthwiseConv2D(3, 2)(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
        low = _normalized(layers, low)
        low = layers.Conv2D(8, 3, padding="same", activation="relu")(low)
        both = layers.Concatenate()([layers.UpSampling2D(2)(low), x])
        both = layers.Conv2D(8, 3, padding="same", groups=2, activation="relu")(both)
        both = layers.Conv2D(5, 1)(layers.Cropping2D(((1, 0), (0, 2)))(both))
        return layers.Softmax()(layers.GlobalAveragePooling2D()(both))

    return _quantized((20, 16, 3), body)


def shuffled() -> bytes:
    """Return a network that moves values: squares of pixels, halves of channels, a shortcut."""
    import tensorflow as tf

    def body(layers: Any, x: Any) -> Any:
        x = layers.Lambda(lambda t: tf.nn.space_to_depth(t, 2))(x)
        x = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
        one, two = (layers.Lambda(lambda t, k=k: t[..., 8 * k : 8 * k + 8])(x) for k in (0, 1))
        one = layers.Conv2D(8, 3, padding="same", groups=4, activation="relu")(one)
        x = layers.Concatenate()([two, one])
        short = layers.Lambda(lambda t: tf.pad(t[:, ::2, ::2], [[0, 0]] * 3 + [[4, 4]]))(x)
        x = layers.ReLU()(layers.Add()([short, layers.Conv2D(24, 3, 2, padding="same")(x)]))
        x = layers.Lambda(lambda t: tf.nn.depth_to_space(t, 2))(layers.Conv2D(12, 1)(x))
        return layers.Softmax()(layers.GlobalAveragePooling2D()(x))

    return _quantized((16, 16, 3), body)


def _normalized(layers: Any, x: Any) -> Any:
    return layers.ReLU(6.0)(layers.BatchNormalization()(x))


def _quantized(shape: tuple[int, int, int], body: Any) -> bytes:
    """Build a model, give its batch normalizations something to do, and quantize it."""
    import keras

    keras.utils.set_random_seed(_SEED)
    rng = np.random.default_rng(_SEED)
    with captured_output():  # what TensorFlow says of a GPU that is not there
        image = keras.Input(shape)
        model = keras.Model(image, body(keras.layers, image))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            _spread(layer, rng)
    return to_int8_tflite(model, rng.random((8, 1, *shape), np.float32))


def _spread(layer: Any, rng: np.random.Generator) -> None:
    """Let channels differ in scale and offset, as they do once trained."""
    _, _, mean, variance = layer.get_weights()
    count = len(mean)
    layer.set_weights(
        [
            rng.uniform(0.5, 2.0, count).astype(np.float32),
            rng.uniform(-0.2, 1.0, count).astype(np.float32),
            mean,
            (variance * rng.uniform(0.2, 1.0, count)).astype(np.float32),
        ]
    )
