"""Choose images from a large set, and say how they will be changed to fit the input."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate.image import look_at
from edgesq.calibrate.preprocessing import Resize
from edgesq.limits import MAX_SET_IMAGES, MAX_SET_VALUES

_ALIKE = 0.02
"""Relative difference of aspect ratios above which an image counts as stretched."""

_STRETCHED = "are stretched to {} (`export --fit crop` or `pad` keeps their proportions)"
_SHAPED: dict[Resize, str] = {
    None: _STRETCHED,
    "stretch": _STRETCHED,
    "crop": "are cut to the shape of {}",
    "pad": "get black borders to the shape of {}",
}


def spread(labels: NDArray[np.int64] | None, images: int, count: int | None) -> NDArray[np.int64]:
    """Return the numbers of at most `count` images, in order: as many of each class as there are.

    Of each class, and of images without classes, the first are taken; the same ones each time.

    Args:
        labels: int64 [images], or None.
        images: how many there are.
        count: how many are wanted; None for all.
    """
    if labels is None or count is None or count >= images:
        return np.arange(min(images, images if count is None else count))
    by_class = np.argsort(labels, kind="stable")
    ordered = labels[by_class]
    place = np.empty(images, np.int64)
    place[by_class] = np.arange(images) - np.searchsorted(ordered, ordered)
    return np.sort(np.lexsort((labels, place))[:count])


def most_held(shape: tuple[int, int, int]) -> int:
    """Return the largest number of images [H, W, C] that may be held at once, at least one."""
    return max(min(MAX_SET_IMAGES, MAX_SET_VALUES // int(np.prod(shape))), 1)


def changes(files: Sequence[Path], shape: tuple[int, int, int], resize: Resize) -> str | None:
    """Say in a line how many images get other proportions or channels; None where none does.

    Args:
        files: the images; only their heads are read.
        shape: height, width, channels that they get.
        resize: as `Preprocessing.resize`.
    """
    height, width, channels = shape
    looks = [look for file in files if (look := look_at(file)) is not None]
    shaped = sum(_is_stretched(look.size, (height, width)) for look in looks)
    grey = sum(look.is_grey for look in looks) if channels == 3 else 0
    coloured = sum(not look.is_grey for look in looks) if channels == 1 else 0
    said = []
    if shaped and resize in _SHAPED:
        said.append(f"{shaped:,} {_SHAPED[resize].format(f'{height} x {width}')}")
    if grey:
        said.append(f"{grey:,} grey ones become RGB with three equal channels")
    if coloured:
        said.append(f"{coloured:,} coloured ones become grey")
    return f"of {len(files):,} images {', '.join(said)}" if said else None


def _is_stretched(size: tuple[int, int], wanted: tuple[int, int]) -> bool:
    tall, wide = size[0] * wanted[1], size[1] * wanted[0]
    return abs(tall - wide) > _ALIKE * max(tall, wide)
