"""Inputs of a model as pictures a person can look at."""

import base64
import io

import numpy as np
from PIL import Image

from edgesq.calibrate import Preprocessing
from edgesq.graph import Int8Array, Tensor


def as_data_url(image: Int8Array, tensor: Tensor, preprocessing: Preprocessing) -> str:
    """Return a quantized input as a PNG in a data: URL.

    Args:
        image: int8 [H, W, C]; of other than 1 or 3 channels the first is shown.
        tensor: the model's input.
        preprocessing: by which pixels became the input.
    """
    real = (image.astype(np.float64) - tensor.zero_point) * tensor.scale
    channels = real if real.shape[-1] in (1, 3) else real[..., :1]
    pixels = preprocessing.to_pixels(channels)
    picture = Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
