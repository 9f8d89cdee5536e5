"""Train SqueezeNet v1.1 for 32 x 32 pixels on ten classes, as in CIFAR-10.

`python -m edgesq.zoo.train_cifar DATA OUT.keras [--epochs N]`; DATA is an .npz with `train_x` and
`test_x` uint8 [n, 32, 32, 3], `train_y` and `test_y` [n], or a .tar or folder of
`train/CLASS/*.jpg` and `test/CLASS/*.jpg`. The model that is written takes pixels / 255 and has no
batch normalization.
"""

from __future__ import annotations

import argparse
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesq.zoo.squeezenet import V1_1_SMALL, fold_batch_norm, squeezenet

SIDE, CLASSES = 32, 10
BATCH, EPOCHS, SEED = 256, 18, 2016
PEAK_RATE, MOMENTUM, DECAY = 0.2, 0.9, 5e-4
WARM_UP = 0.2
"""Share of the steps in which the learning rate rises; in the others it falls as a cosine."""

SHIFT = 4
"""Largest shift of a training image in each direction, in pixels; the border is filled by
reflection."""

Arrays = Mapping[str, NDArray[Any]]


def network(*, trainable: bool) -> keras.Model:
    """Build the network; `trainable` with batch normalization and without a softmax."""
    return squeezenet(
        V1_1_SMALL,
        (SIDE, SIDE, 3),
        CLASSES,
        bypass="simple",
        relu_conv10=False,
        dropout=0,
        include_softmax=not trainable,
        batch_norm=trainable,
    )


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled training images, shifted and mirrored at random."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[Any]) -> None:
        super().__init__()
        around = ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0))
        self._padded = np.pad(images, around, mode="reflect")
        self._labels = labels
        self._generator = np.random.default_rng(SEED)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._labels) // BATCH

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
        chosen = self._order[number * BATCH : (number + 1) * BATCH]
        top, left = self._generator.integers(0, 2 * SHIFT + 1, (2, len(chosen), 1, 1))
        along = np.arange(SIDE)
        rows, columns = top + along[:, np.newaxis], left + along
        pixels = self._padded[chosen[:, np.newaxis, np.newaxis], rows, columns]
        mirrored = self._generator.random(len(chosen)) < 0.5
        pixels[mirrored] = pixels[mirrored][:, :, ::-1]
        return pixels.astype(np.float32) / 255, self._labels[chosen]

    def on_epoch_end(self) -> None:
        """Shuffle."""
        self._order = self._generator.permutation(len(self._labels))


def train(data: Arrays, epochs: int) -> keras.Model:
    """Return a model with softmax, trained on `train_x` and `train_y`."""
    keras.utils.set_random_seed(SEED)
    batches = Batches(data["train_x"], data["train_y"])
    steps = len(batches) * epochs
    warm = round(steps * WARM_UP)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm, warmup_target=PEAK_RATE, warmup_steps=warm
    )
    model = network(trainable=True)
    # Keras takes decay off the weights beside the gradient, so momentum does not multiply it.
    decay = DECAY / (1 - MOMENTUM)
    model.compile(
        keras.optimizers.SGD(rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(batches, epochs=epochs, verbose=2)
    plain = network(trainable=False)
    fold_batch_norm(model, plain)
    return plain


def accuracy(model: keras.Model, data: Arrays) -> float:
    """Return the share of test images that a model puts into their class."""
    scores = model.predict(data["test_x"].astype(np.float32) / 255, batch_size=BATCH, verbose=0)
    return float(np.mean(np.asarray(scores).argmax(axis=1) == data["test_y"]))


def read(path: Path) -> Arrays:
    """Return `train_x`, `train_y`, `test_x`, `test_y` of an .npz, a .tar or a folder."""
    if path.suffix == ".npz":
        return dict(np.load(path))
    if path.is_file():
        with tempfile.TemporaryDirectory() as scratch, tarfile.open(path) as archive:
            archive.extractall(scratch, filter="data")
            return read(Path(scratch))
    found: dict[str, NDArray[Any]] = {}
    for part in ("train", "test"):
        classes = sorted(folder for folder in (path / part).iterdir() if folder.is_dir())
        files = [(file, n) for n, folder in enumerate(classes) for file in sorted(folder.iterdir())]
        pixels = [np.asarray(Image.open(file).convert("RGB")) for file, _ in files]
        found |= {f"{part}_x": np.stack(pixels), f"{part}_y": np.array([n for _, n in files])}
    return found


def main() -> None:
    """Train, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    data = read(options.data)
    model = train(data, options.epochs)
    model.save(options.out)
    print(  # noqa: T201
        f"{accuracy(model, data):.2%} of the test images, {options.out}"
    )


if __name__ == "__main__":
    main()
