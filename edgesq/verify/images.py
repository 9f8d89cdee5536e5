"""The images that `verify` streams, read when they are needed."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.builds import VERIFY_IMAGES, read_report
from edgesq.calibrate import (
    Classes,
    ImageFiles,
    Judge,
    Preprocessing,
    changes,
    judged_by,
    levels,
    open_folder,
    open_npz,
    read_inputs,
    spread,
    wanted_of,
)
from edgesq.errors import EdgesqError, ImageError
from edgesq.graph import Graph, Int8Array, Tensor


@dataclass(frozen=True, eq=False)
class VerifyImages:
    """Quantized images on disk.

    Attributes:
        source: the file or folder.
        identity: changes where the images or their classes do.
        count: that are streamed, at least 1.
        labels: int64 [count], or None where the model cannot be judged by them.
        classes: which class has which number; none where nobody says.
        names: of the files, printable; empty for an .npz.
        begin: yields images of `Graph.image_shape` from an image's number on.
        files: the images of a folder; None for an .npz.
        judge: what the model's outputs say of a class; None where nothing.
        no_accuracy: why the model cannot be judged by them; None where it can.
        notes: what to know of classes and images.
    """

    source: Path
    identity: str
    count: int
    labels: NDArray[np.int64] | None
    classes: Classes
    names: tuple[str, ...]
    begin: Callable[[int], Iterator[Int8Array]]
    files: ImageFiles | None = None
    judge: Judge | None = None
    no_accuracy: str | None = None
    notes: tuple[str, ...] = ()

    def read(self, start: int = 0) -> Iterator[Int8Array]:
        """Yield int8 [H, W, C] from image number `start` on.

        Raises:
            ImageError: an image cannot be read.
        """
        return islice(self.begin(start), self.count - start)

    def pick(self, numbers: Iterable[int]) -> dict[int, Int8Array]:
        """Return some images by their numbers.

        Raises:
            ImageError: an image cannot be read.
        """
        wanted = sorted(set(numbers))
        if self.names:  # files open by name; an .npz is read through once
            return {number: next(self.begin(number)) for number in wanted}
        first, last = (wanted[0], wanted[-1]) if wanted else (0, -1)
        stream = enumerate(islice(self.begin(first), last + 1 - first), first)
        return {number: image for number, image in stream if number in wanted}

    def label(self, number: int) -> int | None:
        """Return the class of an image, None where nobody says."""
        return None if self.labels is None else int(self.labels[number])


def open_images(
    build: Path,
    graph: Graph,
    source: Path | None,
    count: int | None,
    declared: Classes | None = None,
) -> VerifyImages:
    """Return the images to stream, and how the model is judged by them.

    Args:
        build: the BUILD folder; uint8 pixels are prepared as its report says.
        graph: the model in it.
        source: an .npz file or a folder of images; None for the BUILD's own.
        count: take at most so many, spread evenly over the classes; there may be fewer.
        declared: classes that are more to be believed than the build's.

    Raises:
        ImageError: missing, corrupt, or of another shape than the model's input; or a class folder
            that is no declared class.
        EdgesqError: `build` is not a BUILD folder, or count is below 1.
    """
    if count is not None and count < 1:
        raise EdgesqError(f"cannot stream {count} images", hint="count must be at least 1")
    source = source or build / VERIFY_IMAGES
    built = _built_classes(build)
    if len(graph.inputs) > 1:
        return _judged(_of_inputs(build, graph, source, count, declared or built), graph)
    return _judged(
        _of_one(build, graph.tensors[graph.input], source, count, declared, built), graph
    )


def _of_one(
    build: Path,
    tensor: Tensor,
    source: Path,
    count: int | None,
    declared: Classes | None,
    built: Classes,
) -> VerifyImages:
    """Return images of one input."""

    def quantized(given: Iterable[NDArray[Any]]) -> Iterator[Int8Array]:
        for image in given:
            yield levels(image, tensor, preparation)

    if source.is_dir():
        preparation = read_preprocessing(build)
        return _from_folder(source, count, tensor.hwc, preparation, quantized, declared, built)
    arrays = open_npz(source, tensor.hwc, tensor.dtype)
    if arrays.dtype.kind == "f":
        _refuse_prepared(build, source)
    preparation = Preprocessing() if arrays.dtype == tensor.dtype else read_preprocessing(build)
    chosen = spread(arrays.labels, arrays.count, count)
    return VerifyImages(
        source,
        arrays.identity,
        len(chosen),
        None if arrays.labels is None else arrays.labels[chosen],
        declared or built,
        (),
        lambda start: quantized(arrays.images(chosen[start:])),
    )


def _of_inputs(
    build: Path, graph: Graph, source: Path, count: int | None, classes: Classes
) -> VerifyImages:
    """Return images of several inputs; they are kept in memory."""
    found = read_inputs(source, wanted_of(graph))
    is_plain = all(array.dtype in (np.int8, np.int16) for array in found.arrays)
    preparation = Preprocessing() if is_plain else read_preprocessing(build)
    chosen = spread(found.labels, found.count, count)
    images = found.int8(graph, preparation)[chosen]
    labels = None if found.labels is None else found.labels[chosen]
    return VerifyImages(
        source,
        found.identity,
        len(chosen),
        labels,
        classes,
        (),
        lambda start: iter(images[start:]),
    )


def _from_folder(
    source: Path,
    count: int | None,
    shape: tuple[int, int, int],
    preparation: Preprocessing,
    quantized: Callable[[Iterable[NDArray[Any]]], Iterator[Int8Array]],
    declared: Classes | None,
    built: Classes,
) -> VerifyImages:
    known = built if built.is_declared else None
    every = open_folder(source, declared or known, built)
    found = every.take(spread(every.labels, len(every.files), count))
    changed = changes(found.files, shape, preparation.resize)
    return VerifyImages(
        source,
        every.identity,
        len(found.files),
        found.labels,
        found.classes,
        found.names,
        lambda start: quantized(found.images(shape, start, preparation)),
        found,
        notes=(*found.notes, *([changed] if changed else [])),
    )


def _judged(images: VerifyImages, graph: Graph) -> VerifyImages:
    """Say whether and how the model can be judged by the images; labels that do not fit go."""
    found = judged_by(graph, images.classes, images.labels)
    return replace(
        images,
        labels=found.labels,
        classes=found.classes,
        judge=found.judge,
        no_accuracy=found.reason,
        notes=(*images.notes, *found.notes),
    )


def _built_classes(build: Path) -> Classes:
    """Return the classes that a build keeps; none where it keeps none."""
    with contextlib.suppress(EdgesqError):
        return read_report(build).classes
    return Classes()


def _refuse_prepared(build: Path, source: Path) -> None:
    """Refuse reals where the model's first layer makes them of pixels: they would be made twice."""
    declared = read_report(build).calibration.declared_preprocessing
    if declared is not None:
        raise ImageError(
            "input is reals, and the first layer of this model makes them of pixels",
            where=str(source),
            hint="give input as uint8, as the image files hold it",
        )


def read_preprocessing(build: Path) -> Preprocessing:
    """Return how pixels become the model's input, as the report of a build says.

    Raises:
        EdgesqError: not a BUILD folder, or a damaged one.
    """
    return read_report(build).calibration.preprocessing
