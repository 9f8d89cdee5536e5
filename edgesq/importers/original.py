"""Run an imported .onnx file itself, on images as edgesq has them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgesq.errors import ModelError
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.importers.network import Network, Place
from edgesq.importers.quants import Quant
from edgesq.importers.session import input_types, run_file

Float32Array = NDArray[np.float32]


class Original:
    """An .onnx file in ONNX Runtime, as anybody would run it."""

    def __init__(self, model: onnx.ModelProto, network: Network) -> None:
        self._model = model
        self._network = network

    def run_floats(self, *images: Float32Array) -> tuple[Float32Array, ...]:
        """Run float32 [n, H, W, C] by input; return [n, values] by output, stored as NHWC."""
        return tuple(
            values.astype(np.float32) for values in self._run(images, self._network.outputs)
        )

    def run_int8(self, images: Int8Array, graph: Graph) -> tuple[Int8Array, ...]:
        """Run int8 images; return what the tensors of `graph.observed` hold, as its int8.

        Logits that the file does not name, and all behind them, are left out.

        Args:
            images: [n, *`Graph.image_shape`], with the scales of the graph's inputs.
            graph: of the imported .tflite.
        """
        kinds = input_types(self._model)
        values = [
            _as_the_file(column, graph.tensors[index], kinds[place.onnx])
            for column, index, place in zip(
                graph.columns(images), graph.inputs, self._network.inputs, strict=True
            )
        ]
        known = self._places(graph)
        observed = list(takewhile(known.__contains__, graph.observed))
        places = [known[index] for index in observed]
        results = []
        for output, place, index in zip(self._run(values, places), places, observed, strict=True):
            quant, wanted = self._network.quants[place.name], graph.tensors[index]
            results.append(_as_int8(output, quant, wanted.scale, wanted.zero_point))
        return tuple(results)

    def _places(self, graph: Graph) -> dict[int, Place]:
        """Return where the file has the observed tensors."""
        outputs = dict(zip(graph.outputs, self._network.outputs, strict=True))
        found = dict(outputs)
        for index, output in outputs.items():
            logits = graph.logits_of(index)
            if logits is not None and output.onnx in self._network.logits:
                found.setdefault(logits, self._network.logits[output.onnx])
        return found

    def _run(self, images: Sequence[NDArray[Any]], places: Sequence[Place]) -> list[NDArray[Any]]:
        """Return [n, values] for each place, in the order in which they are stored."""
        names = [place.onnx for place in places]
        rows: list[list[NDArray[Any]]] = [[] for _ in places]
        for values in run_file(self._model, self._network.inputs, images, names):
            for row, place, value in zip(rows, places, values, strict=True):
                if value.shape != place.place.shape:
                    shapes = f"{list(value.shape)}, not {list(place.place.shape)}"
                    raise ModelError(f"ONNX Runtime makes {shapes} of {place.onnx!r}")
                stored = np.empty(value.size, value.dtype)
                stored[place.place.reshape(-1)] = value.reshape(-1)
                row.append(stored)
        return [np.stack(row) for row in rows]


def _as_the_file(levels: Int8Array, tensor: Tensor, kind: int) -> NDArray[Any]:
    """Return an input's int8 levels as the file takes them; `kind` as TensorProto numbers it."""
    if kind == onnx.TensorProto.FLOAT:
        scale = np.float32(tensor.scale)
        return (levels.astype(np.float32) - np.float32(tensor.zero_point)) * scale
    if kind == onnx.TensorProto.UINT8:
        return (levels.astype(np.int16) + 128).astype(np.uint8)
    return levels


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
