"""Compress a model so that its whole image has a given size, if that costs no more than allowed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.builds.facts import CompressionFacts, LayerSize, SizePoint
from edgesq.builds.image_size import ImageSize, image_size
from edgesq.builds.optimize import Improved
from edgesq.builds.source import Source
from edgesq.builds.steps import Step
from edgesq.choices import MAX_DROP_POINTS
from edgesq.compress import Compressed, Compressor, Kernel, Loss, layer_bytes
from edgesq.errors import FitError, ImageError, ModelError
from edgesq.formats.tflite import computes_in_uint8, read_graph
from edgesq.graph import Graph
from edgesq.int8_only import need_int8
from edgesq.kernels.flash import channels_bytes, codable, short_tables, takes_coded
from edgesq.operators import Conv2D, Convolution
from edgesq.targets import Target

CURVE = (0.85, 1.2, 1.5)
"""Other sizes of the coded weights that are tried, as shares of the size wanted."""

CURVE_IMAGES = 48
"""Images that weights are fitted to at those sizes: faster, and with a little more loss."""

_FAR = 1.5
"""Share from which a size is only looked at where the one wanted loses too much."""

_FINAL_TRIES = 3
_MAX_SHARE = 0.6
"""Largest share of the int8 weights that coded ones are given; near 1 they would stay int8."""

_PADDING_BYTES = 96
"""By how much images of the same parts may differ, because the linker aligns arrays."""

_SKETCH_PARTS = 4
"""A sketch is given at least the int8 weights' size divided by this for its coded weights."""


@dataclass(frozen=True)
class Compression:
    """How small a model is to become.

    Attributes:
        image_bytes: of the whole image in flash; None for what the target has.
        max_drop: points of top-1 that may be lost at most, as predicted.
    """

    image_bytes: int | None = None
    max_drop: float = MAX_DROP_POINTS


def compression_steps(target: Target, wanted: Compression) -> list[Step]:
    """Return the steps from an Improved to one with a compressed model.

    Where the image already has the size, all but the first are passed over.

    Raises:
        FitError: no size is given, and the target has none.
    """
    goal = _goal(target, wanted)

    def is_needed(state: Any) -> bool:
        return not isinstance(state, Improved)

    return [
        Step("compile it as it is", lambda improved: _sized(improved, goal, wanted.max_drop)),
        Step("measure what errors cost", _measured, is_needed),
        Step("measure what is beside the weights", _sketched, is_needed),
        Step(f"compress to {goal:,} B", _compressed, is_needed),
        *(
            Step(f"look at {share:.0%} of that size", partial(_looked, share=share), is_needed)
            for share in CURVE
        ),
        Step("compress with all images", _finished, is_needed),
    ]


@dataclass(frozen=True, eq=False)
class _Task:
    """A model that is larger than wanted.

    Attributes:
        improved: the model, and what firmware it is for.
        goal: bytes of the whole image.
        max_drop: points of top-1 that may be lost at most, as predicted.
        plain: bytes of the image as it is.
    """

    improved: Improved
    goal: int
    max_drop: float
    plain: int

    @property
    def source(self) -> Source:
        """The model with its images."""
        return self.improved.source

    @property
    def kernels(self) -> str:
        """The kernel family of the target."""
        return self.improved.firmware.target.kernels


@dataclass(frozen=True, eq=False)
class _Compressing:
    """A model that is being compressed.

    Attributes:
        task: what is wanted.
        compressor: of the layers that the board decodes.
        fixed: bytes of the image beside streams and what `channels` counts.
        channels: bytes of biases and steps; biases that were refitted may need more bits.
        points: sizes looked at, the one wanted first.
    """

    task: _Task
    compressor: Compressor
    fixed: int = 0
    channels: int = 0
    points: tuple[SizePoint, ...] = ()

    @property
    def others(self) -> int:
        """What is in the image beside the streams."""
        return self.fixed + self.channels

    @property
    def room(self) -> int:
        """What streams may take."""
        most = int(_MAX_SHARE * self.compressor.weights)
        return min(self.task.goal - self.others - _PADDING_BYTES, most)

    def point(self, stream_bytes: int, loss: Loss, images: int) -> SizePoint:
        """Return what is known of a size of the streams; `images` were fitted to."""
        return SizePoint(
            self.others + stream_bytes,
            stream_bytes,
            8 * stream_bytes / self.compressor.weights,
            loss.kl,
            loss.agreement,
            loss.drop,
            images,
            loss.drop_low,
            loss.drop_high,
        )


def _sized(improved: Improved, goal: int, max_drop: float) -> Improved | _Task:
    """Measure the image as it is; it may be small enough.

    Raises:
        ImageError: it is not, and there are no images to compress it with.
        ModelError: it computes in uint8, or activations are int16.
    """
    source = improved.source
    need_int8(source.graph, "--compress", source.name)
    plain = image_size(source.graph, source.tflite, improved.firmware)
    if plain.bytes <= goal:
        facts = CompressionFacts(goal, plain.bytes)
        return dataclasses.replace(improved, compression=facts, chosen=plain.chosen)
    if not source.has_one_end_each:
        raise ModelError(
            "what compressing loses is measured at one output of one image",
            where=source.name,
            hint="leave out --compress",
        )
    if computes_in_uint8(source.tflite):
        raise ModelError(
            "computes in uint8, and only int8 weights can be compressed",
            where=source.name,
            hint="leave out --compress, or quantize the float model again, to int8",
        )
    if not source.has_images:
        raise ImageError(
            "compressing needs images like those the model will see",
            where=source.name,
            hint="give --calibration FOLDER with some 200 images",
        )
    return _Task(improved, goal, max_drop, plain.bytes)


def _measured(task: _Task) -> _Compressing:
    """Measure what errors in each layer's weights cost that the board may decode."""
    source = task.source
    leave = {
        op.output
        for op in source.graph.ops
        if isinstance(op, Conv2D) and not takes_coded(source.graph, op, task.kernels)
    }
    compressor = Compressor(source.tflite, source.images, *_float_model(source), leave)
    return _Compressing(task, compressor)


def _sketched(state: _Compressing) -> _Compressing:
    """Find out, by a sketch of the model, what is in the image beside its streams.

    Layers that the board would not decode stay int8: they may as well keep all their bits, but
    where a few bits per channel can say their steps.

    Raises:
        FitError: code and tables alone take more than is wanted.
    """
    task, compressor = state.task, state.compressor
    stored = stored_bytes(compressor, codable(task.source.graph, task.kernels))
    likely = max(task.goal - (task.plain - stored), compressor.weights // _SKETCH_PARTS)
    likely = min(likely, int(_MAX_SHARE * compressor.weights))
    sketch = read_graph(compressor.sketch(likely)[0])
    streams = codable(sketch, task.kernels)
    every = compressor.weights
    compressor.leave({op.output for op in compressor.ops} - streams)
    compressor.coarsen(short_tables(task.source.graph, task.kernels))
    rest = max(likely - (every - compressor.weights), compressor.weights // _SKETCH_PARTS)
    content, size = compressor.sketch(rest)
    graph = read_graph(content)
    channels = channels_bytes(graph, task.kernels)
    image = image_size(graph, content, task.improved.firmware).bytes
    known = dataclasses.replace(state, fixed=image - size - channels, channels=channels)
    if known.room <= 0:
        raise FitError(
            f"code and tables alone take {known.others} B of flash, {task.goal} B are wanted",
            where=task.source.name,
            hint="give a larger SIZE",
        )
    return known


def _compressed(state: _Compressing) -> _Compressing:
    """Compress to the size wanted; from then on it is known what the channels take."""
    made = state.compressor.compress(state.room)
    channels = channels_bytes(read_graph(made.content), state.task.kernels)
    known = dataclasses.replace(state, channels=channels)
    point = known.point(made.stream_bytes, made.loss, len(state.compressor.fitted))
    return dataclasses.replace(known, points=(point,))


def _looked(state: _Compressing, share: float) -> _Compressing:
    """Compress to another size, where that may help to choose one and can be reached."""
    wanted, task = state.points[0], state.task
    size = int(share * state.room)
    is_good = wanted.drop <= task.max_drop
    is_of_use = is_good if share < 1 else share < _FAR or not is_good
    if state.others + size >= task.plain or not is_of_use:
        return state
    images = min(CURVE_IMAGES, len(state.compressor.fitted))
    try:
        made = state.compressor.compress(size, images)
    except FitError:
        return state
    point = state.point(made.stream_bytes, made.loss, images)
    return dataclasses.replace(state, points=(*state.points, point))


def _finished(state: _Compressing) -> Improved:
    """Compress with all images, those held out before included.

    Raises:
        FitError: the size costs more than is allowed, or is not reached after all.
    """
    task, compressor = state.task, state.compressor
    wanted, *others = state.points
    whole = state.point(compressor.weights, compressor.loss_of(task.source.tflite), 0)
    others.append(dataclasses.replace(whole, image_bytes=task.plain))
    if wanted.drop > task.max_drop:
        raise _too_lossy(task, wanted, others)
    made, image = _final(state)
    chosen = dataclasses.replace(
        wanted,
        image_bytes=image.bytes,
        weights_bytes=made.stream_bytes,
        bits_per_weight=8 * made.stream_bytes / compressor.weights,
    )
    points = sorted([*others, chosen], key=lambda each: each.image_bytes)
    graph = read_graph(made.content, task.source.name)
    facts = CompressionFacts(
        task.goal,
        task.plain,
        chosen,
        len(compressor.held_out),
        tuple(points),
        _layer_sizes(graph, made),
    )
    source = dataclasses.replace(task.source, tflite=made.content, graph=graph)
    return dataclasses.replace(task.improved, source=source, compression=facts, chosen=image.chosen)


def _final(state: _Compressing) -> tuple[Compressed, ImageSize]:
    """Return the model made with all images, and its image as it is linked.

    Raises:
        FitError: the image does not come out below the goal.
    """
    room, goal = state.room, state.task.goal
    made = None
    for _ in range(_FINAL_TRIES):
        shrunk = made and state.compressor.shrunk(made, room)
        made = shrunk or state.compressor.compress(room, with_held_out=True)
        image = image_size(read_graph(made.content), made.content, state.task.improved.firmware)
        if image.bytes <= goal:
            return made, image
        room -= image.bytes - goal + _PADDING_BYTES
    raise FitError(
        f"the image takes {image.bytes} B, {goal} B are wanted",
        where=state.task.source.name,
        hint="give a larger SIZE",
    )


def stored_bytes(compressor: Compressor, streams: frozenset[int]) -> int:
    """Return what the int8 model's weights take in its image: pruned ones are streams already.

    Args:
        compressor: with all its layers.
        streams: outputs of layers that the board decodes.
    """
    total = 0
    for op in compressor.ops:
        data = compressor.graph.constant(op.weights)
        total += layer_bytes(data.astype(np.int8)) if op.output in streams else data.size
    return total


def _goal(target: Target, wanted: Compression) -> int:
    if wanted.image_bytes is not None:
        return wanted.image_bytes
    flash = target.region("flash")
    if flash is None:
        raise FitError(
            "has no limit of flash to compress to",
            where=target.name,
            hint="give a size: --compress SIZE",
        )
    return flash.bytes


def _float_model(
    source: Source,
) -> tuple[dict[int, Kernel] | None, Callable[[NDArray[np.intp]], NDArray[np.floating]] | None]:
    """Return weights and answers of the Keras model behind a source; None, None without one."""
    model = source.keras
    floats = source.float_inputs[0] if source.float_inputs else source.floats
    if model is None or floats is None:
        return None, None

    def answers(numbers: NDArray[np.intp]) -> NDArray[np.floating]:
        real = np.asarray(model.predict(floats[numbers], batch_size=16, verbose=0))
        rows = real.reshape(len(numbers), -1)
        return rows if source.graph.logits is None else np.log(np.maximum(rows, 1e-30))

    found = source.weights
    if found is None:
        return None, answers
    convolutions = [op for op in source.graph.ops if isinstance(op, Convolution)]
    kernels = {
        op.weights: Kernel(found[op.name].kernel, found[op.name].bias) for op in convolutions
    }
    return kernels, answers


def _too_lossy(task: _Task, wanted: SizePoint, others: Sequence[SizePoint]) -> FitError:
    enough = sorted(
        each.image_bytes
        for each in others
        if each.drop <= task.max_drop and each.image_bytes > wanted.image_bytes
    )
    hint = f"{enough[0]} B would do" if enough else "no size looked at would do"
    return FitError(
        f"in {wanted.image_bytes} B it is predicted to lose {wanted.drop:.2f} points of top-1 "
        f"(nine times in ten {wanted.drop_range}), {task.max_drop:g} are allowed (--max-drop)",
        where=task.source.name,
        hint=hint,
    )


def _layer_sizes(graph: Graph, made: Compressed) -> tuple[LayerSize, ...]:
    sizes = []
    for item in made.layers:
        data = graph.constant(item.op.weights)
        bits, zeros = 8 * item.bytes / data.size, float(np.mean(data == 0))
        sizes.append(LayerSize(item.op.name, data.size, item.bytes, bits, zeros, item.log2_lambda))
    return tuple(sizes)
