"""Read one image file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edgesq.errors import ImageError

UInt8Array = NDArray[np.uint8]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")

_FORMATS = ("PNG", "JPEG", "BMP")
_MODES = {1: "L", 3: "RGB"}


def read_image(
    path: Path | str,
    size: tuple[int, int],
    channels: int = 3,
    resize: tuple[int, int] | int | None = None,
) -> UInt8Array:
    """Read a PNG, JPEG or BMP file, upright and at the given size.

    An image of another size is squashed to `size` (bilinear, without keeping its proportions), or
    resized as `resize` says and the centre cut out; transparency is dropped.

    Args:
        path: the file.
        size: height, width.
        channels: 3 for RGB, 1 for grey.
        resize: as `Preprocessing.resize`.

    Returns:
        uint8 [H, W, channels].

    Raises:
        ImageError: the file is missing, truncated, corrupt, of another format or of more than 8
            bits per channel, `channels` is neither 1 nor 3, or `resize` is smaller than `size`.
    """
    file = Path(path)
    if channels not in _MODES:
        raise ImageError(
            f"an image file cannot give {channels} channels",
            where=str(file),
            hint="give the images as .npz",
        )
    if not file.is_file():
        raise ImageError("no such image", where=str(file), hint="check the path")
    image = _decode(file, _MODES[channels])
    height, width = size
    tall, wide = _resized(image, size if resize is None else resize)
    if tall < height or wide < width:
        raise ImageError(
            f"resized to {tall} x {wide}, it is smaller than the model's {height} x {width}",
            where=str(file),
            hint="correct resize in manifest.json",
        )
    if image.size != (wide, tall):
        image = image.resize((wide, tall), Image.Resampling.BILINEAR)
    top, left = (tall - height) // 2, (wide - width) // 2
    pixels = np.asarray(image, np.uint8).reshape(tall, wide, channels)
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def _resized(image: Image.Image, resize: tuple[int, int] | int) -> tuple[int, int]:
    """Return the height and width that an image gets."""
    if isinstance(resize, tuple):
        return resize
    shorter = min(image.size)
    return round(image.height * resize / shorter), round(image.width * resize / shorter)


def _decode(file: Path, mode: str) -> Image.Image:
    """Decode all pixels of `file`, turned as its EXIF data say."""
    try:
        with Image.open(file, formats=_FORMATS) as image:
            image.load()
            # Mode "I" and "F" hold more than 8 bits, which convert() would clip, not scale.
            if image.mode[0] not in "IF":
                return ImageOps.exif_transpose(image).convert(mode)
    # Pillow's decoders raise nearly every kind of exception on damaged files.
    except Exception as error:
        raise ImageError(
            f"not a readable image: {' '.join(str(error).split())[:120]}",
            where=str(file),
            hint="it is truncated, damaged, or neither PNG, JPEG nor BMP; replace or remove it",
        ) from error
    raise ImageError(
        "more than 8 bits per channel", where=str(file), hint="save it with 8 bits per channel"
    )
