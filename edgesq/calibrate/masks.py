"""Read label maps: a class number for each pixel of an image."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesq.calibrate.image import check_size, fitted, look_at
from edgesq.calibrate.npz import header, opened
from edgesq.calibrate.preprocessing import Resize
from edgesq.errors import ImageError
from edgesq.limits import MAX_FILE_BYTES

UInt8Array = NDArray[np.uint8]

OUTSIDE = 255
"""The label of pixels that a border adds."""

_HINT = "masks are .png of 8 bits, whose palette indices or grey values are class numbers"
_ARRAY_HINT = "give masks as whole numbers 0 to 255, [n, H, W] like the images"


def read_mask(path: Path, image: Path, size: tuple[int, int], resize: Resize) -> UInt8Array:
    """Read a label map, cut and resized as its image is, by the nearest pixel.

    Args:
        path: a .png of 8 bits with a palette, or grey.
        image: the image that it belongs to.
        size: height, width.
        resize: as `Preprocessing.resize`.

    Returns:
        uint8 [H, W].

    Raises:
        ImageError: it is missing or damaged, has colours, or another size than its image.
    """
    where = str(path)
    if not path.is_file():
        raise ImageError(f"no mask for {image.name}", where=where, hint=_HINT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("PNG",)) as found:
                check_size(found.height, found.width, where, "is")
                if found.mode not in ("P", "L"):
                    raise ImageError(f"is a mask of mode {found.mode}", where=where, hint=_HINT)
                labels = Image.fromarray(np.asarray(found))
    except ImageError:
        raise
    # Pillow's decoders raise nearly every kind of exception on damaged files.
    except Exception as error:
        said = " ".join(str(error).split())[:120]
        raise ImageError(f"is no readable mask: {said}", where=where, hint=_HINT) from error
    looks = look_at(image)
    if looks is not None and looks.size != (labels.height, labels.width):
        raise ImageError(
            f"is {labels.height} x {labels.width}, and its image {looks.size[0]} x {looks.size[1]}",
            where=where,
            hint="a mask has a pixel for each of its image",
        )
    pixels = fitted(labels, where, size, resize, Image.Resampling.NEAREST, OUTSIDE)
    return pixels[..., 0]


@dataclass(frozen=True, eq=False)
class NpzMasks:
    """The array `masks` of an .npz.

    Attributes:
        path: the file.
        size: height, width of each.
        count: how many are needed.
    """

    path: Path
    size: tuple[int, int]
    count: int

    def masks(self) -> Iterator[UInt8Array]:
        """Yield label maps, uint8 [H, W].

        Raises:
            ImageError: the array is missing, of another type or shape, or holds other numbers.
        """
        where = str(self.path)
        with opened(self.path) as archive:
            info = archive.getinfo("masks.npy")
            found = header(archive, info)
            shape = (*found.shape[:1], *self.size)
            good = found.dtype.kind in "iu" and found.shape == shape and shape[0] >= self.count
            if not good or info.file_size > MAX_FILE_BYTES:
                wrong = f"masks are {found.dtype} {list(found.shape)}"
                raise ImageError(wrong, where=where, hint=_ARRAY_HINT)
            with archive.open(info) as member:
                masks = np.lib.format.read_array(member, allow_pickle=False)[: self.count]
        if masks.min() < 0 or masks.max() > OUTSIDE:
            wrong = f"masks hold {int(masks.min())} to {int(masks.max())}"
            raise ImageError(wrong, where=where, hint=_ARRAY_HINT)
        yield from masks.astype(np.uint8)


def has_masks(path: Path) -> bool:
    """Say whether an .npz has an array `masks`, and no `labels` of whole images.

    Raises:
        ImageError: it is missing or damaged, or has both.
    """
    with opened(path) as archive:
        names = set(archive.namelist())
    if {"masks.npy", "labels.npy"} <= names:
        raise ImageError("holds both masks and labels", where=str(path), hint="leave one out")
    return "masks.npy" in names
