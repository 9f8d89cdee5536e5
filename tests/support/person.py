"""A model of two classes with photos of them, as the examples of the pages have it."""

from pathlib import Path

import numpy as np
from PIL import Image

SIDE, IMAGES = 16, 12
"""Pixels of a side; photos of each class, for calibration and for tests."""


def make_person(folder: Path) -> None:
    """Write `person.keras`, `photos/` and `test_photos/` into a folder."""
    import keras

    chance = np.random.default_rng(3)
    for photos in ("photos", "test_photos"):
        for level, name in ((60, "nobody"), (160, "person")):
            (folder / photos / name).mkdir(parents=True)
            for number in range(IMAGES):
                pixels = chance.integers(level, level + 60, (SIDE, SIDE, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / photos / name / f"{number}.png")
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers]).save(folder / "person.keras")
