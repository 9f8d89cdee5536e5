"""A Keras layer for what Keras has none for: blocks of pixels to channels and back."""

from __future__ import annotations

from typing import Any

import keras


class BlocksLayer(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """TensorFlow's space_to_depth, or depth_to_space."""

    def __init__(self, block: int, to_depth: bool, **how: Any) -> None:
        super().__init__(**how)
        self.block, self.to_depth = block, to_depth

    def call(self, image: Any) -> Any:
        """Move `block` x `block` pixels of [N, H, W, C] into channels, or channels into pixels."""
        import tensorflow as tf

        move = tf.nn.space_to_depth if self.to_depth else tf.nn.depth_to_space
        return move(image, self.block)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        batch, height, width, channels = shape
        assert height
        assert width
        assert channels
        block, area = self.block, self.block**2
        if self.to_depth:
            return batch, height // block, width // block, channels * area
        return batch, height * block, width * block, channels // area
