"""Run every form of a model that this computer can run on the same images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.float_weights import FloatWeights
from edgesq.formats.tflite import ReferenceInterpreter
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.verify.images import VerifyImages, read_preprocessing

Float32Array = NDArray[np.float32]

FLOAT, TFLITE_INT8, ONNX_INT8 = "float", "TFLite int8", "ONNX int8"

_BATCH = 16


@dataclass(frozen=True, eq=False)
class Batch:
    """Some images and what the forms make of them.

    Attributes:
        floats: as the float model sees them, float32 [n, H, W, C] by input in the order of their
            numbers.
        int8: as the int8 model does, [n, *`Graph.image_shape`].
        made: reals [n, values] of each tensor asked for, by form.
    """

    floats: tuple[Float32Array, ...]
    int8: Int8Array
    made: Mapping[str, tuple[Float32Array, ...]]


class Forms:
    """All forms of a model that run here."""

    def __init__(
        self,
        graph: Graph,
        content: bytes,
        weights: Mapping[str, FloatWeights] | None,
        wanted: Sequence[int],
    ) -> None:
        """Make the forms; `wanted` are tensors of `graph.observed`."""
        from edgesq.formats.onnx import integer_onnx
        from edgesq.formats.onnx.twin import float_twin

        self.graph = graph
        self._wanted = tuple(wanted)
        self._reference = ReferenceInterpreter(content)
        self._onnx = integer_onnx(graph)
        self._twin = weights and float_twin(graph, weights, self._wanted)

    def batches(
        self,
        build: Path,
        images: VerifyImages,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> Iterator[Batch]:
        """Yield all images in batches, with what the forms make of them.

        Raises:
            ImageError: an image cannot be read.
        """
        pairs = zip(_floats(build, images, self.graph), images.read(), strict=False)
        done = 0
        while batch := list(islice(pairs, _BATCH)):
            rows, levels = zip(*batch, strict=True)
            floats = tuple(np.stack(column) for column in zip(*rows, strict=True))
            int8 = np.stack(levels)
            yield Batch(floats, int8, self.run(floats, int8))
            done += len(batch)
            on_progress(done, images.count)

    def run(
        self, floats: Sequence[Float32Array], int8: Int8Array
    ) -> dict[str, tuple[Float32Array, ...]]:
        """Return reals [n, values] of each tensor asked for, by form; arguments as in `Batch`."""
        from edgesq.formats.onnx import run_onnx
        from edgesq.formats.onnx.twin import twin_activations

        tensors = [self.graph.tensors[index] for index in self._wanted]
        golden = self._reference.tensors(int8, self._wanted)
        outputs = run_onnx(self._onnx, *self.graph.columns(int8))
        integer = dict(zip(self.graph.observed, outputs, strict=True))
        found = {
            TFLITE_INT8: tuple(map(_real, tensors, golden)),
            ONNX_INT8: tuple(
                _real(tensor, integer[index].reshape(len(int8), -1))
                for tensor, index in zip(tensors, self._wanted, strict=True)
            ),
        }
        if not self._twin:
            return found
        rows = [
            [value.reshape(-1) for value in made] for made in twin_activations(self._twin, *floats)
        ]
        return {FLOAT: tuple(map(np.stack, zip(*rows, strict=True))), **found}


def _real(tensor: Tensor, levels: Int8Array) -> Float32Array:
    return (levels.astype(np.float32) - np.float32(tensor.zero_point)) * np.float32(tensor.scale)


def _floats(build: Path, images: VerifyImages, graph: Graph) -> Iterator[tuple[Float32Array, ...]]:
    """Yield the images as the float model sees them, where there are pixels unrounded."""
    if images.files is not None:
        preparation = read_preprocessing(build)
        for pixels in images.files.images(graph.tensors[graph.input].hwc, 0, preparation):
            yield (preparation.to_float(pixels),)
        return
    for levels in images.read():
        parts = graph.split(levels)
        yield tuple(_real(graph.tensors[index], parts[index]) for index in sorted(parts))
