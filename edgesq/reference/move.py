"""Operators that move values and change none, on int8.

Mirror: firmware/src/ops/esq_move.c, esq_resize.c.
"""

import numpy as np

from edgesq.graph import Graph, Int8Array
from edgesq.operators import (
    BETWEEN_STEPS,
    DepthToSpace,
    Pick,
    ResizeBilinear,
    SpaceToDepth,
    Transpose,
)
from edgesq.reference.kernel import Kernels


def pick(_: Graph, op: Pick, image: Int8Array) -> Int8Array:
    """Pick values of int8 [H, W, C] by their rows, columns and channels."""
    padded = np.pad(image, ((0, 1),) * 3, constant_values=op.fill)  # OUTSIDE is the last
    return np.asarray(padded[np.ix_(op.rows, op.columns, op.channels)], image.dtype)


def resize_bilinear(_: Graph, op: ResizeBilinear, image: Int8Array) -> Int8Array:
    """Put values between those of int8 [H, W, C].

    Source: TensorFlow Lite's reference kernel ResizeBilinearInteger.
    """
    made = image.astype(np.int64)
    for axis, places in enumerate((op.rows, op.columns)):
        shape = [1, 1, 1]
        shape[axis] = len(places)
        weight = np.array([place.weight for place in places]).reshape(shape)
        first = made.take([place.first for place in places], axis)
        last = made.take([place.last for place in places], axis)
        made = first * (BETWEEN_STEPS - weight) + last * weight
    half = BETWEEN_STEPS**2 // 2
    rounded = np.sign(made) * ((np.abs(made) + half) // BETWEEN_STEPS**2)
    return np.asarray(rounded, np.int8)


def space_to_depth(_: Graph, op: SpaceToDepth, image: Int8Array) -> Int8Array:
    """Put squares of pixels side by side, int8 [H, W, C] to [H / b, W / b, b * b * C]."""
    height, width, channels = image.shape
    block = op.block
    squares = image.reshape(height // block, block, width // block, block, channels)
    moved = squares.transpose(0, 2, 1, 3, 4)
    return moved.reshape(height // block, width // block, block * block * channels)


def depth_to_space(_: Graph, op: DepthToSpace, image: Int8Array) -> Int8Array:
    """Take pixels apart into squares, int8 [H, W, b * b * C] to [H * b, W * b, C]."""
    height, width, channels = image.shape
    block = op.block
    squares = image.reshape(height, width, block, block, channels // (block * block))
    moved = squares.transpose(0, 2, 1, 3, 4)
    return moved.reshape(height * block, width * block, channels // (block * block))


def transpose(_: Graph, op: Transpose, image: Int8Array) -> Int8Array:
    """Put the axes of int8 [H, W, C] in another order."""
    return np.ascontiguousarray(image.transpose(op.order))


KERNELS: Kernels = {
    Pick: pick,
    ResizeBilinear: resize_bilinear,
    SpaceToDepth: space_to_depth,
    DepthToSpace: depth_to_space,
    Transpose: transpose,
}
