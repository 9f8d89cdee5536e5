"""The images that `verify` streams, read when they are needed."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate import Preprocessing, open_folder, open_npz
from edgesq.errors import EdgesqError
from edgesq.export import REPORT, VERIFY_IMAGES
from edgesq.graph import Graph, Int8Array


@dataclass(frozen=True, eq=False)
class VerifyImages:
    """Quantized images on disk.

    Attributes:
        source: the file or folder.
        identity: changes where the images do.
        count: that are streamed, at least 1.
        labels: int64 [at least count], or None.
        class_names: by label; empty where nobody says.
        names: of the files; empty for an .npz.
        begin: yields int8 [H, W, C] from an image's number on.
    """

    source: Path
    identity: str
    count: int
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    names: tuple[str, ...]
    begin: Callable[[int], Iterator[Int8Array]]

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


def open_images(build: Path, graph: Graph, source: Path | None, count: int | None) -> VerifyImages:
    """Return the images to stream.

    Args:
        build: the BUILD folder; uint8 pixels are prepared as its report says.
        graph: the model in it.
        source: an .npz file or a folder of images; None for the BUILD's own.
        count: take at most so many; there may be fewer.

    Raises:
        ImageError: missing, corrupt, or of another shape than the model's input.
        EdgesqError: `build` is not a BUILD folder, or count is below 1.
    """
    if count is not None and count < 1:
        raise EdgesqError(f"cannot stream {count} images", hint="count must be at least 1")
    source = source or build / VERIFY_IMAGES
    tensor = graph.tensors[graph.input]

    def quantized(pixels: Iterable[NDArray[Any]]) -> Iterator[Int8Array]:
        for image in pixels:
            yield preparation.to_int8(image, tensor.scale, tensor.zero_point)

    if source.is_dir():
        preparation = read_preprocessing(build)
        return _from_folder(source, count, tensor.hwc, preparation, quantized)
    arrays = open_npz(source, tensor.hwc)
    if arrays.dtype != np.int8:
        preparation = read_preprocessing(build)
    begin = _as_they_are if arrays.dtype == np.int8 else quantized
    return VerifyImages(
        source,
        arrays.identity,
        min(arrays.count, count or arrays.count),
        arrays.labels,
        (),
        (),
        lambda start: begin(arrays.images(start)),
    )


def _from_folder(
    source: Path,
    count: int | None,
    shape: tuple[int, int, int],
    preparation: Preprocessing,
    quantized: Callable[[Iterable[NDArray[Any]]], Iterator[Int8Array]],
) -> VerifyImages:
    found = open_folder(source)
    names = tuple(file.relative_to(source).as_posix() for file in found.files)
    return VerifyImages(
        source,
        found.identity,
        min(len(names), count or len(names)),
        found.labels,
        found.class_names,
        names,
        lambda start: quantized(found.images(shape, start, preparation)),
    )


def _as_they_are(images: Iterable[NDArray[Any]]) -> Iterator[Int8Array]:
    return iter(images)


def read_preprocessing(build: Path) -> Preprocessing:
    """Return how pixels become the model's input, as the report of a build says.

    Raises:
        EdgesqError: it does not say.
    """
    path = build / REPORT
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return Preprocessing.from_json(report["preprocessing"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise EdgesqError(
            "does not say how pixels become the model's input",
            where=str(path),
            hint="`edgesq export` again, or give an NPZ with int8 input",
        ) from error
