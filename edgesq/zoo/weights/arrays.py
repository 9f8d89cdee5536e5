"""What the readers share."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.errors import ModelError

Arrays = dict[str, NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, int, int, int]]
"""[H, W, I, O] of each convolution's kernel by name, in the order of the network."""


def from_oihw(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a kernel [O, I, H, W] as [H, W, I, O]."""
    return np.ascontiguousarray(kernel.transpose(2, 3, 1, 0))


def damaged(path: Path, what: str) -> ModelError:
    """Return the error for a file that is not what its name says."""
    return ModelError(
        f"is not a readable {what} file", where=str(path), hint="fetch or write it again"
    )


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError("no such weights file", where=str(path), hint="check the path") from error
