"""Images for tests."""

import numpy as np

from edgesq.graph import Int8Array


def blobs(count: int) -> Int8Array:
    """Return smooth images, whose pixels go together as those of photographs do."""
    coarse = np.random.default_rng(3).normal(0, 60, (count, 4, 4, 3))
    wide = coarse.repeat(3, axis=1).repeat(3, axis=2)
    return np.clip(wide + np.random.default_rng(4).normal(0, 8, wide.shape), -128, 127).astype(
        np.int8
    )
