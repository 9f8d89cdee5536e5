"""Keras layers for what Keras has none for: blocks of pixels as channels, rules of resizing."""

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


class ResampleLayer(keras.layers.Layer):  # type: ignore[misc] # keras has no types
    """TensorFlow's ResizeBilinear, or ResizeNearestNeighbor."""

    def __init__(
        self,
        size: tuple[int, int],
        is_linear: bool,
        align_corners: bool,
        half_pixel_centers: bool,
        **how: Any,
    ) -> None:
        super().__init__(**how)
        self.size, self.is_linear = size, is_linear
        self.rules = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}

    def call(self, image: Any) -> Any:
        """Resize [N, H, W, C]."""
        import tensorflow as tf

        resize = tf.raw_ops.ResizeNearestNeighbor
        if self.is_linear:
            resize = tf.raw_ops.ResizeBilinear
        return resize(images=image, size=self.size, **self.rules)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return shape[0], *self.size, shape[3]
