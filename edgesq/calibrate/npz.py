"""Read images that are already arrays."""

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ImageError

Image = NDArray[np.int8] | NDArray[np.uint8]
Int64Array = NDArray[np.int64]

_SHAPE_HINT = "give input as int8 or uint8 [n, H, W, C], and optionally labels [n]"


@dataclass(frozen=True, eq=False)
class NpzImages:
    """Images in an .npz file, read from it one by one.

    Attributes:
        path: the file.
        count: of images, at least 1.
        shape: H, W, C.
        dtype: int8 (already quantized) or uint8 (pixels).
        labels: int64 [count], or None.
        identity: changes where the arrays do; SHA-256 over the CRC-32s that the file keeps.
    """

    path: Path
    count: int
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    labels: Int64Array | None
    identity: str

    def images(self, start: int = 0) -> Iterator[Image]:
        """Yield the images from number `start` on, [H, W, C] each.

        An array in Fortran order is read as a whole: its images do not lie one after the other.

        Raises:
            ImageError: the file is damaged.
        """
        size = int(np.prod(self.shape))
        with _opened(self.path) as archive, archive.open("input.npy") as member:
            is_fortran = _header(member)[1]
            if is_fortran:
                member.seek(0)
                yield from np.lib.format.read_array(member, allow_pickle=False)[start:]
                return
            member.seek(start * size, 1)
            for _ in range(start, self.count):
                data = member.read(size)
                if len(data) != size:
                    raise EOFError
                yield np.frombuffer(data, self.dtype).reshape(self.shape)


def open_npz(path: Path | str, input_shape: tuple[int, int, int]) -> NpzImages:
    """Look at `input` and read `labels`, if there, of an .npz file.

    Args:
        path: the file.
        input_shape: height, width, channels of the model's input.

    Raises:
        ImageError: the file is missing or no .npz, or an array is missing, empty, or of the wrong
            type or shape.
    """
    file = Path(path)
    with _opened(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if "input.npy" not in members:
            raise ImageError("holds no array called input", where=str(file), hint=_SHAPE_HINT)
        with archive.open("input.npy") as member:
            shape, _, dtype = _header(member)
        if dtype not in (np.int8, np.uint8) or shape[1:] != input_shape or not shape[0]:
            raise ImageError(
                f"input is {dtype} {list(shape)}",
                where=str(file),
                hint=f"the model takes int8 or uint8 {['n', *input_shape]}, n at least 1",
            )
        labels = None
        if "labels.npy" in members:
            with archive.open("labels.npy") as member:
                labels = np.lib.format.read_array(member, allow_pickle=False)
    used = [members[name] for name in ("input.npy", "labels.npy") if name in members]
    sums = "\n".join(f"{info.filename} {info.file_size} {info.CRC}" for info in used)
    identity = hashlib.sha256(sums.encode()).hexdigest()
    checked = _labels(labels, shape[0], file)
    return NpzImages(file, shape[0], input_shape, dtype, checked, identity)


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    if not file.is_file():
        raise ImageError("no such .npz file", where=str(file), hint="check the path")
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except ImageError:
        raise
    # A damaged archive can raise nearly anything.
    except Exception as error:
        raise ImageError(
            "is not a readable .npz file", where=str(file), hint=_SHAPE_HINT
        ) from error


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the head of an .npy; return shape, whether it is in Fortran order, and dtype."""
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(member)
    return np.lib.format.read_array_header_2_0(member)


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
