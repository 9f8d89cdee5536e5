"""Train a candidate in Keras: early stopping, and an end for what others have passed already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.quantize import captured_output, to_int8_tflite
from edgesq.search.images import Images, Int64Array, UInt8Array
from edgesq.search.records import Params, Training
from edgesq.search.space import Space

Float64Array = NDArray[np.float64]

MARGIN = 0.03
"""Accuracy by which a candidate must be behind before it is stopped."""

_WARM_UP = 0.1
_NORMED_RATE, _MOMENTUM = 0.1, 0.9
"""Of networks with batch normalization."""
_PLAIN_RATE, _DECAY = 3e-3, 1e-4
"""Of others, which AdamW trains: they may not stand the higher rate."""

_BATCHES, _MIN_STEPS = (128, 64, 32), 1_000
"""A training of fewer steps ends before its rate has fallen to where it learns the last points."""

_SHIFT = 8
"""A training image is shifted by up to one part in so many of its side."""

_CALIBRATION = 128


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network.

    Attributes:
        content: int8 .tflite.
        curve: accuracy of the float network on validation images, by epoch.
        is_stopped: whether it was ended because others had passed it.
    """

    content: bytes
    curve: tuple[float, ...]
    is_stopped: bool


def train(
    space: Space, params: Params, images: Images, how: Training, bar: Sequence[float]
) -> Trained:
    """Train, and quantize with the weights that were best on validation images.

    The same arguments give the same bytes.

    Args:
        space: makes the network.
        params: its metaparameters.
        images: of the size that it takes.
        how: epochs and seed.
        bar: by epoch, what a network that takes no more had reached; it is stopped behind that.

    Raises:
        ModelError: TensorFlow cannot convert it.
    """
    with captured_output():
        import keras
        import tensorflow as tf

        _set_threads(tf, how.threads)
        keras.utils.set_random_seed(how.seed)
        tf.config.experimental.enable_op_determinism()
        model = space.model(params)
        batches = _batches(keras, images, how)
        watch = _Watch(bar, patience=max(5, how.epochs // 3))
        rates = _compiled(keras, model) * _shares(len(batches) * how.epochs)
        model.fit(
            batches,
            epochs=how.epochs,
            verbose=0,
            validation_data=(_floats(images.validation), images.validation_labels),
            callbacks=[_callback(keras, watch, rates)],
        )
        model.set_weights(watch.best)
        finished = space.finished(params, model)
    examples = _floats(images.train[_spread(images.train_labels)])
    content = to_int8_tflite(finished, (image[np.newaxis] for image in examples))
    return Trained(content, tuple(watch.curve), watch.is_stopped)


@dataclass
class _Watch:
    """Decides after each epoch whether to go on, and keeps the best weights."""

    bar: Sequence[float]
    patience: int
    curve: list[float] = field(default_factory=list)
    best: Any = None
    is_stopped: bool = False
    _best: tuple[float, float] = (-1.0, 0.0)
    _best_epoch: int = 0

    def goes_on(self, accuracy: float, loss: float, model: Any) -> bool:
        """Take what an epoch reached; say whether another is worth it.

        Of epochs with the same accuracy, which few images leave many of, the smallest loss counts.
        """
        epoch = len(self.curve)
        self.curve.append(accuracy)
        if (accuracy, -loss) > self._best:
            self._best, self._best_epoch = (accuracy, -loss), epoch
            self.best = model.get_weights()
        behind = epoch < len(self.bar) and max(self.curve) < self.bar[epoch] - MARGIN
        self.is_stopped = behind
        return not behind and epoch - self._best_epoch < self.patience


def _callback(keras: Any, watch: _Watch, rates: Float64Array) -> Any:
    """Return what sets the rate of each step, and asks after each epoch whether to go on.

    A schedule of Keras is traced once more for every weight: a third of what tracing takes.
    """
    left = iter(rates.tolist())

    def on_train_batch_begin(_: int, logs: object = None) -> None:
        del logs
        callback.model.optimizer.learning_rate.assign(next(left))

    def on_epoch_end(_: int, logs: dict[str, float]) -> None:
        reached = float(logs["val_accuracy"]), float(logs["val_loss"])
        callback.model.stop_training = not watch.goes_on(*reached, callback.model)

    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=on_epoch_end, on_train_batch_begin=on_train_batch_begin
    )
    return callback


def _shares(steps: int) -> Float64Array:
    """Return each step's share of the peak rate: it rises evenly, and falls as a cosine to 0."""
    warm = max(1, round(steps * _WARM_UP))
    rising = np.arange(1, warm + 1) / warm
    falling = (1 + np.cos(np.linspace(0, np.pi, max(0, steps - warm)))) / 2
    return np.concatenate([rising, falling])


def _compiled(keras: Any, model: Any) -> float:
    """Choose optimizer and loss; return the peak rate."""
    last = model.layers[-1]
    is_softmax = isinstance(last, keras.layers.Softmax)
    is_softmax |= getattr(last, "activation", None) is keras.activations.softmax
    norm = keras.layers.BatchNormalization
    is_normed = any(isinstance(layer, norm) for layer in model._flatten_layers())
    rate = _NORMED_RATE if is_normed else _PLAIN_RATE
    model.compile(
        keras.optimizers.SGD(rate, momentum=_MOMENTUM, nesterov=True)
        if is_normed
        else keras.optimizers.AdamW(rate, weight_decay=_DECAY),
        keras.losses.SparseCategoricalCrossentropy(from_logits=not is_softmax),
        metrics=["accuracy"],
    )
    return rate


def _batches(keras: Any, images: Images, how: Training) -> Any:
    count = len(images.train)
    size = min(count, _batch_size(count * how.epochs))
    shift = max(1, images.train.shape[1] // _SHIFT)
    around = ((0, 0), (shift, shift), (shift, shift), (0, 0))
    padded = np.pad(images.train, around, mode="edge")

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        """Shuffled training images, shifted and perhaps mirrored."""

        def __init__(self) -> None:
            super().__init__()
            self.random = np.random.default_rng(how.seed)
            self.on_epoch_begin()

        def __len__(self) -> int:
            return count // size

        def on_epoch_begin(self) -> None:
            """Draw an epoch at once, so that batches may be made in any order."""
            self.order = self.random.permutation(count)
            self.places = self.random.integers(0, 2 * shift + 1, (count, 2))
            self.mirrored = self.random.random(count) < (0.5 if how.mirror else 0.0)

        def __getitem__(self, number: int) -> tuple[Any, Int64Array]:
            chosen = self.order[number * size : (number + 1) * size]
            side = np.arange(images.train.shape[1])
            top, left = self.places[chosen].T[..., np.newaxis, np.newaxis]
            rows, columns = top + side[:, np.newaxis], left + side
            pixels = padded[chosen[:, np.newaxis, np.newaxis], rows, columns]
            mirrored = self.mirrored[chosen]
            pixels[mirrored] = pixels[mirrored][:, :, ::-1]
            return _floats(pixels), images.train_labels[chosen]

    return Batches()


def _batch_size(seen: int) -> int:
    """Return the largest batch that leaves a training `_MIN_STEPS` steps.

    Args:
        seen: images in all epochs together.
    """
    return next((size for size in _BATCHES if seen // size >= _MIN_STEPS), _BATCHES[-1])


def _set_threads(tf: Any, threads: int) -> None:
    """Limit TensorFlow's threads; once it has begun, they are what the first trial made them."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return


def _floats(pixels: UInt8Array) -> Any:
    return pixels.astype(np.float32) / 255


def _spread(labels: Int64Array) -> Int64Array:
    """Return the numbers of images to quantize with: evenly of all classes."""
    from edgesq.calibrate import spread

    return spread(labels, len(labels), _CALIBRATION)
