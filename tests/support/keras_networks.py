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


def along_axes() -> bytes:
    """Return a network that takes maps apart, turns, sums and joins them, along every axis."""
    from keras import ops

    def body(layers: Any, x: Any) -> Any:
        x = layers.Conv2D(12, 3, padding="same", activation="relu")(x)
        x = x + np.random.default_rng(3).normal(size=x.shape[1:]).astype(np.float32)
        halves = ops.split(layers.Permute((2, 1, 3))(x), 2, axis=-1)
        x = layers.Concatenate(axis=1)(
            [ops.take(halves[1], [5, 0, 3, 1, 2, 4], axis=-1), halves[0]]
        )
        seen = [ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=-1, keepdims=True)]
        x = x * layers.Conv2D(1, 3, padding="same", activation="sigmoid")(ops.concatenate(seen, -1))
        rows = ops.stack([ops.min(x, axis=1), ops.sum(x, axis=1)], axis=1)
        x = layers.Conv2D(10, 1)(layers.Concatenate(axis=1)([layers.Permute((1, 2, 3))(x), rows]))
        return layers.Softmax()(layers.GlobalAveragePooling2D()(x))

    return _quantized((10, 8, 3), body)


def resnet8() -> bytes:
    """Return the ResNet-8 of MLPerf Tiny: 32 x 32, 10 classes."""

    def block(layers: Any, x: Any, count: int, stride: int) -> Any:
        y = layers.Conv2D(count, 3, stride, "same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(count, 3, padding="same")(y))
        shortcut = x if stride == 1 else layers.Conv2D(count, 1, stride)(x)
        return layers.ReLU()(layers.Add()([shortcut, y]))

    def body(layers: Any, x: Any) -> Any:
        x = layers.Conv2D(16, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        for count, stride in ((16, 1), (32, 2), (64, 2)):
            x = block(layers, x, count, stride)
        x = layers.Flatten()(layers.AveragePooling2D(8)(x))
        return layers.Softmax()(layers.Dense(10)(x))

    return _quantized((32, 32, 3), body)


def mobilenet_v2(side: int, alpha: float = 0.25, classes: int = 10) -> bytes:
    """Return MobileNet v2; its first layer brings [0, 1] to [-1, 1]."""
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1))

    def block(layers: Any, x: Any, grow: int, count: int, stride: int) -> Any:
        y = x
        if grow > 1:
            wide = layers.Conv2D(x.shape[-1] * grow, 1, use_bias=False)(x)
            y = _normalized(layers, wide)
        y = layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(y)
        y = layers.Conv2D(count, 1, use_bias=False)(_normalized(layers, y))
        y = layers.BatchNormalization()(y)
        return layers.Add()([x, y]) if stride == 1 and x.shape[-1] == count else y

    def body(layers: Any, x: Any) -> Any:
        x = layers.Rescaling(2.0, -1.0)(x)
        x = _normalized(layers, layers.Conv2D(8, 3, 2, "same", use_bias=False)(x))
        for grow, channels, times, stride in stages:
            for number in range(times):
                count = max(8, int(alpha * channels) // 8 * 8)
                x = block(layers, x, grow, count, stride if number == 0 else 1)
        x = layers.GlobalAveragePooling2D()(x)
        return layers.Softmax()(layers.Dense(classes)(x))

    return _quantized((side, side, 3), body)


def mobilenet_v3() -> bytes:
    """Return a few blocks of MobileNet v3: hard swish, squeeze and excite."""

    def excited(layers: Any, x: Any) -> Any:
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(8, 1, activation="relu")(gate)
        gate = layers.Conv2D(x.shape[-1], 1, activation="hard_sigmoid")(gate)
        return layers.Multiply()([x, gate])

    def block(layers: Any, x: Any, wide: int, count: int, stride: int) -> Any:
        y = layers.Activation("hard_silu")(layers.Conv2D(wide, 1)(x))
        y = layers.DepthwiseConv2D(5, stride, "same")(y)
        y = excited(layers, layers.Activation("hard_silu")(y))
        y = layers.Conv2D(count, 1)(y)
        return layers.Add()([x, y]) if stride == 1 else y

    def body(layers: Any, x: Any) -> Any:
        x = layers.Activation("hard_silu")(layers.Conv2D(8, 3, 2, "same")(x))
        for wide, count, stride in ((24, 8, 1), (32, 16, 2), (48, 16, 1)):
            x = block(layers, x, wide, count, stride)
        x = layers.Activation("hard_silu")(layers.Conv2D(48, 1)(x))
        x = layers.Dense(32, activation="hard_silu")(layers.GlobalAveragePooling2D()(x))
        return layers.Softmax()(layers.Dense(10)(x))

    return _quantized((32, 32, 3), body)


def squeezenet_normalized(side: int) -> bytes:
    """Return a small SqueezeNet of four Fire modules, batch normalization behind each ReLU."""

    def conv(layers: Any, x: Any, count: int, size: int, stride: int = 1) -> Any:
        x = layers.Conv2D(count, size, stride, "same", activation="relu")(x)
        return layers.BatchNormalization()(x)

    def body(layers: Any, x: Any) -> Any:
        x = layers.MaxPooling2D(3, 2)(conv(layers, x, 32, 3, 2))
        for squeeze, expand in ((8, 32), (8, 32), (16, 64), (16, 64)):
            x = conv(layers, x, squeeze, 1)
            x = layers.Concatenate()([conv(layers, x, expand, 1), conv(layers, x, expand, 3)])
        x = layers.GlobalAveragePooling2D()(layers.Conv2D(10, 1)(x))
        return layers.Softmax()(x)

    return _quantized((side, side, 3), body)


def autoencoder() -> bytes:
    """Return the dense autoencoder of MLPerf Tiny: 5 frames of 128 bins, all values again."""

    def body(layers: Any, x: Any) -> Any:
        x = layers.Flatten()(x)
        for count in (128, 128, 8, 128, 128):
            x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(count)(x)))
        return layers.Dense(640)(x)

    return _quantized((5, 128, 1), body)


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
