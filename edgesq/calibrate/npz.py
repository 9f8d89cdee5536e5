"""Read images that are already arrays."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ImageError

Images = NDArray[np.int8] | NDArray[np.uint8]
Int64Array = NDArray[np.int64]


def load_npz(
    path: Path | str, input_shape: tuple[int, int, int]
) -> tuple[Images, Int64Array | None]:
    """Read `input` and, if there, `labels` from an .npz file.

    Args:
        path: the file.
        input_shape: height, width, channels of the model's input.

    Returns:
        input, int8 (already quantized) or uint8 (pixels) [n, H, W, C] with n >= 1; labels int64
        [n], or None.

    Raises:
        ImageError: the file is missing or corrupt, or an array is missing, empty, or of the wrong
            type or shape.
    """
    file = Path(path)
    arrays = _read(file)
    if "input" not in arrays:
        raise ImageError("holds no array called input", where=str(file), hint=_SHAPE_HINT)
    images = arrays["input"]
    if (
        images.dtype not in (np.int8, np.uint8)
        or images.shape[1:] != input_shape
        or not len(images)
    ):
        raise ImageError(
            f"input is {images.dtype} {list(images.shape)}",
            where=str(file),
            hint=f"the model takes int8 or uint8 {['n', *input_shape]}, n at least 1",
        )
    return images, _labels(arrays.get("labels"), len(images), file)


_SHAPE_HINT = "give input as int8 or uint8 [n, H, W, C], and optionally labels [n]"


def _labels(labels: NDArray[Any] | None, count: int, file: Path) -> Int64Array | None:
    """Return labels as int64 [count]."""
    if labels is None:
        return None
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise ImageError(
            f"labels are {labels.dtype} {list(labels.shape)}",
            where=str(file),
            hint=f"{count} integers, one per image, are needed",
        )
    return labels.astype(np.int64)


def _read(file: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays of an .npz."""
    if not file.is_file():
        raise ImageError("no such .npz file", where=str(file), hint="check the path")
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name in ("input", "labels")}
    # A damaged archive can raise nearly anything, and a lone .npy gives an array instead.
    except Exception as error:
        raise ImageError(
            "is not a readable .npz file", where=str(file), hint=_SHAPE_HINT
        ) from error
