"""From pixels to what the model was trained on."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]
Int8Array = NDArray[np.int8]
Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class Preprocessing:
    """real = (pixel - mean) * scale, after putting the channels in the model's order.

    Attributes:
        channel_order: what the model expects; images are read as RGB.
        mean: one value per channel, in the model's order, on the scale of pixels, 0..255; images of
            one channel use the first.
        scale: reals per pixel step, above 0.
    """

    channel_order: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1 / 255

    def to_float(self, images: UInt8Array) -> Float32Array:
        """Return the model's float32 input for uint8 images [..., H, W, C], C = 1 or 3."""
        ordered = images[..., ::-1] if self.channel_order == "bgr" else images
        mean = np.array(self.mean[: images.shape[-1]], np.float64)
        return ((ordered - mean) * self.scale).astype(np.float32)

    def to_pixels(self, reals: NDArray[np.floating[Any]]) -> UInt8Array:
        """Return uint8 images [..., H, W, C], C = 1 or 3, that `to_float` makes `reals` of.

        What no pixel gives is rounded and clipped.
        """
        mean = np.array(self.mean[: reals.shape[-1]], np.float64)
        pixels = np.clip(np.round(reals / self.scale + mean), 0, 255).astype(np.uint8)
        return pixels[..., ::-1] if self.channel_order == "bgr" else pixels

    def to_int8(self, images: UInt8Array, scale: float, zero_point: int) -> Int8Array:
        """Return the quantized input: `to_float` / scale, rounded, plus zero_point, clipped.

        With the default preprocessing, scale 1/255 and zero point -128 it is pixel - 128.

        Args:
            images: uint8 [..., H, W, C], C = 1 or 3.
            scale: of the model's input tensor.
            zero_point: of the model's input tensor, in [-128, 127].

        Source: TensorFlow Lite, QUANTIZE (halves away from zero).
        """
        steps = self.to_float(images).astype(np.float64) / scale
        rounded: NDArray[np.float64] = np.trunc(steps + np.copysign(0.5, steps)) + zero_point
        return np.clip(rounded, -128, 127).astype(np.int8)
