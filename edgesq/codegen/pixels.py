"""The model's input for every pixel value: preprocessing and quantization as a table."""

import numpy as np

from edgesq.calibrate import Preprocessing
from edgesq.codegen.text import template
from edgesq.graph import Graph
from edgesq.kernels.initializer import row, rows


def pixel_table(graph: Graph, preprocessing: Preprocessing, name: str) -> dict[str, str]:
    """Return NAME_pixels.h and .c, int8 [C, 256]: what `Preprocessing.to_int8` gives per pixel.

    Args:
        graph: the model; with another number of channels than 1 or 3 all are as the first.
        preprocessing: from pixels to the model's input.
        name: what its C names begin with.
    """
    tensor = graph.tensors[graph.input]
    channels = tensor.hwc[2]
    grey = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], min(channels, 3), axis=1)
    table = preprocessing.to_int8(grey, tensor.scale, tensor.zero_point).T
    values = {
        "sha256": graph.sha256,
        "name": name,
        "NAME": name.upper(),
        "channels": channels,
        "order": preprocessing.channel_order if channels == 3 else "any",
        "mean": row(preprocessing.mean[: len(table)]),
        "scale": preprocessing.scale,
        "values": "\n".join(
            f"    {{\n{rows(table[min(channel, len(table) - 1)].tolist())}\n    }},"
            for channel in range(channels)
        ),
    }
    return {
        f"{name}_pixels.{suffix}": template(f"pixels.{suffix}").substitute(values)
        for suffix in ("h", "c")
    }
