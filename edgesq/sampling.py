"""Which rows and columns of an image each one of a resized image is made of."""

import numpy as np

from edgesq.operators import BETWEEN_STEPS, Between


def linear_sources(
    extent: int, count: int, *, align_corners: bool, half_pixel_centers: bool
) -> tuple[Between, ...]:
    """Return where each of `count` rows, or columns, lies between the `extent` of the input.

    Source: TensorFlow Lite's reference kernel ResizeBilinearInteger, which takes the distance from
    one to the next in steps of 2^-10. A place before the first or behind the last is at it.
    """
    step = (BETWEEN_STEPS * extent + count // 2) // count
    if align_corners and count > 1:
        step = (BETWEEN_STEPS * (extent - 1) + (count - 1) // 2) // (count - 1)
    begin = step // 2 - BETWEEN_STEPS // 2 if half_pixel_centers else 0
    places = []
    for number in range(count):
        whole, weight = divmod(max(begin + number * step, 0), BETWEEN_STEPS)
        places.append(Between(whole, 0 if whole == extent - 1 else weight))
    return tuple(places)


def nearest_sources(
    extent: int, count: int, *, align_corners: bool, half_pixel_centers: bool
) -> tuple[int, ...]:
    """Return which of `extent` rows or columns each of `count` of a RESIZE_NEAREST_NEIGHBOR is.

    Source: TensorFlow Lite, reference/resize_nearest_neighbor.h; all in float32, as there.
    """
    corners = align_corners and count > 1
    scale = np.float32(extent - corners) / np.float32(count - corners)
    offset = np.float32(0.5 if half_pixel_centers else 0.0)
    places = (np.arange(count, dtype=np.float32) + offset) * scale
    nearest = np.floor(places.astype(np.float64) + (0.5 if align_corners else 0.0))
    return tuple(int(place) for place in np.minimum(nearest, extent - 1))
