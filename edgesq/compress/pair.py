"""Run the float model and the compressed one side by side on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.compress.float_ops import apply
from edgesq.compress.network import Kernels, stored_kernels
from edgesq.compress.statistics import Moments, MomentSums, inputs_at, some_places
from edgesq.graph import Graph, Int8Array, Tensor
from edgesq.operators import Conv2D, Convolution, Op

Float16Array = NDArray[np.float16]
Float32Array = NDArray[np.float32]

_BATCH = 8
_SEED = 20261127


@dataclass(frozen=True, eq=False)
class _Twin:
    """One activation of all images, in levels of its tensor less the zero point.

    Attributes:
        real: of the float model, float16 [n, H, W, C]: within an eighth of a level.
        levels: of the compressed model, int8 [n, H, W, C] with the zero point.
    """

    real: Float16Array
    levels: Int8Array


class Pair:
    """Both models at the same operator, with the activations that are still needed.

    Attributes:
        kernels: of the compressed model; whoever compresses a layer puts it in here before the
            walk goes on.
    """

    def __init__(self, graph: Graph, kernels: Kernels, images: Int8Array) -> None:
        """Begin at the input.

        Args:
            graph: the model; the compressed one keeps the scales of its activations.
            kernels: real weights of the float model.
            images: int8 [n, H, W, C].
        """
        self.kernels = stored_kernels(graph)
        self._graph = graph
        self._float_kernels = kernels
        self._count = len(images)
        self._at = 0
        tensor = graph.tensors[graph.input]
        levels = images.reshape(-1, *tensor.hwc)
        real = (levels.astype(np.float32) - tensor.zero_point).astype(np.float16)
        self._live = {graph.input: _Twin(real, levels)}

    def walk_to(self, op: Op) -> None:
        """Compute everything before `op`."""
        ops = self._graph.ops
        stop = ops.index(op)
        span, self._at = ops[self._at : stop], stop
        needed = {index for later in ops[stop:] for index in later.inputs}
        made = {item.output for item in span} & needed
        fresh = {index: self._empty(index) for index in made}
        for start in range(0, self._count if span else 0, _BATCH):
            part = slice(start, start + _BATCH)
            real, compressed = self._walk(span, part)
            for index, twin in fresh.items():
                tensor = self._graph.tensors[index]
                twin.real[part] = real[index].numpy() / tensor.scale
                twin.levels[part] = _levels(tensor, compressed[index])
        kept = {index: twin for index, twin in self._live.items() if index in needed}
        self._live = {**kept, **fresh}

    def moments(self, op: Conv2D) -> Moments:
        """Return what both models give a convolution that the walk has come to."""
        height, width, _ = self._graph.tensors[op.output].hwc
        sums = MomentSums(int(np.prod(self._graph.tensors[op.weights].shape[1:])))
        generator = np.random.default_rng(_SEED)
        source = op.inputs[0]
        for start in range(0, self._count, _BATCH):
            real, compressed = self._reals(source, slice(start, start + _BATCH))
            places = some_places(generator, len(real), height * width)
            sums.add(inputs_at(op, real, places), inputs_at(op, compressed, places))
        return sums.moments()

    def _walk(self, span: Sequence[Op], part: slice) -> tuple[dict[int, Any], dict[int, Any]]:
        """Compute some operators for a part of the images, in both models, as reals."""
        real: dict[int, Any] = {}
        compressed: dict[int, Any] = {}
        for index in self._live:
            real[index], compressed[index] = self._reals(index, part)
        for op in span:
            f_kernel = q_kernel = None
            if isinstance(op, Convolution):
                f_kernel, q_kernel = self._float_kernels[op.weights], self.kernels[op.weights]
            inputs = [real[index] for index in op.inputs]
            real[op.output] = apply(self._graph, op, inputs, f_kernel)
            inputs = [compressed[index] for index in op.inputs]
            made = apply(self._graph, op, inputs, q_kernel)
            compressed[op.output] = _quantized(self._graph.tensors[op.output], made)
        return real, compressed

    def _reals(self, index: int, part: slice) -> tuple[Float32Array, Float32Array]:
        tensor, twin = self._graph.tensors[index], self._live[index]
        scale = np.float32(tensor.scale)
        levels = twin.levels[part].astype(np.float32) - np.float32(tensor.zero_point)
        return twin.real[part].astype(np.float32) * scale, levels * scale

    def _empty(self, index: int) -> _Twin:
        shape = (self._count, *self._graph.tensors[index].hwc)
        return _Twin(np.empty(shape, np.float16), np.empty(shape, np.int8))


def _quantized(tensor: Tensor, reals: Any) -> Any:
    """Return reals as int8 shows them, as reals again."""
    import tensorflow as tf

    levels = tf.round(reals / tensor.scale) + tensor.zero_point
    return (tf.clip_by_value(levels, -128, 127) - tensor.zero_point) * tensor.scale


def _levels(tensor: Tensor, reals: Any) -> Int8Array:
    levels: Float32Array = np.rint(reals.numpy() / tensor.scale) + tensor.zero_point
    return np.clip(levels, -128, 127).astype(np.int8)
