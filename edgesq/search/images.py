"""Labelled images: a folder with one folder per class, or an .npz; some are held out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgesq.calibrate import ImageFiles, open_folder, open_npz
from edgesq.errors import ImageError
from edgesq.limits import MAX_SIDE

UInt8Array = NDArray[np.uint8]
Int64Array = NDArray[np.int64]

MIN_PER_CLASS = 10
"""Below, an accuracy on the fifth that is held out says nothing."""

MAX_HELD_OUT = 2_000
"""They go through TensorFlow Lite's reference kernels, which take 2 ns per multiplication."""

SIDES = (24, 32, 48, 64, 96, 128, 160, 192, 224)
"""Heights and widths to choose from, as far as the images go."""

_MAX_SIDES = 3
_HELD_OUT, _VALIDATION = 5, 10
"""One image in so many."""

_MAX_BYTES = 8 << 30
_MAX_NAMED = 5


@dataclass(frozen=True, eq=False)
class Images:
    """Images of one size, in three parts.

    Attributes:
        train, validation, heldout: uint8 [n, side, side, channels].
        train_labels, validation_labels, heldout_labels: int64 [n].
    """

    train: UInt8Array
    train_labels: Int64Array
    validation: UInt8Array
    validation_labels: Int64Array
    heldout: UInt8Array
    heldout_labels: Int64Array

    def write(self, path: Path) -> None:
        """Write them for worker processes."""
        np.savez(path, **vars(self))

    @classmethod
    def read(cls, path: Path) -> "Images":
        """Return what `write` wrote."""
        with np.load(path, allow_pickle=False) as archive:
            return cls(**{name: archive[name] for name in archive.files})


@dataclass(frozen=True, eq=False)
class Labelled:
    """Where labelled images come from.

    Attributes:
        path: folder or .npz.
        classes: names, by label.
        labels: int64 [n].
        side: the shorter side that most images have.
        channels: 1 or 3.
        identity: SHA-256 that changes where the images do.
        files: of a folder.
        pixels: uint8 [n, H, W, C] of an .npz.
        heldout: bool [n] of an .npz that says which are held out.
    """

    path: Path
    classes: tuple[str, ...]
    labels: Int64Array
    side: int
    channels: int
    identity: str
    files: ImageFiles | None = None
    pixels: UInt8Array | None = None
    heldout: NDArray[np.bool_] | None = None

    @property
    def sides(self) -> tuple[int, ...]:
        """Heights and widths of an input to choose from: its own, and the next smaller ones."""
        smaller = [side for side in SIDES if side < self.side]
        own = self.side if self.side <= SIDES[-1] else SIDES[-1]
        return (*smaller[-_MAX_SIDES + 1 :], own) if own not in smaller else tuple(smaller[-3:])

    def at(self, side: int, seed: int) -> Images:
        """Return all images, square, in three parts: the same ones for a seed, at each size.

        Raises:
            ImageError: an image cannot be read, or they do not fit into memory.
        """
        size = len(self.labels) * side * side * self.channels
        if size > _MAX_BYTES:
            raise ImageError(
                f"{len(self.labels):,} images of {side} x {side} take {size:,} bytes",
                where=str(self.path),
                hint="take fewer, or a smaller --side",
            )
        every = np.stack(list(self._read(side)))
        held = self.heldout
        if held is None:
            held = _share(self.labels, _HELD_OUT, MAX_HELD_OUT, seed)
        inner = np.flatnonzero(~held)
        checked = np.zeros(len(held), bool)
        checked[inner[_share(self.labels[inner], _VALIDATION, MAX_HELD_OUT, seed + 1)]] = True
        rest = ~held & ~checked
        labels = self.labels
        return Images(
            every[rest], labels[rest], every[checked], labels[checked], every[held], labels[held]
        )

    def _read(self, side: int) -> Iterator[UInt8Array]:
        if self.files is not None:
            yield from self.files.images((side, side, self.channels))
            return
        assert self.pixels is not None
        for pixels in self.pixels:
            yield _resized(pixels, side)


def open_images(path: Path) -> Labelled:
    """Look at labelled images, before anything is searched.

    Args:
        path: a folder with one folder per class; or an .npz with `input` uint8 [n, H, W, C],
            `labels` [n], and perhaps `heldout` bool [n].

    Raises:
        ImageError: they cannot be used, or a class has too few.
    """
    found = _of_npz(path) if path.suffix == ".npz" else _of_folder(path)
    counts = np.bincount(found.labels, minlength=len(found.classes))
    few = [
        f"{name} ({count})"
        for name, count in zip(found.classes, counts, strict=True)
        if count < MIN_PER_CLASS
    ]
    if few:
        more = ", ..." if len(few) > _MAX_NAMED else ""
        raise ImageError(
            f"classes with too few images: {', '.join(few[:_MAX_NAMED])}{more}",
            where=str(path),
            hint=f"at least {MIN_PER_CLASS} of each; a fifth is held out to judge with",
        )
    if len(found.classes) < 2:
        raise ImageError("holds one class", where=str(path), hint="at least two are needed")
    return found


def _of_folder(path: Path) -> Labelled:
    files = open_folder(path)
    if files.labels is None:
        raise ImageError(
            "has no class folders", where=str(path), hint="put the images in one folder per class"
        )
    looks = [_size(file) for file in files.files[:: max(1, len(files.files) // 100)]]
    side = int(np.median([min(size) for size in looks]))
    identity = files.identity
    return Labelled(path, files.classes.names, files.labels, side, 3, identity, files=files)


def _size(file: Path) -> tuple[int, int]:
    try:
        with Image.open(file) as image:
            return image.size
    except (OSError, ValueError) as error:
        raise ImageError("not a readable image", where=str(file), hint="remove it") from error


def _of_npz(path: Path) -> Labelled:
    shape = _npz_shape(path)
    images = open_npz(path, shape)
    if images.labels is None or images.dtype != np.uint8:
        lacking = "holds no labels" if images.labels is None else f"input is {images.dtype}"
        raise ImageError(
            lacking,
            where=str(path),
            hint="give input as uint8 [n, H, W, C] and labels [n]",
        )
    pixels = np.stack(list(images.images())).astype(np.uint8)
    heldout = _heldout(path, images.labels)
    identity = hashlib.sha256(images.identity.encode())
    identity.update(b"" if heldout is None else heldout.tobytes())
    names = tuple(map(str, range(int(images.labels.max()) + 1)))
    side, channels = min(shape[:2]), shape[2]
    return Labelled(
        path,
        names,
        images.labels,
        side,
        channels,
        identity.hexdigest(),
        pixels=pixels,
        heldout=heldout,
    )


def _heldout(path: Path, labels: Int64Array) -> NDArray[np.bool_] | None:
    """Return which images the file holds out; None where it does not say."""
    hint = "one bool per image: whether it is held out"
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "heldout" not in archive.files:
                return None
            heldout: NDArray[np.bool_] = archive["heldout"]
    except Exception as error:  # a damaged archive can raise nearly anything
        raise ImageError("heldout cannot be read", where=str(path), hint=hint) from error
    if heldout.dtype != bool or heldout.shape != labels.shape:
        what = f"heldout is {heldout.dtype} {list(heldout.shape)}"
        raise ImageError(what, where=str(path), hint=hint)
    if heldout.all() or not heldout.any():
        what = f"heldout holds out {'all' if heldout.all() else 'no'} images"
        raise ImageError(what, where=str(path), hint="a fifth, for example")
    return heldout


def _npz_shape(path: Path) -> tuple[int, int, int]:
    """Return the shape that the file says its images have; `open_npz` holds it against them."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            shape = archive["input"].shape[1:]
    except Exception as error:  # a damaged archive can raise nearly anything
        raise ImageError(
            "is no .npz with input", where=str(path), hint="input uint8 [n, H, W, C], labels [n]"
        ) from error
    if len(shape) != 3 or shape[2] not in (1, 3) or not 0 < min(shape) <= max(shape) <= MAX_SIDE:
        raise ImageError(
            f"input is of images {list(shape)}", where=str(path), hint="[n, H, W, 1 or 3]"
        )
    return shape[0], shape[1], shape[2]


def _resized(pixels: UInt8Array, side: int) -> UInt8Array:
    if pixels.shape[:2] == (side, side):
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    small = np.asarray(image.resize((side, side), Image.Resampling.BILINEAR), np.uint8)
    return small.reshape(side, side, pixels.shape[2])


def _share(labels: Int64Array, part: int, most: int, seed: int) -> NDArray[np.bool_]:
    """Return which images are one in `part` of each class, and `most` together at most."""
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        count = min(max(1, len(mine) // part), max(1, most * len(mine) // len(labels)))
        chosen[random.permutation(mine)[:count]] = True
    return chosen
