"""The demo model that travels with the package, and the held-out digits to try it on.

Written by `python -m edgesq.zoo.train_demo`; reading it needs neither TensorFlow nor scikit-learn.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]
Int64Array = NDArray[np.int64]

INPUT_SHAPE = (32, 32, 3)
"""Height, width and channels of the demo model's input; pixels / 255."""

DIGIT_SIZE = 8
DIGIT_MAX = 16

_FOLDER = Path(__file__).resolve().parent / "demo"


def demo_model_path() -> Path:
    """Return the bundled .keras file: SqueezeNet v1.1, 10 classes, 32x32x3, float."""
    return _FOLDER / "demo.keras"


def heldout_path() -> Path:
    """Return the .npz with the held-out digits: `digits` uint8 [n, 8, 8], `labels` uint8 [n]."""
    return _FOLDER / "heldout.npz"


def heldout() -> tuple[UInt8Array, Int64Array]:
    """Return the digits the demo model has never seen.

    Returns:
        images uint8 [599, 32, 32, 3], labels int64 [599] in 0..9.
    """
    with np.load(heldout_path()) as archive:
        return upscale(archive["digits"]), archive["labels"].astype(np.int64)


def upscale(digits: UInt8Array) -> UInt8Array:
    """Enlarge 8x8 digits with values 0..16 to grey images, bilinearly and with exact arithmetic.

    Args:
        digits: [n, 8, 8].

    Returns:
        uint8 [n, 32, 32, 3], three equal channels.
    """
    size = INPUT_SHAPE[0]
    centres = (np.arange(size) + 0.5) * DIGIT_SIZE / size - 0.5
    weights = np.stack([np.interp(centres, range(DIGIT_SIZE), row) for row in np.eye(DIGIT_SIZE)])
    # Weights are eighths, so sums in float64 are exact and the same on every machine.
    smooth = weights.T @ digits.astype(np.float64) @ weights
    grey = np.floor(smooth * 255 / DIGIT_MAX + 0.5).astype(np.uint8)
    return np.repeat(grey[..., None], INPUT_SHAPE[2], axis=-1)
