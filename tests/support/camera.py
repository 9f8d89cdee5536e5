"""What the camera examples make of frames, by numpy and Pillow."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREY, LITTLE, BIG = range(3)
"""enum esq_camera_pixels."""

Bytes = NDArray[np.uint8]


def colours(frame: Bytes, width: int, pixels: int) -> Bytes:
    """Return a frame's rows of bytes as uint8 [height, width, 3]."""
    if pixels == GREY:
        return np.repeat(frame[:, :width, np.newaxis], 3, axis=2)
    both = frame[:, : 2 * width].astype(np.uint32)
    low, high = (both[:, 0::2], both[:, 1::2])[:: 1 if pixels == LITTLE else -1]
    value = high << 8 | low
    red, green, blue = value >> 11, value >> 5 & 63, value & 31
    parts = (red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2)
    return np.stack(parts, axis=2).astype(np.uint8)


def seen(image: Bytes, height: int, width: int, channels: int) -> Bytes:
    """Return what the network gets of an image: the largest centred part, the nearest pixels."""
    tall, wide = image.shape[:2]
    part = (tall, max(1, tall * width // height))
    if part[1] >= wide:
        part = (max(1, wide * height // width), wide)
    top, left = (tall - part[0]) // 2, (wide - part[1]) // 2
    rows = top + (2 * np.arange(height) + 1) * part[0] // (2 * height)
    columns = left + (2 * np.arange(width) + 1) * part[1] // (2 * width)
    found = image[rows][:, columns]
    grey = np.asarray(Image.fromarray(found).convert("L"))[..., np.newaxis]
    return found if channels == 3 else grey


def pattern(n: int, height: int, width: int, pitch: int, pixels: int) -> Bytes:
    """Return frame n of the pretended cameras, whose byte i is 7 i + n, as colours."""
    data = (7 * np.arange(height * pitch) + n).astype(np.uint8)
    return colours(data.reshape(height, pitch), width, pixels)
