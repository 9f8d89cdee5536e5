"""Read a folder of images."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate.choose import changes, most_held, spread
from edgesq.calibrate.classes import Classes, number_folders
from edgesq.calibrate.image import SUFFIXES, read_image
from edgesq.calibrate.manifest import NAME, read_manifest
from edgesq.calibrate.preprocessing import Fit, Preprocessing
from edgesq.errors import ImageError, printable

UInt8Array = NDArray[np.uint8]
Int64Array = NDArray[np.int64]

_MAX_NAMED = 5


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The image files of a folder, not read yet.

    Attributes:
        root: the folder.
        files: path of each image.
        labels: int64 [n], indices into `classes.names`; None for a folder without class folders.
        classes: which class has which number; none without class folders, if nobody declares them.
        preprocessing: what the folder's manifest declares, or the default.
        notes: what to know of classes and of what was left out.
    """

    root: Path
    files: tuple[Path, ...]
    labels: Int64Array | None
    classes: Classes
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Path of each image below the folder, printable."""
        return tuple(printable(file.relative_to(self.root).as_posix()) for file in self.files)

    @property
    def identity(self) -> str:
        """What changes where a file or its class does: SHA-256 over names, sizes, times, labels.

        Raises:
            ImageError: a file has vanished.
        """
        found = hashlib.sha256()
        labels = [-1] * len(self.files) if self.labels is None else self.labels.tolist()
        for file, label in zip(self.files, labels, strict=True):
            try:
                facts = file.stat()
            except OSError as error:
                raise ImageError("is not there any more", where=str(file)) from error
            name = os.fsencode(file.relative_to(self.root))
            found.update(name + f" {facts.st_size} {facts.st_mtime_ns} {label}\n".encode())
        return found.hexdigest()

    def take(self, numbers: Int64Array) -> "ImageFiles":
        """Return some of the images."""
        labels = None if self.labels is None else self.labels[numbers]
        return replace(self, files=tuple(self.files[number] for number in numbers), labels=labels)

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
        labels: int64 [n], indices into `classes.names`; None for a folder without class folders.
        classes: as of `ImageFiles`.
        preprocessing: what the folder's manifest declares, or the default.
        files: path of each image.
        notes: as of `ImageFiles`.
    """

    images: UInt8Array
    labels: Int64Array | None
    classes: Classes
    preprocessing: Preprocessing
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Folder:
    """What lies in a folder, each sorted as text, without hidden names."""

    path: Path
    images: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)

    @property
    def name(self) -> str:
        return printable(self.path.name)


def open_folder(
    folder: Path | str, declared: Classes | None = None, built: Classes | None = None
) -> ImageFiles:
    """Find all images of a folder.

    Images lie either in the folder itself, or in one folder per class. Every folder is a class,
    also one without images; `number_folders` says which. Other files, and names that begin with a
    dot, are left out. The folder's `manifest.json`, if any, is checked.

    Args:
        folder: the folder.
        declared: classes that are more to be believed than the manifest's.
        built: those of a build, which are less.

    Raises:
        ImageError: the folder is missing or has no images, holds images both in class folders and
            beside them, or folders of class folders, or the manifest is wrong or differs.
    """
    root = Path(folder)
    try:
        top = _look(root)
        inner = [_look(path) for path in top.folders]
        return _found(root, top, inner, declared, built or Classes())
    except OSError as error:
        where = str(error.filename or root)
        raise ImageError(f"cannot be read: {error.strerror}", where=where) from error


def _found(
    root: Path, top: _Folder, inner: list[_Folder], declared: Classes | None, built: Classes
) -> ImageFiles:
    full = [one for one in inner if one.images]
    if top.images and full:
        raise ImageError(
            f"images both in class folders ({full[0].name}) and beside them "
            f"({printable(top.images[0].name)})",
            where=str(root),
            hint="move every image into a class folder, or none",
        )
    if not top.images and not full:
        raise _no_images(root, top, inner)
    manifest = read_manifest(root)
    files = top.images or list(chain.from_iterable(one.images for one in full))
    manifest.check(root, {file.relative_to(root).as_posix() for file in files})
    notes = _left_out(top, inner)
    if declared is not None and declared.names:
        if manifest.classes.names not in ((), declared.names):
            notes.append(f"{NAME} declares other classes than those used, {declared.said_by}")
    else:
        declared = manifest.classes
    if top.images:
        found = ImageFiles(root, tuple(files), None, declared, manifest.preprocessing)
        return replace(found, notes=tuple(notes))
    classes, more = number_folders([one.name for one in inner], declared, built, root)
    numbers = {name: number for number, name in enumerate(classes.names)}
    labels = np.array([numbers[one.name] for one in full for _ in one.images], np.int64)
    silent = [_empty(one, numbers[one.name]) for one in inner if not one.images]
    return ImageFiles(
        root, tuple(files), labels, classes, manifest.preprocessing, (*more, *silent, *notes)
    )


def load_folder(
    folder: Path | str,
    input_shape: tuple[int, int, int],
    declared: Classes | None = None,
    fit: Fit | None = None,
) -> ImageSet:
    """Read the images of a folder, resized as `read_image` does, or as many as `most_held` allows.

    Args:
        folder: as `open_folder` takes it.
        input_shape: height, width, channels (1 or 3).
        declared: as of `open_folder`.
        fit: how they are resized, whatever the manifest says; None for as it says.

    Raises:
        ImageError: as `open_folder`, or an image cannot be read.
    """
    found = open_folder(folder, declared)
    count, most = len(found.files), most_held(input_shape)
    notes = list(found.notes)
    if count > most:
        found = found.take(spread(found.labels, count, most))
        notes.append(f"of {count:,} images {most:,} are taken, as many of each class: no more fit")
    preprocessing = found.preprocessing
    if fit is not None:
        preprocessing = replace(preprocessing, resize=fit)
    changed = changes(found.files, input_shape, preprocessing.resize)
    return ImageSet(
        np.stack(list(found.images(input_shape, 0, preprocessing))),
        found.labels,
        found.classes,
        preprocessing,
        found.files,
        (*notes, *([changed] if changed else [])),
    )


def _look(path: Path) -> _Folder:
    """Sort what lies in a folder by what it is; a link that leads nowhere is another file."""
    if not path.is_dir():
        if path.is_file():
            raise ImageError(
                "no such image folder: it is a file",
                where=str(path),
                hint="give the folder that the images lie in",
            )
        raise ImageError("no such image folder", where=str(path), hint="check the path")
    found = _Folder(path)
    for item in sorted(path.iterdir()):
        if item.name.startswith("."):
            continue
        is_image = item.suffix.lower() in SUFFIXES and item.is_file()
        kind = found.folders if item.is_dir() else found.images if is_image else found.others
        kind.append(item)
    return found


def _no_images(root: Path, top: _Folder, inner: list[_Folder]) -> ImageError:
    """Return why no image was found: the folders are one level too high, or hold something else."""
    for one in inner:
        deep = next((path for path in one.folders if _look(path).images), None)
        if deep is not None:
            shown = ", ".join(each.name for each in inner[:_MAX_NAMED])
            return ImageError(
                f"holds folders of class folders ({shown}), not class folders: images lie in "
                f"{one.name}/{printable(deep.name)}",
                where=str(root),
                hint=f"give one of them, as {one.path}",
            )
    others = [*top.others, *chain.from_iterable(one.others for one in inner)]
    what = f"; it holds {_suffixes(others)}" if others else ""
    return ImageError(
        f"no images in this folder{what}",
        where=str(root),
        hint=f"put {', '.join(SUFFIXES)} files in it, or in one folder per class",
    )


def _left_out(top: _Folder, inner: list[_Folder]) -> list[str]:
    """Name what is no image, and images in folders of class folders."""
    others = [file for file in top.others if file.name != NAME]
    others += chain.from_iterable(one.others for one in inner if one.images)
    notes = []
    if others:
        notes.append(f"left out, as they are not {', '.join(SUFFIXES)}: {_suffixes(others)}")
    deep = [path for one in inner if one.images for path in one.folders if _look(path).images]
    if deep:
        shown = ", ".join(f"{printable(path.parent.name)}/{path.name}" for path in deep[:3])
        notes.append(f"left out, as they lie in folders of class folders: the images of {shown}")
    return notes


def _empty(one: _Folder, number: int) -> str:
    holds = f"{_suffixes(one.others)}" if one.others else "nothing"
    return (
        f"class folder {one.name} holds no image that can be read ({holds}); it keeps its number, "
        f"{number}"
    )


def _suffixes(files: Sequence[Path]) -> str:
    """Return how many files there are of which kind, the commonest first."""
    counts = Counter(printable(file.suffix.lower()) or "nameless" for file in files)
    shown = [f"{count:,} {suffix}" for suffix, count in counts.most_common(_MAX_NAMED)]
    return ", ".join([*shown, *(["others"] if len(counts) > _MAX_NAMED else [])])
