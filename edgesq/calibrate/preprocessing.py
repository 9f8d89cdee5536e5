"""From pixels to what the model was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgesq.graph import Int8Array, Tensor
from edgesq.limits import MAX_SIDE

UInt8Array = NDArray[np.uint8]
Float32Array = NDArray[np.float32]

Fit = Literal["stretch", "crop", "pad"]
Resize = tuple[int, int] | int | Fit | None

_FITS: tuple[Fit, ...] = ("stretch", "crop", "pad")
_MAX_MAGNITUDE, _MIN_SCALE = 1e6, 1e-6
"""Largest and smallest magnitude accepted for mean and scale."""


@dataclass(frozen=True)
class Preprocessing:
    """real = (pixel - mean) * scale, after cutting out and putting the channels in order.

    Attributes:
        channel_order: what the model expects; images are read as RGB.
        mean: one value per channel, in the model's order, on the scale of pixels, 0..255; images of
            one channel use the first.
        scale: reals per pixel step, above 0.
        resize: how an image of another size gets the model's. "crop" keeps its proportions and
            cuts what is too much, "pad" adds black; "stretch", or None, does not keep them. Height
            and width, or the shorter side alone: what it is resized to before the model's size is
            cut out of its centre.
    """

    channel_order: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1 / 255
    resize: Resize = None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Preprocessing":
        """Return what JSON says of it; what is left out is as by default.

        Raises:
            ValueError: a key is unknown, or a value is of the wrong kind; the message is a clause.
        """
        unknown = sorted(fields.keys() - cls.__dataclass_fields__.keys())
        _expect(not unknown, f"preprocessing has an unknown key: {', '.join(unknown)}")
        order, mean = fields.get("channel_order", "rgb"), fields.get("mean", [0, 0, 0])
        scale, resize = fields.get("scale", 1 / 255), fields.get("resize")
        _expect(order in ("rgb", "bgr"), "channel_order is neither rgb nor bgr")
        good = isinstance(mean, list | tuple) and len(mean) == 3 and all(map(_is_number, mean))
        _expect(good, "mean is not a list of three numbers")
        _expect(
            _is_number(scale) and scale >= _MIN_SCALE, "scale is not a number above 0, 1e-6 to 1e6"
        )
        if isinstance(resize, str):
            fit = next((one for one in _FITS if one == resize), None)
            _expect(fit is not None, f"resize is neither a size nor one of {', '.join(_FITS)}")
            return replace(cls.from_json({**fields, "resize": None}), resize=fit)
        if isinstance(resize, list | tuple):
            _expect(len(resize) == 2, "resize is neither a number of pixels nor two")
            resize = (resize[0], resize[1])
        sides = resize if isinstance(resize, tuple) else (1 if resize is None else resize,)
        good = all(type(side) is int and 0 < side <= MAX_SIDE for side in sides)
        _expect(good, f"resize is neither a number of pixels up to {MAX_SIDE:,} nor two")
        means = (float(mean[0]), float(mean[1]), float(mean[2]))
        return cls(order, means, float(scale), resize)

    def to_float(self, images: UInt8Array) -> Float32Array:
        """Return the model's float32 input for uint8 images [..., H, W, C], C = 1 or 3.

        Without means and in the order of RGB it takes any C.
        """
        ordered = images[..., ::-1] if self.channel_order == "bgr" else images
        mean = np.array(self.mean[: images.shape[-1]], np.float64)
        reals = ordered - mean if mean.any() else ordered.astype(np.float64)
        reals *= self.scale  # in place: a set of images is large
        return reals.astype(np.float32)

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
        return levels_of_reals(self.to_float(images), scale, zero_point)

    def to_levels(self, images: UInt8Array, tensor: Tensor) -> Int8Array:
        """Return the same for a model's input of int8 or int16."""
        reals = self.to_float(images)
        return levels_of_reals(reals, tensor.scale, tensor.zero_point, tensor.dtype)


def levels_of_reals(
    reals: NDArray[np.floating[Any]],
    scale: float,
    zero_point: int,
    dtype: type[np.int8] | type[np.int16] = np.int8,
) -> Int8Array:
    """Return finite reals / scale, rounded, plus zero_point, clipped.

    Source: TensorFlow Lite, QUANTIZE (halves away from zero).
    """
    steps = reals.astype(np.float64) / scale
    rounded: NDArray[np.float64] = np.trunc(steps + np.copysign(0.5, steps)) + zero_point
    bounds = np.iinfo(dtype)
    return np.clip(rounded, bounds.min, bounds.max).astype(dtype)


def _expect(condition: bool, complaint: str) -> None:
    if not condition:
        raise ValueError(complaint)


def _is_number(value: Any) -> bool:
    """Whether `value` is a finite JSON number that pixels may have."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and abs(value) <= _MAX_MAGNITUDE
