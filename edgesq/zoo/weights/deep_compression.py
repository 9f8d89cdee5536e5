"""Deep Compression's own file of SqueezeNet v1.0: pruned, with shared weights.

First uint32 n per layer. Then per layer 256 float32 of the codebook, float32 of the biases, n codes
of 8 bits and n distances of 4 bits, low half first. A distance counts the zeros before an entry;
where more than 15 are between two, an entry of weight zero stands between. Kernels are
[O, I, H, W].

Source: the decoder published with Han et al., "Deep Compression", 2016.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.integers import ceil_div
from edgesq.zoo.weights.arrays import Arrays, Shapes, damaged, from_oihw, read_file

_CODEBOOK = 256


class _Cursor:
    """Takes numbers off the front of some bytes; ValueError past their end."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, dtype: str, count: int) -> NDArray[np.generic]:
        taken = np.frombuffer(self._content, dtype, count, self._at)
        self._at += taken.nbytes
        return taken

    @property
    def left(self) -> int:
        return len(self._content) - self._at


def read_net(path: Path, shapes: Shapes) -> Arrays:
    """Decode a .net file to its last byte.

    Args:
        path: the file.
        shapes: the convolutions of the model; the file has no names and no shapes.

    Raises:
        ModelError: missing, cut, too long, or of another network.
    """
    cursor = _Cursor(read_file(path))
    arrays: Arrays = {}
    try:
        counts = cursor.take("<u4", len(shapes))
        for (name, shape), count in zip(shapes.items(), counts.tolist(), strict=True):
            codebook = cursor.take("<f4", _CODEBOOK)
            arrays[f"{name}/bias"] = cursor.take("<f4", shape[3]).astype(np.float32)
            codes = cursor.take("u1", count)
            distances = _halves(cursor.take("u1", ceil_div(count, 2)), count)
            arrays[f"{name}/kernel"] = _kernel(codebook[codes], distances, shape)
    except (ValueError, IndexError) as error:
        raise damaged(path, "Deep Compression") from error
    if cursor.left:
        raise ModelError(
            f"{cursor.left} bytes are left after the last layer",
            where=str(path),
            hint="the weights belong to another architecture",
        )
    return arrays


def _halves(packed: NDArray[np.generic], count: int) -> NDArray[np.int64]:
    pairs = np.stack([packed & 15, packed >> 4], axis=1)  # type: ignore[operator]
    return pairs.reshape(-1)[:count].astype(np.int64)


def _kernel(
    values: NDArray[np.generic], distances: NDArray[np.int64], shape: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    height, width, inputs, outputs = shape
    flat = np.zeros(height * width * inputs * outputs, np.float32)
    flat[np.cumsum(distances + 1) - 1] = values
    return from_oihw(flat.reshape(outputs, inputs, height, width))
