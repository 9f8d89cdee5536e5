"""Write the bad inputs that lie beside this file: `python tests/support/invalid/make.py`."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from edgesq.quantize import to_int8_tflite

HERE = Path(__file__).resolve().parent
SHAPE = (8, 8, 3)


def network(*layers: keras.layers.Layer) -> keras.Model:
    """Return a seeded convolution with a global average, and `layers` between them."""
    keras.utils.set_random_seed(1)
    average = keras.layers.GlobalAveragePooling2D()
    return keras.Sequential([keras.Input(SHAPE), keras.layers.Conv2D(4, 3), *layers, average])


def unknown_layers() -> list[keras.layers.Layer]:
    """Return a convolution in three dimensions, which no int8 .tflite has, and what is known."""
    layers = keras.layers
    height, width, channels = SHAPE[0] - 2, SHAPE[1] - 2, 4
    deep = layers.Conv3D(2, 1)
    shapes = ((height, width, channels, 1), (height, width, 2 * channels))
    return [layers.Reshape(shapes[0]), deep, layers.Reshape(shapes[1]), layers.Activation("relu")]


def main() -> None:
    """Write every file anew."""
    good = network()
    good.save(HERE / "truncated.keras")
    whole = (HERE / "truncated.keras").read_bytes()
    (HERE / "truncated.keras").write_bytes(whole[: len(whole) // 2])
    (HERE / "text.keras").write_text("This is no archive.\n")
    network(*unknown_layers()).save(HERE / "unknown_layers.keras")

    images = np.random.default_rng(1).random((4, 1, *SHAPE), np.float32)
    content = to_int8_tflite(good, images)
    (HERE / "truncated.tflite").write_bytes(content[: len(content) // 2])
    converter = tf.lite.TFLiteConverter.from_keras_model(good)
    (HERE / "float.tflite").write_bytes(converter.convert())

    pixels = np.random.default_rng(1).integers(0, 256, SHAPE, np.uint8)
    Image.fromarray(pixels).save(HERE / "truncated.png")
    whole = (HERE / "truncated.png").read_bytes()
    (HERE / "truncated.png").write_bytes(whole[: len(whole) // 2])


if __name__ == "__main__":
    main()
