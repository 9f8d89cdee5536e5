"""Windows over images: the gathering that convolution and pooling share."""

import numpy as np
from numpy.typing import NDArray

from edgesq.operators import Window


def gather(
    image: NDArray[np.int64], window: Window, output_hw: tuple[int, int], fill: int
) -> NDArray[np.int64]:
    """Return every window's values, [H_out, W_out, kernel_h, kernel_w, C], `fill` outside.

    Args:
        image: [H, W, C].
        window: kernel, strides and padding.
        output_hw: number of windows down and across.
        fill: value of padded places.
    """
    pads = ((window.pad_top, window.pad_bottom), (window.pad_left, window.pad_right), (0, 0))
    padded = np.pad(image, pads, constant_values=fill)
    views = np.lib.stride_tricks.sliding_window_view(padded, (window.tall, window.wide), (0, 1))
    rows, columns = output_hw
    strided = views[:: window.stride_h, :: window.stride_w][:rows, :columns]
    strided = strided[..., :: window.dilation_h, :: window.dilation_w]
    return np.asarray(strided.transpose(0, 1, 3, 4, 2))
