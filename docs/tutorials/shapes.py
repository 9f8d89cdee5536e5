"""Draw photos of three shapes and train a small network to tell them apart.

    python shapes.py

writes `shapes.keras`, `photos/` (120 images to calibrate with) and `test_photos/` (60 others),
each with one folder per class.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    import keras

SIDE = 32
SHAPES = ("circle", "square", "triangle")
TO_CALIBRATE, TO_TEST = 40, 20
"""Images of each class."""


def photo(shape: str, chance: np.random.Generator) -> NDArray[np.uint8]:
    """Return an image [32, 32, 3] of one shape, its place, size and colours drawn by lot."""
    near, far = chance.integers(0, 256, (2, 3))
    blend = np.linspace(0, 1, SIDE)[:, None, None]
    ground = np.broadcast_to(near + blend * (far - near), (SIDE, SIDE, 3))
    image = Image.fromarray(ground.astype(np.uint8))
    colour = tuple(int(value) for value in (ground.mean(axis=(0, 1)) + 128) % 256)
    radius = chance.integers(6, 11)
    x, y = chance.integers(radius, SIDE - radius, 2)
    box = [(x - radius, y - radius), (x + radius, y + radius)]
    draw = ImageDraw.Draw(image)
    if shape == "circle":
        draw.ellipse(box, fill=colour)
    elif shape == "square":
        draw.rectangle(box, fill=colour)
    else:
        draw.polygon([(x, y - radius), box[1], (x - radius, y + radius)], fill=colour)
    noisy = np.asarray(image) + chance.normal(0, 6, (SIDE, SIDE, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def network() -> keras.Model:
    """Return an untrained network of 12,000 weights for images / 255."""
    import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3))])
    for channels in (16, 24, 32):
        model.add(layers.Conv2D(channels, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(len(SHAPES), activation="softmax"))
    return model


def draw_photos(chance: np.random.Generator) -> None:
    """Write `photos/` and `test_photos/`."""
    for folder, count in (("photos", TO_CALIBRATE), ("test_photos", TO_TEST)):
        for shape in SHAPES:
            place = Path(folder) / shape
            place.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                Image.fromarray(photo(shape, chance)).save(place / f"{number:02}.png")


def drawn(chance: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images [3 * count, 32, 32, 3] to train with, and their classes."""
    images = np.stack([photo(shape, chance) for shape in SHAPES for _ in range(count)])
    return images, np.repeat(np.arange(len(SHAPES)), count)


def main() -> None:
    """Write the photos and the trained model into the current folder."""
    import keras

    chance = np.random.default_rng(1)
    draw_photos(chance)
    images, labels = drawn(chance, 600)
    keras.utils.set_random_seed(1)
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images / 255, labels, batch_size=64, epochs=8, verbose=2)
    model.save("shapes.keras")


if __name__ == "__main__":
    main()
