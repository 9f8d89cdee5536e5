"""Run an imported .onnx file itself, on images as edgesq has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.graph import Graph, Int8Array
from edgesq.importers.network import Network, Place
from edgesq.importers.quants import Quant
from edgesq.importers.session import input_type, run_file

Float32Array = NDArray[np.float32]


class Original:
    """An .onnx file in ONNX Runtime, as anybody would run it."""

    def __init__(self, model: onnx.ModelProto, network: Network) -> None:
        self._model = model
        self._network = network

    def run_floats(self, images: Float32Array) -> Float32Array:
        """Run float32 [n, H, W, C]; return float32 [n, values] as they are stored, NHWC."""
        (output,) = self._run(images, (self._network.output,))
        return output.astype(np.float32)

    def run_int8(self, images: Int8Array, graph: Graph) -> tuple[Int8Array, ...]:
        """Run int8 images; return the output, and logits where `graph` has them, as its int8.

        Args:
            images: [n, H, W, C], with the scale of the graph's input.
            graph: of the imported .tflite.
        """
        source = graph.tensors[graph.input]
        values: NDArray[Any] = images
        kind = input_type(self._model)
        if kind == onnx.TensorProto.FLOAT:
            scale = np.float32(source.scale)
            values = (images.astype(np.float32) - np.float32(source.zero_point)) * scale
        elif kind == onnx.TensorProto.UINT8:
            values = (images.astype(np.int16) + 128).astype(np.uint8)
        places = [self._network.output]
        if self._network.logits is not None and graph.logits is not None:
            places.append(self._network.logits)
        outputs = self._run(values, tuple(places))
        results = []
        for output, place, index in zip(outputs, places, graph.observed, strict=False):
            known, wanted = self._network.quants[place.name], graph.tensors[index]
            results.append(_as_int8(output, known, wanted.scale, wanted.zero_point))
        return tuple(results)

    def _run(self, images: NDArray[Any], places: tuple[Place, ...]) -> list[NDArray[Any]]:
        """Return [n, values] for each place, in the order in which they are stored."""
        names = [place.onnx for place in places]
        rows: list[list[NDArray[Any]]] = [[] for _ in places]
        for values in run_file(self._model, self._network.input, images, names):
            for row, place, value in zip(rows, places, values, strict=True):
                if value.shape != place.place.shape:
                    shapes = f"{list(value.shape)}, not {list(place.place.shape)}"
                    raise ModelError(f"ONNX Runtime makes {shapes} of {place.onnx!r}")
                stored = np.empty(value.size, value.dtype)
                stored[place.place.reshape(-1)] = value.reshape(-1)
                row.append(stored)
        return [np.stack(row) for row in rows]


def _as_int8(values: NDArray[Any], known: Quant, scale: float, zero_point: int) -> Int8Array:
    """Express values on an int8 scale.

    Args:
        values: floats, or int8 or uint8 with the scale `known`.
        known: the scale of the file, for int8.
        scale: of the result.
        zero_point: of the result.
    """
    real = values.astype(np.float64)
    if values.dtype != np.float32:
        offset = 128 if values.dtype == np.uint8 else 0
        real = (real - offset - int(known.zero_point[0])) * float(known.scale[0])
    levels = np.round(real / scale) + zero_point
    return np.clip(levels, -128, 127).astype(np.int8)
