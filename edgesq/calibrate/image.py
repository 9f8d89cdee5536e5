"""Read one image file."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edgesq.calibrate.preprocessing import Resize
from edgesq.errors import ImageError
from edgesq.limits import MAX_SIDE, MAX_VALUES

UInt8Array = NDArray[np.uint8]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_MODES = {1: "L", 3: "RGB"}
_GREY = ("1", "L", "LA", "La")
_SMALLER = "make it smaller"
_HINT = "correct `resize` in manifest.json, or --fit"
_ORIENTATION, _LYING = 0x0112, (5, 6, 7, 8)
"""The EXIF orientation tag, and its values that exchange height and width."""


@dataclass(frozen=True)
class Looks:
    """The properties of an image that the header of its file gives.

    Attributes:
        size: height, width, upright.
        is_grey: whether it has no colours.
    """

    size: tuple[int, int]
    is_grey: bool


def read_image(
    path: Path | str, size: tuple[int, int], channels: int = 3, resize: Resize = None
) -> UInt8Array:
    """Read an image file of one of `SUFFIXES`, upright and at the given size.

    An image of another size is squashed to `size` (bilinear, without keeping its proportions), or
    as `resize` says; transparency is dropped, and of several frames the first is taken.

    Args:
        path: the file.
        size: height, width.
        channels: 3 for RGB, 1 for grey.
        resize: as `Preprocessing.resize`.

    Returns:
        uint8 [H, W, channels].

    Raises:
        ImageError: the file is missing, truncated, corrupt, too large, of another format or of more
            than 8 bits per channel, `channels` is neither 1 nor 3, or `resize` gives less than
            `size` or too much.
    """
    file = Path(path)
    return fitted(_decode(file, _mode(size, channels, str(file))), str(file), size, resize)


def fit_image(
    image: Image.Image, size: tuple[int, int], channels: int = 3, resize: Resize = None
) -> UInt8Array:
    """Return an image that Pillow holds, as `read_image` returns one that is in a file.

    Raises:
        ImageError: as `read_image`, apart from what is said of files.
    """
    where = "the image given"
    mode = _mode(size, channels, where)
    check_size(image.height, image.width, where, "is")
    return fitted(_converted(image, mode, where), where, size, resize)


def _mode(size: tuple[int, int], channels: int, where: str) -> str:
    """Return what Pillow calls so many channels."""
    if channels not in _MODES:
        raise ImageError(
            f"an image file cannot give {channels} channels, the last of [H, W, C] = "
            f"{[*size, channels]}",
            where=where,
            hint="give an .npz with input [n, H, W, C]",
        )
    return _MODES[channels]


def fitted(
    image: Image.Image,
    where: str,
    size: tuple[int, int],
    resize: Resize,
    by: Image.Resampling = Image.Resampling.BILINEAR,
    border: int = 0,
) -> UInt8Array:
    """Return the pixels of an image at the given size, uint8 [H, W, channels].

    Args:
        image: of 8 bits per channel.
        where: for messages.
        size: height, width.
        resize: as `Preprocessing.resize`.
        by: how pixels between pixels are found.
        border: the value of pixels that are added.

    Raises:
        ImageError: `resize` gives less than `size`, or too much.
    """
    height, width = size
    if resize == "crop":
        image = ImageOps.fit(image, (width, height), by)
    elif resize == "pad":
        image = ImageOps.pad(image, (width, height), by, border)
    else:
        to = size if isinstance(resize, str) else resize or size
        image = _resized(image, where, size, to, by)
    tall, wide = image.height, image.width
    top, left = (tall - height) // 2, (wide - width) // 2
    pixels = np.asarray(image, np.uint8).reshape(tall, wide, -1)
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def look_at(path: Path) -> Looks | None:
    """Return what an image file's head says; None where it says nothing, and cannot be read."""
    try:
        with _opened(path) as image:
            is_lying = image.getexif().get(_ORIENTATION) in _LYING
            size = image.size if is_lying else (image.height, image.width)
            return Looks(size, image.mode in _GREY)
    except Exception:  # `read_image` says why
        return None


def _resized(
    image: Image.Image,
    where: str,
    size: tuple[int, int],
    resize: tuple[int, int] | int,
    by: Image.Resampling,
) -> Image.Image:
    """Return the image as large as `resize` says, at least `size`."""
    if isinstance(resize, tuple):
        tall, wide = resize
    else:
        shorter = min(image.size)
        tall, wide = round(image.height * resize / shorter), round(image.width * resize / shorter)
    if tall < size[0] or wide < size[1]:
        raise ImageError(
            f"resized to {tall} x {wide}, it is smaller than the model's {size[0]} x {size[1]}",
            where=where,
            hint=_HINT,
        )
    check_size(tall, wide, where, "resized, it is")
    if image.size == (wide, tall):
        return image
    return image.resize((wide, tall), by)


def check_size(height: int, width: int, where: str, what: str) -> None:
    """Raise an ImageError where an image has no pixels, or too many."""
    if not height or not width:
        raise ImageError(f"{what} {height:,} x {width:,}", where=where, hint="it holds no pixel")
    if max(height, width) > MAX_SIDE or height * width > MAX_VALUES:
        raise ImageError(
            f"{what} {height:,} x {width:,}: more pixels than edgesq takes "
            f"({MAX_VALUES:,}, a side of {MAX_SIDE:,})",
            where=where,
            hint=_SMALLER if what == "is" else _HINT,
        )


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Open an image without Pillow's warnings: of large ones `check_size` says enough."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file, formats=_FORMATS) as image:
            yield image


def _decode(file: Path, mode: str) -> Image.Image:
    """Decode all pixels of `file`, turned as its EXIF data say."""
    try:
        if not file.is_file():
            raise ImageError("no such image", where=str(file), hint="check the path")
        with _opened(file) as image:
            check_size(image.height, image.width, str(file), "is")
            image.load()
            return _converted(image, mode, str(file))
    except ImageError:
        raise
    except Image.DecompressionBombError as error:  # raised before a size can be looked at
        raise ImageError(
            f"has more pixels than edgesq takes ({MAX_VALUES:,})", where=str(file), hint=_SMALLER
        ) from error
    # Pillow's decoders raise nearly every kind of exception on damaged files.
    except Exception as error:
        raise ImageError(
            f"not a readable image: {' '.join(str(error).split())[:120]}",
            where=str(file),
            hint=f"it is damaged, or none of {', '.join(_FORMATS)}; replace or remove it",
        ) from error


def _converted(image: Image.Image, mode: str, where: str) -> Image.Image:
    """Return an image upright and in a mode of 8 bits per channel."""
    # Mode "I" and "F" hold more than 8 bits, which convert() would clip, not scale.
    if image.mode[0] in "IF":
        raise ImageError(
            "more than 8 bits per channel", where=where, hint="save it with 8 bits per channel"
        )
    return ImageOps.exif_transpose(image).convert(mode)
