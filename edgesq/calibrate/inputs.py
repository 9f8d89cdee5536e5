"""Read an .npz that has an array for each input of a model."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate.npz import TYPES, extents, header, labels_of, opened
from edgesq.calibrate.preprocessing import Preprocessing, levels_of_reals
from edgesq.errors import ImageError
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.limits import MAX_EXTENT, MAX_FILE_BYTES

_NO_NAME = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True, eq=False)
class Wanted:
    """An input that a file must have an array for.

    Attributes:
        names: that the array may have, the one to recommend first.
        shape: of one image's values, without the batch.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class InputArrays:
    """Arrays of a model's inputs.

    Attributes:
        arrays: [n, *shape] each, as `Wanted`: int8 levels, uint8 pixels or reals.
        labels: int64 [n]; None without.
        identity: changes where the arrays do.
    """

    arrays: tuple[NDArray[Any], ...]
    labels: NDArray[np.int64] | None
    identity: str

    @property
    def count(self) -> int:
        """Images."""
        return len(self.arrays[0])

    def int8(self, graph: Graph, preprocessing: Preprocessing) -> Int8Array:
        """Return images of `Graph.image_shape`; pixels and reals become levels of their input."""
        columns = [
            levels(array, graph.tensors[index], preprocessing)
            for array, index in zip(self.arrays, graph.inputs, strict=True)
        ]
        rows = zip(*columns, strict=True)
        return np.stack([graph.join(dict(zip(graph.inputs, row, strict=True))) for row in rows])

    def floats(self, preprocessing: Preprocessing) -> list[NDArray[np.float32]]:
        """Return the arrays as a float model takes them.

        Raises:
            ImageError: one holds int8 levels, which a float model has no scale for.
        """
        if any(array.dtype == np.int8 for array in self.arrays):
            raise ImageError("int8 values are no input of a float model", hint=_hint(()))
        return [
            preprocessing.to_float(array)
            if array.dtype == np.uint8
            else np.asarray(array, np.float32)
            for array in self.arrays
        ]


def plain_name(name: str) -> str:
    """Return an input's name in letters, digits and underscores, as a .tflite has it."""
    plain = _NO_NAME.sub("_", name)
    return plain if plain[:1].isalnum() else f"input{plain}"


def has_arrays(images: Path) -> bool:
    """Say whether images are an .npz, with an array for each input, and no folder."""
    return images.suffix == ".npz"


def wanted_of(graph: Graph) -> list[Wanted]:
    """Return what a file must have for an int8 model."""
    return [
        Wanted((name, graph.tensors[index].name), graph.tensors[index].hwc)
        for name, index in zip(graph.input_names, graph.inputs, strict=True)
    ]


def read_inputs(path: Path, wanted: Sequence[Wanted]) -> InputArrays:
    """Read an array for each input, and `labels` where there are some.

    Raises:
        ImageError: the file is missing or no .npz, or an array is missing or of another type, shape
            or number of images than the others.
    """
    if path.is_dir():
        raise ImageError(
            "a folder of images is for a model with one input",
            where=str(path),
            hint=_hint(wanted),
        )
    with opened(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        arrays, sums = [], []
        for one in wanted:
            array, info = _array(archive, members, one, wanted)
            arrays.append(array)
            sums.append(f"{info.filename} {info.file_size} {info.CRC}")
        counts = {len(array) for array in arrays}
        if len(counts) > 1:
            raise ImageError(
                f"its arrays are of {' and '.join(map(str, sorted(counts)))} images",
                where=str(path),
                hint="give as many values of each input",
            )
        labels = None
        if "labels" in members:
            labels = labels_of(archive, members["labels"], len(arrays[0]))
            sums.append(f"labels {members['labels'].CRC}")
    if not all(np.isfinite(array).all() for array in arrays):
        hint = "leave out what is not a number"
        raise ImageError("holds values that are not finite", where=str(path), hint=hint)
    identity = hashlib.sha256("\n".join(sums).encode()).hexdigest()
    return InputArrays(tuple(arrays), labels, identity)


def _array(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    one: Wanted,
    wanted: Sequence[Wanted],
) -> tuple[NDArray[Any], zipfile.ZipInfo]:
    """Read one input's array, [n, *shape]."""
    where = str(archive.filename)
    plain = {plain_name(name): name for name in members}
    found = (name if name in members else plain.get(plain_name(name)) for name in one.names)
    name = next(filter(None, found), None)
    if name is None:
        missing = f"holds no array called {one.names[0]}"
        raise ImageError(missing, where=where, hint=_hint(wanted))
    info = members[name]
    stored = header(archive, info)
    count = stored.shape[0] if stored.shape else 0
    good = stored.dtype in TYPES and extents(stored.shape[1:]) == extents(one.shape)
    if not good or not 0 < count <= MAX_EXTENT or info.file_size > MAX_FILE_BYTES:
        wrong = f"{name} is {stored.dtype} {list(stored.shape)}"
        raise ImageError(wrong, where=where, hint=_hint(wanted))
    with archive.open(info) as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
    return array.reshape(count, *one.shape), info


def levels(array: NDArray[Any], tensor: Tensor, preprocessing: Preprocessing) -> Int8Array:
    """Return an array as an input takes it: int8 or int16 as it is, pixels and reals as levels."""
    if array.dtype == tensor.dtype:
        return np.asarray(array, tensor.dtype)
    if array.dtype == np.uint8:
        return preprocessing.to_levels(array, tensor)
    return levels_of_reals(array, tensor.scale, tensor.zero_point, tensor.dtype)


def _hint(wanted: Sequence[Wanted]) -> str:
    shapes = ", ".join(f"{one.names[0]} {['n', *one.shape]}" for one in wanted)
    return f"give an .npz with an array for each input{shapes and f': {shapes}'}: uint8 or float32"
