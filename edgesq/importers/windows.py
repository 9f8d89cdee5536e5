"""The padding that windows of ONNX operators really reach into."""

from __future__ import annotations

from typing import Any

from edgesq.importers.network import Pads, Pair
from edgesq.integers import ceil_div

_SAME = {"SAME_UPPER": 0, "SAME_LOWER": 1}


def effective_pads(
    attributes: dict[str, Any], size: Pair, strides: Pair, image: Pair, output: Pair
) -> Pads:
    """Return the padding (top, bottom, left, right) that windows reach into.

    `auto_pad` and `ceil_mode` are resolved by the output's size, and padding behind the last window
    is left out.

    Args:
        attributes: of the operator.
        size: of a window, dilation included.
        strides: from window to window.
        image: rows and columns of the input.
        output: rows and columns of the output.
    """
    auto = attributes.get("auto_pad", "NOTSET")
    listed = list(attributes.get("pads", [0, 0, 0, 0]))
    found: list[int] = []
    for axis in range(2):
        reach = (output[axis] - 1) * strides[axis] + size[axis] - image[axis]
        before = listed[axis] if auto == "NOTSET" else 0
        if auto in _SAME:
            total = max(reach, 0)
            before = (total + _SAME[auto]) // 2
        found += [before, max(reach - before, 0)]
    return found[0], found[1], found[2], found[3]


def same_pads(size: Pair, strides: Pair, image: Pair) -> Pads:
    """Return the padding that TensorFlow's SAME means."""
    found: list[int] = []
    for axis in range(2):
        count = ceil_div(image[axis], strides[axis])
        total = max((count - 1) * strides[axis] + size[axis] - image[axis], 0)
        found += [total // 2, total - total // 2]
    return found[0], found[1], found[2], found[3]
