"""From an int8 .tflite to one whose weights take a given number of bytes as streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.compress.biases import stored_bias
from edgesq.compress.left import coarse_layer
from edgesq.compress.loss import Loss, int8_scores, measure_loss
from edgesq.compress.network import Kernels, float_scores, stored_kernels
from edgesq.compress.rate import Budget, Estimates, Spent
from edgesq.compress.sensitivity import sensitivities
from edgesq.compress.sequence import Layer, Walk, compress_layers, with_other_last
from edgesq.compress.stream import stream_bytes
from edgesq.errors import FitError, ImageError, ModelError
from edgesq.formats.scales import roomier_scores
from edgesq.formats.tflite import read_stored_graph
from edgesq.formats.tflite.rewrite import TensorChange, rewrite, tensor_names
from edgesq.graph import Graph, Int8Array
from edgesq.operators import Conv2D, Convolution

Answers = Callable[[NDArray[np.intp]], NDArray[np.floating]]
"""Function from image indices [n] to the float model's logits [n, K]."""

HELD_OUT = 0.5
"""Share of the images held out to measure the loss: what is measured on few images is luck, and a
model fitted to half of them is not much worse than one fitted to all."""

MIN_IMAGES = 16

SCORE_ROOM = 1.25
"""Factor by which the range of the logits is wider than what was seen."""

_PASSES = 4
"""Attempts to reach a size: small layers at the end may not make up for the ones before them."""

_NEAR = 0.995
"""Relative distance to the wanted size that is near enough."""

_BACK = 1.25
"""Share of the last miss, above or below the size, by which the next attempt is corrected."""

_OF_LAST = 0.05
"""Share of the last layer's bytes that it gives or takes alone, without another walk."""

_SEED = 20261125


@dataclass(frozen=True, eq=False)
class _Attempt:
    """All layers, and what was spent on them."""

    budget: Budget
    walk: Walk


@dataclass(frozen=True, eq=False)
class Compressed:
    """A compressed model with what it takes and what it loses.

    Attributes:
        content: the bytes of the .tflite.
        stream_bytes: of all compressed layers.
        loss: against the float model, on images held out.
        layers: what each layer was given, in order.
        attempt: what `Compressor.shrunk` goes on from.
    """

    content: bytes
    stream_bytes: int
    loss: Loss
    layers: tuple[Spent, ...]
    attempt: _Attempt


def compressible(graph: Graph, content: bytes) -> tuple[Conv2D, ...]:
    """Return the layers whose weights can become streams: CONV_2D and FULLY_CONNECTED.

    Left as they are: what shares its weights with another operator, or has no bias of its own in
    the file.

    Args:
        graph: the model.
        content: the bytes it was read from.
    """
    names = Counter(tensor_names(content))
    layers = [op for op in graph.ops if isinstance(op, Conv2D)]
    users = Counter(index for op in layers for index in (op.weights, op.bias))

    def is_own(index: int) -> bool:
        return users[index] == 1 and names[graph.tensors[index].name] == 1

    return tuple(op for op in layers if is_own(op.weights) and is_own(op.bias))


def with_room_for_scores(content: bytes) -> bytes:
    """Return a model whose scores before a softmax may be larger than any seen so far.

    Among other images than those it was calibrated with, a few have larger ones. Their loss is by
    far the largest of all, and room for them costs next to nothing.

    Args:
        content: the int8 .tflite; without a softmax at its end it stays as it is.
    """
    graph = read_stored_graph(content)
    wider = {} if graph.logits is None else roomier_scores(graph, SCORE_ROOM)
    names = Counter(tensor_names(content))
    read = {index for op in graph.ops if isinstance(op, Convolution) for index in op.inputs}
    if any(index in read or names[graph.tensors[index].name] > 1 for index in wider):
        return content
    changes = {
        graph.tensors[index].name: TensorChange(scale=one.scale, zero_point=one.zero_point)
        for index, one in wider.items()
    }
    return rewrite(content, changes)


class Compressor:
    """Compresses one model to any number of sizes."""

    def __init__(
        self,
        content: bytes,
        images: Int8Array,
        kernels: Kernels | None = None,
        answers: Answers | None = None,
        leave: Container[int] = (),
    ) -> None:
        """Find out what errors cost in each layer.

        Args:
            content: the int8 .tflite.
            images: calibration images, int8 [n, H, W, C], at least 16.
            kernels: weights of the float model; None for the int8 ones as they are.
            answers: the float model's; None for those of `kernels` in float arithmetic.
            leave: outputs of layers that stay as they are.

        Raises:
            ModelError: nothing in it can be compressed.
            ImageError: too few images.
        """
        self._content = with_room_for_scores(content)
        self.graph = read_stored_graph(self._content)
        self.ops = compressible(self.graph, content)
        self.leave(leave)
        if len(images) < MIN_IMAGES:
            raise ImageError(
                f"{len(images)} images are too few to compress with",
                hint=f"give --calibration FOLDER with {MIN_IMAGES} at least, better some 200",
            )
        self._kernels = kernels or stored_kernels(self.graph)
        fitted, held_out = split(len(images))
        self.fitted, self.held_out = images[fitted], images[held_out]
        self._expected = (
            answers(held_out) if answers else float_scores(self.graph, self._kernels, self.held_out)
        )
        self._layers = sensitivities(self.graph, self.ops, self._kernels, self.fitted)
        self._estimates = Estimates(self._layers, self._kernels, layer_bytes)

    @property
    def weights(self) -> int:
        """How many weights all layers together have."""
        return sum(int(np.prod(self.graph.tensors[op.weights].shape)) for op in self.ops)

    def leave(self, outputs: Container[int]) -> None:
        """Leave more layers as they are, by their outputs.

        Raises:
            ModelError: none is left to compress.
        """
        self.ops = tuple(op for op in self.ops if op.output not in outputs)
        if not self.ops:
            raise ModelError("has no layer that can be compressed", hint="leave out --compress")

    def coarsen(self, outputs: Container[int]) -> None:
        """Give layers that are left as they are few different steps, by their outputs."""
        ops = tuple(
            op
            for op in compressible(self.graph, self._content)
            if op.output in outputs and op not in self.ops and _has_steps(self.graph, op)
        )
        layers = {op.weights: coarse_layer(self.graph, op, self._kernels[op.weights]) for op in ops}
        self._content = rewritten(self._content, self.graph, ops, layers)
        self.graph = read_stored_graph(self._content)

    def loss_of(self, content: bytes) -> Loss:
        """Return what an int8 model with the same input and output loses."""
        return measure_loss(self._expected, int8_scores(read_stored_graph(content), self.held_out))

    def sketch(self, total: int) -> tuple[bytes, int]:
        """Return a model of about the size wanted, and the bytes of its streams, in a moment.

        It is for finding out what the rest of an image takes: its weights are merely rounded.
        """
        log2_lambda = Budget(total, self._layers, self._estimates, self.ops).log2_lambda
        layers, size = {}, 0
        for op in self.ops:
            steps, levels = self._estimates.rounded(op.weights, log2_lambda)
            scales = steps.astype(np.float32)
            bias = stored_bias(self.graph, op, scales, self._kernels[op.weights].bias)
            layers[op.weights] = Layer(levels, scales, bias)
            size += layer_bytes(levels)
        return rewritten(self._content, self.graph, self.ops, layers), size

    def compress(
        self, total: int, most_images: int | None = None, *, with_held_out: bool = False
    ) -> Compressed:
        """Return the model with its weights in at most `total` bytes of streams.

        Args:
            total: bytes.
            most_images: to fit to; None for all.
            with_held_out: fit to the images held out too; the loss on them is then too good.

        Raises:
            FitError: the weights cannot take so little.
        """
        images = self.fitted[:most_images]
        if with_held_out:
            images = np.concatenate([images, self.held_out])
        return self._made(self._walked(total, images))

    def shrunk(self, made: Compressed, total: int) -> Compressed | None:
        """Return a model with another last layer, in `total` bytes; None where that is too far.

        A linked image is often some hundred bytes above what was reckoned, and a walk through all
        layers for these takes as long as the one before.
        """
        spent = made.layers[-1].bytes
        if abs(total - made.stream_bytes) > _OF_LAST * spent:
            return None
        budget = made.attempt.budget.before_last(total)
        walk = with_other_last(self.graph, self._kernels, made.attempt.walk, budget)
        return self._made(_Attempt(budget, walk)) if _is_near(budget, total) else None

    def _made(self, attempt: _Attempt) -> Compressed:
        budget = attempt.budget
        content = rewritten(self._content, self.graph, self.ops, attempt.walk.layers)
        loss = self.loss_of(content)
        return Compressed(content, budget.bytes, loss, tuple(budget.spent), attempt)

    def _walked(self, total: int, images: Int8Array) -> _Attempt:
        """Compress all layers, as often as it takes to come near the size.

        Raises:
            FitError: the weights cannot take so little.
        """
        tries: list[_Attempt] = []
        aim, below, above = total, 0, 0
        for _ in range(_PASSES):
            budget = Budget(aim, self._layers, self._estimates, self.ops)
            walk = compress_layers(self.graph, self.ops, self._kernels, images, budget)
            tries.append(_Attempt(budget, walk))
            if _is_near(budget, total):
                break
            below, above = (aim, above) if budget.bytes <= total else (below, aim)
            further = aim + round(_BACK * (total - budget.bytes))
            aim = (below + above) // 2 if below and above else further
        fitting = [item for item in tries if item.budget.bytes <= total]
        if not fitting:
            least = min(item.budget.bytes for item in tries)
            raise FitError(
                f"the weights take about {least} B at least, {total} B are left for them",
                hint="give a larger SIZE, or a smaller model",
            )
        return max(fitting, key=lambda item: item.budget.bytes)


def _is_near(budget: Budget, total: int) -> bool:
    return _NEAR * total <= budget.bytes <= total


def _has_steps(graph: Graph, op: Conv2D) -> bool:
    """Say whether every channel has a step of its own."""
    weights = graph.tensors[op.weights]
    return len(weights.quantization.scale) == weights.shape[0]


def split(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return numbers of the images to fit to, and of those held out, both in random order."""
    order = np.random.default_rng(_SEED).permutation(count)
    cut = max(round(count * HELD_OUT), 1)
    return order[cut:], order[:cut]


def layer_bytes(levels: Int8Array) -> int:
    """Return what a layer's weights take in flash: a stream, or int8 where that is not longer."""
    return min(stream_bytes(levels), levels.size)


def rewritten(
    content: bytes, graph: Graph, ops: Sequence[Conv2D], layers: dict[int, Layer]
) -> bytes:
    """Return the .tflite with the levels, steps and biases of its compressed layers."""
    changes = {}
    for op in ops:
        layer, weights, bias = layers[op.weights], graph.tensors[op.weights], graph.tensors[op.bias]
        steps = layer.steps[: len(weights.quantization.scale)]
        units = steps * np.float32(graph.tensors[op.inputs[0]].scale)
        changes[weights.name] = TensorChange(layer.levels, tuple(steps.tolist()))
        scale = tuple(units[: len(bias.quantization.scale)].tolist())
        changes[bias.name] = TensorChange(layer.bias, scale)
    return rewrite(content, changes)
