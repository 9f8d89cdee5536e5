"""Train the demo model and write everything that is bundled with it.

`python -m edgesq.zoo.train_demo` (extra `train`, some minutes on two cores) writes, in a checkout,
`edgesq/zoo/demo/` (the model and the held-out third) and `calibration_data/` (training images).
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from edgesq.integers import ceil_div
from edgesq.resources import resource
from edgesq.zoo.demo import (
    INPUT_SHAPE,
    Int64Array,
    UInt8Array,
    demo_model_path,
    heldout_path,
    upscale,
)
from edgesq.zoo.squeezenet import squeezenet_v1_1

SEED = 2016
CLASSES = 10
HELDOUT = 599
CALIBRATION_PER_CLASS = 12
EPOCHS = 120
BATCH = 64
PEAK_RATE = 1e-3
SHIFT_PIXELS = 3
"""Largest shift of a training image, of its 32 pixels, in each direction."""

MANIFEST = {
    "source": (
        "Optical Recognition of Handwritten Digits (E. Alpaydin, C. Kaynak), UCI Machine Learning "
        "Repository, test part, as bundled with scikit-learn (load_digits); 8x8 values 0..16 "
        "enlarged bilinearly to 32x32, three equal channels, 0..255"
    ),
    "licence": "CC-BY-4.0",
    "preprocessing": {"channel_order": "rgb", "mean": [0.0, 0.0, 0.0], "scale": 1 / 255},
}


@dataclass(frozen=True)
class Digits:
    """Both parts of the data set: digits uint8 [n, 8, 8] with values 0..16, labels int64 [n]."""

    train: UInt8Array
    train_labels: Int64Array
    heldout: UInt8Array
    heldout_labels: Int64Array


def split_digits() -> Digits:
    """Return the 1,797 digits, a seeded and stratified third of them held out."""
    bunch = load_digits()
    train, heldout, train_labels, heldout_labels = train_test_split(
        bunch.images.astype(np.uint8),
        bunch.target.astype(np.int64),
        test_size=HELDOUT,
        stratify=bunch.target,
        random_state=SEED,
    )
    return Digits(train, train_labels, heldout, heldout_labels)


def train(images: UInt8Array, labels: Int64Array) -> keras.Model:
    """Train SqueezeNet v1.1 on uint8 images [n, 32, 32, 3]; same images, same weights.

    No ReLU on conv10, and cosine decay: on small sets the paper's way leaves many logits at zero.
    """
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    model = squeezenet_v1_1(INPUT_SHAPE, CLASSES, relu_conv10=False)
    logits = keras.Model(model.input, model.get_layer("pool10").output)
    steps = EPOCHS * ceil_div(len(images), BATCH)
    logits.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(PEAK_RATE, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    logits.fit(_Shifted(images, labels), epochs=EPOCHS, verbose=2)
    return model


class _Shifted(keras.utils.PyDataset):  # type: ignore[misc] # Keras has no types
    """Batches of randomly ordered, randomly shifted images in [0, 1]."""

    def __init__(self, images: UInt8Array, labels: Int64Array) -> None:
        super().__init__()
        self.images, self.labels = images, labels
        self.random = np.random.default_rng(SEED)
        self.on_epoch_begin()

    def __len__(self) -> int:
        return ceil_div(len(self.images), BATCH)

    def on_epoch_begin(self) -> None:
        """Draw this epoch's order and shifts, so that batches may be made in any order."""
        count = len(self.images)
        self.order = self.random.permutation(count)
        self.shifts = self.random.integers(-SHIFT_PIXELS, SHIFT_PIXELS + 1, (count, 2))

    def __getitem__(self, index: int) -> tuple[np.ndarray, Int64Array]:
        chosen = self.order[index * BATCH : (index + 1) * BATCH]
        batch = [
            np.roll(self.images[place], tuple(self.shifts[place]), axis=(0, 1)) for place in chosen
        ]
        return np.stack(batch).astype(np.float32) / 255, self.labels[chosen]


def write_heldout(digits: Digits) -> None:
    """Write the held-out digits, small, as they came."""
    labels = digits.heldout_labels.astype(np.uint8)
    np.savez_compressed(heldout_path(), digits=digits.heldout, labels=labels)


def write_calibration(images: UInt8Array, labels: Int64Array, folder: Path) -> None:
    """Write the first training images of every class as PNG in class folders, with a manifest."""
    shutil.rmtree(folder, ignore_errors=True)
    hashes = {}
    for label in range(CLASSES):
        for place in np.flatnonzero(labels == label)[:CALIBRATION_PER_CLASS]:
            file = folder / str(label) / f"digit_{place:04d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images[place]).save(file, optimize=True)
            name = file.relative_to(folder).as_posix()
            hashes[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest = {**MANIFEST, "files": hashes}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def main() -> None:
    """Train, then write the model, the held-out digits and the calibration images."""
    digits = split_digits()
    images = upscale(digits.train)
    model = train(images, digits.train_labels)
    demo_model_path().parent.mkdir(exist_ok=True)
    model.save(demo_model_path())
    write_heldout(digits)
    write_calibration(images, digits.train_labels, resource("calibration_data"))


if __name__ == "__main__":
    main()
