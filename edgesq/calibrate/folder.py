"""Read a folder of images."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate.image import SUFFIXES, read_image
from edgesq.calibrate.manifest import read_manifest
from edgesq.calibrate.preprocessing import Preprocessing
from edgesq.errors import ImageError

UInt8Array = NDArray[np.uint8]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The image files of a folder, not read yet.

    Attributes:
        root: the folder.
        files: path of each image.
        labels: int64 [n], indices into `class_names`; None for a folder without class folders.
        class_names: names of the class folders; empty without.
        preprocessing: what the folder's manifest declares, or the default.
    """

    root: Path
    files: tuple[Path, ...]
    labels: Int64Array | None
    class_names: tuple[str, ...]
    preprocessing: Preprocessing

    @property
    def identity(self) -> str:
        """What changes where a file does: SHA-256 over names, sizes and times of change."""
        found = hashlib.sha256()
        for file in self.files:
            facts = file.stat()
            name = file.relative_to(self.root).as_posix()
            found.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
        return found.hexdigest()

    def images(
        self,
        input_shape: tuple[int, int, int],
        start: int = 0,
        preprocessing: Preprocessing | None = None,
    ) -> Iterator[UInt8Array]:
        """Read the images from number `start` on, one by one, resized as `read_image` does.

        Args:
            input_shape: height, width, channels (1 or 3) of each.
            start: number of the first.
            preprocessing: says how they are resized; None for the folder's own.

        Raises:
            ImageError: an image cannot be read.
        """
        height, width, channels = input_shape
        resize = (preprocessing or self.preprocessing).resize
        for file in self.files[start:]:
            yield read_image(file, (height, width), channels, resize)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one size.

    Attributes:
        images: uint8 [n, H, W, C], RGB or grey, n >= 1.
        labels: int64 [n], indices into `class_names`; None for a folder without class folders.
        class_names: names of the class folders; empty without.
        preprocessing: what the folder's manifest declares, or the default.
        files: path of each image.
    """

    images: UInt8Array
    labels: Int64Array | None
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    files: tuple[Path, ...]


def open_folder(folder: Path | str) -> ImageFiles:
    """Find all images of a folder.

    Images lie either in the folder itself, or in one folder per class; classes are numbered in
    alphabetical order, or by value where all names are numbers. Other files, and names that begin
    with a dot, are left alone. The folder's `manifest.json`, if any, is checked.

    Raises:
        ImageError: the folder is missing or has no images, holds images both in class folders and
            beside them, or the manifest is wrong or differs.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ImageError("no such image folder", where=str(root), hint="check the path")
    flat, by_class = _images_in(root), _class_folders(root)
    if flat and by_class:
        raise ImageError(
            f"images both in class folders ({by_class[0].name}) and beside them ({flat[0].name})",
            where=str(root),
            hint="move every image into a class folder, or none",
        )
    files = flat or [file for one in by_class for file in _images_in(one)]
    if not files:
        raise ImageError(
            "no images in this folder",
            where=str(root),
            hint=f"put {', '.join(SUFFIXES)} files in it, or in one folder per class",
        )
    manifest = read_manifest(root)
    manifest.check(root, {file.relative_to(root).as_posix() for file in files})
    names = tuple(one.name for one in by_class)
    numbers = {name: number for number, name in enumerate(names)}
    labels = None if flat else np.array([numbers[file.parent.name] for file in files], np.int64)
    return ImageFiles(root, tuple(files), labels, names, manifest.preprocessing)


def load_folder(folder: Path | str, input_shape: tuple[int, int, int]) -> ImageSet:
    """Read all images of a folder, resized as `read_image` does.

    Args:
        folder: as `open_folder` takes it.
        input_shape: height, width, channels (1 or 3).

    Raises:
        ImageError: as `open_folder`, or an image cannot be read.
    """
    found = open_folder(folder)
    return ImageSet(
        np.stack(list(found.images(input_shape))),
        found.labels,
        found.class_names,
        found.preprocessing,
        found.files,
    )


def _images_in(folder: Path) -> list[Path]:
    """Return the image files directly in `folder`, in alphabetical order."""
    return sorted(file for file in _visible(folder) if file.suffix.lower() in SUFFIXES)


def _class_folders(root: Path) -> list[Path]:
    """Return the folders below `root` that hold images, in the order of their class numbers."""
    folders = sorted(path for path in _visible(root) if path.is_dir() and _images_in(path))
    if all(path.name.isdecimal() for path in folders):
        folders.sort(key=lambda path: int(path.name))
    return folders


def _visible(folder: Path) -> list[Path]:
    """Return what lies in `folder`, without hidden names."""
    return [path for path in folder.iterdir() if not path.name.startswith(".")]
