"""Compress a model so that its whole image has a given size, if that costs no more than allowed."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.compress import Compressed, Compressor, Kernel, Loss, layer_bytes
from edgesq.errors import FitError, ImageError, MissingToolError, ModelError
from edgesq.export.facts import CompressionFacts, LayerSize, SizePoint
from edgesq.export.runtime import Wish, make_firmware
from edgesq.export.source import Source
from edgesq.formats.tflite import read_graph
from edgesq.graph import Conv2D, Convolution, Graph
from edgesq.kernels.coded import channels_bytes, has_stream_kernel, streamable
from edgesq.kernels.dsp.tables import short_tables
from edgesq.plan import needs
from edgesq.project import compile_firmware
from edgesq.targets import Target

MAX_DROP_POINTS = 2.0

CURVE = (0.85, 1.2, 1.5)
"""Sizes of the streams that are looked at beside the one wanted, as parts of it."""

CURVE_IMAGES = 48
"""Images fitted to at those; the loss there is a little more than with all of them."""

_ROOM_BYTES = 1 << 26
_FINAL_TRIES = 3
_MAX_SHARE = 0.6
"""Of the int8 weights: streams not well below that would not be decoded but kept as int8."""

_PADDING_BYTES = 96
"""Between arrays, which the linker aligns: by so much images of the same parts may differ."""

_SKETCHED = 4
"""A sketch's streams take one part in so many of the int8 weights, at least."""


@dataclass(frozen=True)
class Compression:
    """How small a model is to become.

    Attributes:
        image_bytes: of the whole image in flash; None for what the target has.
        max_drop: points of top-1 that may be lost at most, as predicted.
    """

    image_bytes: int | None = None
    max_drop: float = MAX_DROP_POINTS


def compressed(
    source: Source, wish: Wish, wanted: Compression, on_stage: Callable[[str], None]
) -> tuple[Source, CompressionFacts]:
    """Return the source with a compressed model, and what the report says of it.

    Args:
        source: the quantized model with its calibration images.
        wish: what firmware it is for.
        wanted: how small.
        on_stage: is told what begins.

    Raises:
        FitError: the size cannot be reached, or costs more than `max_drop`; says which size does.
        ImageError: there are no calibration images.
    """
    goal = _goal(wish, wanted)
    plain = _image_bytes(source.graph, source.tflite, wish)
    if plain <= goal:
        return source, CompressionFacts(goal, plain)
    if not source.has_images:
        raise ImageError(
            "compressing needs images like those the model will see",
            where=source.name,
            hint="give --calibration FOLDER with some 200 images",
        )
    on_stage("measure what errors cost")
    kernels = wish.target.kernels
    leave = {
        op.output
        for op in source.graph.ops
        if isinstance(op, Conv2D) and not has_stream_kernel(source.graph, op, kernels)
    }
    compressor = Compressor(source.tflite, source.images, *_float_model(source), leave)
    judge = _Judge(compressor, source, wish, goal, plain)
    return _reach(source, judge, wanted.max_drop, on_stage)


class _Judge:
    """Knows what a compressed model takes and loses."""

    def __init__(
        self, compressor: Compressor, source: Source, wish: Wish, goal: int, plain: int
    ) -> None:
        """Find out, by a sketch of the model, what is in the image beside its streams.

        Layers that the board would not decode stay int8: they may as well keep all their bits, but
        where a few bits per channel can say their steps.
        """
        self.compressor = compressor
        self.wish = wish
        self.goal = goal
        self.plain = plain
        self.name = source.name
        stored = stored_bytes(compressor, streamable(source.graph, wish.target.kernels))
        likely = max(goal - (plain - stored), compressor.weights // _SKETCHED)
        likely = min(likely, int(_MAX_SHARE * compressor.weights))
        sketch = read_graph(compressor.sketch(likely)[0])
        streams = streamable(sketch, wish.target.kernels)
        every = compressor.weights
        compressor.leave({op.output for op in compressor.ops} - streams)
        compressor.coarsen(short_tables(source.graph, wish.target.kernels))
        rest = max(likely - (every - compressor.weights), compressor.weights // _SKETCHED)
        content, size = compressor.sketch(rest)
        image = _image_bytes(read_graph(content), content, wish)
        self.channels = channels_bytes(read_graph(content), wish.target.kernels)
        self.fixed = image - size - self.channels
        if self.room <= 0:
            raise FitError(
                f"code and tables alone take {self.others} B of flash, {goal} B are wanted",
                where=source.name,
                hint="give a larger SIZE",
            )

    @property
    def others(self) -> int:
        """What is in the image beside the streams; biases that were refitted may need more bits."""
        return self.fixed + self.channels

    @property
    def room(self) -> int:
        """What streams may take."""
        most = int(_MAX_SHARE * self.compressor.weights)
        return min(self.goal - self.others - _PADDING_BYTES, most)

    def point(self, stream_bytes: int, loss: Loss, images: int) -> SizePoint:
        return SizePoint(
            self.others + stream_bytes,
            stream_bytes,
            8 * stream_bytes / self.compressor.weights,
            loss.kl,
            loss.agreement,
            loss.drop,
            images,
        )

    def wanted(self) -> SizePoint:
        """Return the point at the size wanted; knows from then on what its channels take."""
        made = self.compressor.compress(self.room)
        self.channels = channels_bytes(read_graph(made.content), self.wish.target.kernels)
        return self.point(made.stream_bytes, made.loss, len(self.compressor.fitted))

    def look(self, total: int, images: int) -> list[SizePoint]:
        """Return the point at a size of the streams; nothing where that cannot be reached."""
        try:
            made = self.compressor.compress(total, images)
        except FitError:
            return []
        return [self.point(made.stream_bytes, made.loss, images)]

    def final(self) -> tuple[Compressed, int]:
        """Return the model made with all images, and the bytes of its image as it is linked.

        Raises:
            FitError: the image does not come out below the goal.
        """
        room = self.room
        for _ in range(_FINAL_TRIES):
            made = self.compressor.compress(room, with_held_out=True)
            taken = _image_bytes(read_graph(made.content), made.content, self.wish)
            if taken <= self.goal:
                return made, taken
            room -= taken - self.goal + _PADDING_BYTES
        raise FitError(
            f"the image takes {taken} B, {self.goal} B are wanted",
            where=self.name,
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


def _reach(
    source: Source,
    judge: _Judge,
    max_drop: float,
    on_stage: Callable[[str], None],
) -> tuple[Source, CompressionFacts]:
    """Compress to the size wanted, and look at those around it."""
    fitted = len(judge.compressor.fitted)
    on_stage(f"compress to {judge.goal:,} B")
    point = judge.wanted()
    points = []
    for part in CURVE:
        size = judge.others + int(part * judge.room)
        if size < judge.plain and (part > 1 or point.drop <= max_drop):
            on_stage(f"look at {size:,} B")
            points += judge.look(int(part * judge.room), min(CURVE_IMAGES, fitted))
    whole = judge.point(judge.compressor.weights, judge.compressor.loss_of(source.tflite), 0)
    points.append(dataclasses.replace(whole, image_bytes=judge.plain))
    if point.drop > max_drop:
        raise _too_lossy(source, point, points, max_drop)
    on_stage("compress with all images")
    made, taken = judge.final()
    chosen = dataclasses.replace(
        point,
        image_bytes=taken,
        weights_bytes=made.stream_bytes,
        bits_per_weight=8 * made.stream_bytes / judge.compressor.weights,
    )
    points = sorted([*points, chosen], key=lambda each: each.image_bytes)
    graph = read_graph(made.content, source.name)
    facts = CompressionFacts(
        judge.goal,
        judge.plain,
        chosen,
        len(judge.compressor.held_out),
        tuple(points),
        _layer_sizes(graph, made),
    )
    return dataclasses.replace(source, tflite=made.content, graph=graph), facts


def _goal(wish: Wish, wanted: Compression) -> int:
    if wanted.image_bytes is not None:
        return wanted.image_bytes
    flash = wish.target.region("flash")
    if flash is None:
        raise FitError(
            "has no limit of flash to compress to",
            where=wish.target.name,
            hint="give a size: --compress SIZE",
        )
    return flash.bytes


def _image_bytes(graph: Graph, tflite: bytes, wish: Wish) -> int:
    """Return what a whole image takes: the linker's word, or else an upper bound."""
    firmware = make_firmware(graph, tflite, dataclasses.replace(wish, target=_roomy(wish.target)))
    if firmware.chosen is None:
        raise ModelError("only edgesq's own runtime decodes weights", hint="leave out --compress")
    if not wish.target.is_library:
        with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
            firmware.lay_out(Path(scratch))
            try:
                return compile_firmware(Path(scratch), firmware.target).flash_bytes
            except MissingToolError:
                pass
    return needs(graph, firmware.chosen.plan, wish.target)["flash"]


def _roomy(target: Target) -> Target:
    """Return a target with so much flash that any model can be linked."""
    memory = tuple(
        dataclasses.replace(region, bytes=_ROOM_BYTES) if region.name == "flash" else region
        for region in target.memory
    )
    return dataclasses.replace(target, memory=memory)


def _float_model(
    source: Source,
) -> tuple[dict[int, Kernel] | None, Callable[[NDArray[np.intp]], NDArray[np.floating]] | None]:
    """Return weights and answers of the Keras model behind a source; None, None without one."""
    model, floats = source.keras, source.floats
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


def _too_lossy(
    source: Source, point: SizePoint, points: Sequence[SizePoint], most: float
) -> FitError:
    enough = sorted(
        each.image_bytes
        for each in points
        if each.drop <= most and each.image_bytes > point.image_bytes
    )
    hint = f"{enough[0]} B would do" if enough else "no size looked at would do"
    return FitError(
        f"in {point.image_bytes} B it is predicted to lose {point.drop:.2f} points of top-1, "
        f"{most:g} are allowed (--max-drop)",
        where=source.name,
        hint=hint,
    )


def _layer_sizes(graph: Graph, made: Compressed) -> tuple[LayerSize, ...]:
    sizes = []
    for item in made.layers:
        data = graph.constant(item.op.weights)
        bits, zeros = 8 * item.bytes / data.size, float(np.mean(data == 0))
        sizes.append(LayerSize(item.op.name, data.size, item.bytes, bits, zeros, item.log2_lambda))
    return tuple(sizes)
