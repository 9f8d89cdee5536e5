"""The images that `verify` streams."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate import Preprocessing, load_folder, load_npz
from edgesq.errors import EdgesqError
from edgesq.export import REPORT, VERIFY_IMAGES
from edgesq.graph import Graph


@dataclass(frozen=True, eq=False)
class VerifyImages:
    """Quantized images.

    Attributes:
        input: int8 [n, H, W, C].
        labels: int64 [n], or None.
    """

    input: NDArray[np.int8]
    labels: NDArray[np.int64] | None


def load_images(build: Path, graph: Graph, source: Path | None, count: int | None) -> VerifyImages:
    """Return the images to stream.

    Args:
        build: the BUILD folder; uint8 pixels are prepared as its report says.
        graph: the model in it.
        source: an .npz file or a folder of images; None for the BUILD's own.
        count: take at most so many.

    Raises:
        ImageError: missing, corrupt, or of another shape than the model's input.
        EdgesqError: `build` is not a BUILD folder, or count is below 1.
    """
    if count is not None and count < 1:
        raise EdgesqError(f"cannot stream {count} images", hint="count must be at least 1")
    source = source or build / VERIFY_IMAGES
    tensor = graph.tensors[graph.input]
    if source.is_dir():
        found = load_folder(source, tensor.hwc)
        images, labels = found.images, found.labels
    else:
        loaded, labels = load_npz(source, tensor.hwc)
        if loaded.dtype == np.int8:
            return _first(loaded.astype(np.int8), labels, count)
        images = loaded.astype(np.uint8)
    preprocessing = _preprocessing(build)
    quantized = preprocessing.to_int8(images[:count], tensor.scale, tensor.zero_point)
    return _first(quantized, labels, count)


def _first(
    images: NDArray[np.int8], labels: NDArray[np.int64] | None, count: int | None
) -> VerifyImages:
    return VerifyImages(images[:count], None if labels is None else labels[:count])


def _preprocessing(build: Path) -> Preprocessing:
    path = build / REPORT
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))["preprocessing"]
        mean = (float(fields["mean"][0]), float(fields["mean"][1]), float(fields["mean"][2]))
        return Preprocessing(fields["channel_order"], mean, float(fields["scale"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EdgesqError(
            "does not say how pixels become the model's input",
            where=str(path),
            hint="`edgesq export` again, or give an NPZ with int8 input",
        ) from error
