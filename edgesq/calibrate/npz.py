"""Read images that are already arrays."""

import hashlib
import math
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ImageError
from edgesq.limits import MAX_EXTENT, MAX_FILE_BYTES

Image = NDArray[np.signedinteger[Any]] | NDArray[np.uint8] | NDArray[np.floating[Any]]
Int64Array = NDArray[np.int64]

_SHAPE_HINT = "give input as int8, uint8 or float32 [n, H, W, C], and optionally labels [n]"
TYPES = tuple(map(np.dtype, (np.int8, np.int16, np.uint8, np.float32, np.float64)))
"""Of arrays: levels, pixels, reals."""

_MAX_HEADER_BYTES = 1 << 16


@dataclass(frozen=True)
class _Array:
    """The header of an .npy."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]


@dataclass(frozen=True, eq=False)
class NpzImages:
    """Images in an .npz file, read from it one by one.

    Attributes:
        path: the file.
        count: of images, at least 1.
        shape: H, W, C.
        dtype: int8 or int16 (already quantized), uint8 (pixels), float32 or float64 (reals).
        labels: int64 [count], at least 0; or None.
        identity: changes where the arrays do; SHA-256 over the CRC-32s that the file keeps.
    """

    path: Path
    count: int
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    labels: Int64Array | None
    identity: str

    def images(self, numbers: Int64Array | None = None) -> Iterator[Image]:
        """Yield images, [H, W, C] each.

        An array in Fortran order is read as a whole: its images do not lie one after the other.

        Args:
            numbers: which, in rising order; None for all.

        Raises:
            ImageError: the file is damaged, or holds reals that are not finite.
        """
        for image in self._stored(numbers):
            if not np.isfinite(image).all():
                hint = "leave out what is not a number"
                raise ImageError(
                    "holds values that are not finite", where=str(self.path), hint=hint
                )
            yield image

    def _stored(self, numbers: Int64Array | None) -> Iterator[Image]:
        size = int(np.prod(self.shape)) * self.dtype.itemsize
        wanted: Iterable[int] = range(self.count) if numbers is None else map(int, numbers)
        with opened(self.path) as archive, archive.open("input.npy") as member:
            if _head(member).is_fortran:
                member.seek(0)
                every = np.lib.format.read_array(member, allow_pickle=False)
                yield from (every[number].reshape(self.shape) for number in wanted)
                return
            start = member.tell()
            for number in wanted:
                if member.tell() != start + number * size:  # a seek may end the check of the CRC
                    member.seek(start + number * size)
                data = member.read(size)
                if len(data) != size:
                    raise EOFError
                yield np.frombuffer(data, self.dtype).reshape(self.shape)


def open_npz(
    path: Path | str,
    input_shape: tuple[int, int, int],
    levels: type[np.int8] | type[np.int16] = np.int8,
) -> NpzImages:
    """Look at `input` and read `labels`, if there, of an .npz file.

    Args:
        path: the file.
        input_shape: height, width, channels of the model's input.
        levels: the type of its values.

    Raises:
        ImageError: the file is missing or no .npz, or an array is missing, empty, too large, or of
            the wrong type or shape, or a label is no class number.
    """
    file = Path(path)
    labels = None
    with opened(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if "input.npy" not in members:
            raise ImageError("holds no array called input", where=str(file), hint=_SHAPE_HINT)
        array = header(archive, members["input.npy"])
        good = array.dtype in TYPES and (array.dtype.kind != "i" or array.dtype == levels)
        good = good and extents(array.shape[1:]) == extents(input_shape)
        if not good or not 0 < array.shape[0] <= MAX_EXTENT:
            raise ImageError(
                f"input is {array.dtype} {list(array.shape)}",
                where=str(file),
                hint=f"the model takes {levels.__name__}, uint8 or float32 {['n', *input_shape]}, "
                "n at least 1",
            )
        if "labels.npy" in members:
            labels = labels_of(archive, members["labels.npy"], array.shape[0])
    used = [members[name] for name in ("input.npy", "labels.npy") if name in members]
    sums = "\n".join(f"{info.filename} {info.file_size} {info.CRC}" for info in used)
    identity = hashlib.sha256(sums.encode()).hexdigest()
    return NpzImages(file, array.shape[0], input_shape, array.dtype, labels, identity)


def extents(shape: Iterable[int]) -> list[int]:
    """Return a shape without its ones: [n, 640] is as good as [n, 1, 1, 640]."""
    return [extent for extent in shape if extent != 1]


@contextmanager
def opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open an .npz.

    Raises:
        ImageError: it is missing or damaged, or what reads it finds it damaged.
    """
    try:
        if not file.is_file():
            raise ImageError("no such folder or .npz file", where=str(file), hint="check the path")
        with zipfile.ZipFile(file) as archive:
            yield archive
    except ImageError:
        raise
    # A damaged archive can raise nearly anything.
    except Exception as error:
        raise ImageError(
            "is not a readable .npz file", where=str(file), hint=_SHAPE_HINT
        ) from error


def _head(member: IO[bytes]) -> _Array:
    """Read the header of an .npy."""
    version = np.lib.format.read_magic(member)
    length = 2 if version == (1, 0) else 4
    told = member.read(length)
    if int.from_bytes(told, "little") > _MAX_HEADER_BYTES:
        raise ValueError("too long a header")
    member.seek(-length, 1)
    if length == 2:
        return _Array(*np.lib.format.read_array_header_1_0(member))
    return _Array(*np.lib.format.read_array_header_2_0(member))


def header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Array:
    """Return an array's header after checking that the file holds as many values.

    Raises:
        ImageError: it does not, or the array is read as a whole and too large for that.
    """
    where = str(archive.filename)
    with archive.open(info) as member:
        array = _head(member)
        held = info.file_size - member.tell()
    if array.dtype.hasobject:
        return array
    if min(array.shape, default=0) < 0 or math.prod(array.shape) * array.dtype.itemsize != held:
        name = info.filename.removesuffix(".npy")
        raise ImageError(
            f"{name} says that it is {array.dtype} {list(array.shape)}, and holds {held:,} bytes",
            where=where,
            hint=_SHAPE_HINT,
        )
    if array.is_fortran and held > MAX_FILE_BYTES:
        raise ImageError("input is too large to be turned", where=where, hint="save it in C order")
    return array


def labels_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo, count: int) -> Int64Array:
    """Read labels as int64 [count]."""
    where = str(archive.filename)
    array = header(archive, info)
    if array.dtype.kind not in "iu" or array.shape != (count,):
        raise ImageError(
            f"labels are {array.dtype} {list(array.shape)}",
            where=where,
            hint=f"{count} integers, one per image, are needed",
        )
    with archive.open(info) as member:
        labels = np.lib.format.read_array(member, allow_pickle=False)
    ends = int(labels.min()), int(labels.max())
    wrong = [label for label in ends if not 0 <= label < MAX_EXTENT]
    if wrong:
        raise ImageError(
            f"label {wrong[0]} is no class number", where=where, hint="they count from 0 on"
        )
    return np.asarray(labels, np.int64)
