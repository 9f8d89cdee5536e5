"""Train a Keras model on while its smallest weights become zero, as Deep Compression does.

    model.compile(keras.optimizers.Adam(2e-4, global_clipnorm=1.0), loss)
    model.fit(batches, epochs=6, callbacks=[Pruning(0.6, steps=3 * len(batches))])

`edgesq export --compress` then keeps the zeros: four of them take a bit or two.

Source: Han, Mao, Dally, "Deep Compression", 2016 (prune by magnitude, then retrain); Zhu, Gupta,
"To prune, or not to prune", 2017 (the share of zeros rises by a cubic).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.extras import require

require("keras")

import keras

EVERY = 20
"""Training steps between updates of the mask of zero weights."""


class Pruning(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the smallest weights of each layer to zero, ever more of them, and keeps them there.

    The first layer with weights stays as it is: it has few, and every error starts there.
    """

    def __init__(self, share: float, steps: int) -> None:
        """Say how many.

        Args:
            share: of each layer's weights that are zero in the end, in (0, 1).
            steps: training steps after which they are; train on after that.
        """
        super().__init__()
        if not 0 < share < 1 or steps < 1:
            raise ValueError(f"cannot prune {share} of the weights in {steps} steps")
        self._share, self._steps, self._done = share, steps, 0
        self._kernels: list[Any] = []
        self._masks: list[NDArray[np.bool_]] = []

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Find the weights."""
        _, *self._kernels = (
            layer.kernel for layer in self.model.layers if hasattr(layer, "kernel")
        )
        self._masks = [np.ones(kernel.shape, bool) for kernel in self._kernels]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Set weights to zero that the step has moved away from it."""
        self._done += 1
        if self._done <= self._steps and (self._steps - self._done) % EVERY == 0:
            left = 1 - self._done / self._steps
            share = self._share * (1 - left**3)
            self._masks = [_mask(kernel.numpy(), share) for kernel in self._kernels]
        for kernel, mask in zip(self._kernels, self._masks, strict=True):
            kernel.assign(kernel.numpy() * mask)


def _mask(weights: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """Return which weights stay: all but the smallest `share` of them."""
    order = np.argsort(np.abs(weights), axis=None, kind="stable")
    mask = np.ones(weights.size, bool)
    mask[order[: round(share * weights.size)]] = False
    return mask.reshape(weights.shape)
