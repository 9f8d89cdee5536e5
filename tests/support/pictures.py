"""Images for tests: arrays, files, and how bad ones are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgesq.errors import ImageError
from edgesq.graph import Int8Array

UInt8Array = NDArray[np.uint8]

SHAPE = (6, 4, 3)
"""Height, width and channels of a picture."""


def blobs(count: int) -> Int8Array:
    """Return smooth images, whose pixels go together as those of photographs do."""
    coarse = np.random.default_rng(3).normal(0, 60, (count, 4, 4, 3))
    wide = coarse.repeat(3, axis=1).repeat(3, axis=2)
    return np.clip(wide + np.random.default_rng(4).normal(0, 8, wide.shape), -128, 127).astype(
        np.int8
    )


def pixels(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> UInt8Array:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path: Path, array: NDArray[Any] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels() if array is None else array).save(path)
    return path


def refused(message: str, function: Callable[..., Any], *arguments: Any) -> ImageError:
    """Assert that the call fails with ImageError, in one line, with a hint and the place."""
    with pytest.raises(ImageError, match=message) as raised:
        function(*arguments)
    assert "\n" not in str(raised.value)
    assert raised.value.where
    return raised.value
