"""Audit calibration images with the float model, before it is quantized with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgesq.calibrate import AuditRow, ImageSet, Preprocessing
from edgesq.calibrate.audit import MAX_SHOWN
from edgesq.quantize.probe import predicted, probed
from edgesq.quantize.quiet import captured_output
from edgesq.quantize.scaling import audit_scaling
from edgesq.quantize.statistics import FAR, NEARER, TrainedStatistics

if TYPE_CHECKING:
    import keras

Float32Array = NDArray[np.float32]
_Ranges = list[tuple[Float32Array, Float32Array]]

MAX_GROWTH = 0.10
"""Largest share of the activation ranges that may come from the second half of the images alone."""

MAX_ASLEEP = 0.02
"""Largest share of channels that may be silent for all images though inverted or amplified images
wake them."""

MIN_CERTAINTY = 0.35
"""Smallest mean of the top-1 probability; the chance level is taken where that is higher."""

MAX_CERTAINTY_GAIN = 1.1
"""Largest factor by which another preprocessing may raise the mean top-1 probability."""

SURE = 0.8
"""Mean top-1 probability from which a preprocessing with larger pixels is not compared: large
inputs alone raise it."""

_ONE_VALUE = 1e-6
_PROBES = 48
_SOME = 16
_ORDERS = 20
_SEED = 20261121
_CAFFE_MEAN = (104.0, 117.0, 123.0)
_USUAL = {
    "0 to 1": ((0.0, 0.0, 0.0), 1 / 255),
    "-1 to 1": ((127.5, 127.5, 127.5), 1 / 127.5),
    "0 to 255": ((0.0, 0.0, 0.0), 1.0),
    "0 to 255 less ImageNet's mean": (_CAFFE_MEAN, 1.0),
}
"""Usual preprocessings, as mean (BGR) and scale."""


def audit_model(model: keras.Model, images: ImageSet) -> tuple[AuditRow, ...]:
    """Look at what the calibration images do in a float model.

    Whether its ranges still grow with each image, which channels stay silent, and, where it ends in
    a softmax, how certain it is, and, where it has batch normalizations, how near its values are to
    those of training, both also with the channel orders and scales that are usual; and whether it
    scales pixels that are scaled already.

    Args:
        model: one input [None, H, W, C], one output.
        images: the calibration set, with the preprocessing it declares.
    """
    floats = images.preprocessing.to_float(images.images)
    with captured_output():
        probe = _Probe(model)
        trained = TrainedStatistics(model)
        ranges = probe.ranges(floats)
        rows = [_coverage(_magnitudes(ranges, len(floats))), _channels(probe, ranges, floats)]
        if len(model.outputs) == 1 and _ends_in_softmax(model) and model.outputs[0].shape[-1] > 1:
            rows += _certainty(model, images, trained.count > 0)
        if trained.count:
            rows.append(_statistics(trained, images))
        scaling = audit_scaling(model, images.preprocessing)
    return (*rows, *([scaling] if scaling else []))


def _statistics(trained: TrainedStatistics, images: ImageSet) -> AuditRow:
    probes = _probes(images)
    declared = trained.distance(images.preprocessing.to_float(probes))
    best, name = min(
        (trained.distance(other.to_float(probes)), name) for name, other in _alternatives(images)
    )
    gain = declared / max(best, 1e-9)
    return AuditRow(
        "trained statistics",
        gain,
        NEARER,
        declared < FAR or gain < NEARER,
        f"what the model's {trained.count} batch normalizations kept from training is {gain:.1f} "
        f"times as near with pixels {name} ({best:.3f} against {declared:.3f}): check channel "
        "order, mean and scale in the folder's manifest.json",
    )


class _Probe:
    """Computes every activation map: each layer output of more than one pixel."""

    def __init__(self, model: keras.Model) -> None:
        import keras

        ops = keras.ops
        maps = [output for layer in model.layers for output in _outputs(layer) if _is_map(output)]
        ranges = probed(
            maps,
            lambda found: [
                reduced(one, axis=(1, 2)) for reduced in (ops.min, ops.max) for one in found
            ],
        )
        self._model = keras.Model(model.inputs, [model.outputs[0], *ranges])
        self._count = len(maps)

    def ranges(self, floats: Float32Array) -> _Ranges:
        """Return least and largest value [n, C] per image and channel of each map."""
        if not self._count:
            return []
        _, *ends = predicted(self._model, floats)
        return list(zip(ends[: self._count], ends[self._count :], strict=True))


def _magnitudes(ranges: _Ranges, count: int) -> Float32Array:
    """Return the largest magnitude [n, maps] per image and map of so many images."""
    largest = [np.maximum(-low, high).max(axis=1, initial=0) for low, high in ranges]
    return np.stack(largest or [np.ones(count, np.float32)], axis=1)


def _silent(ranges: _Ranges) -> NDArray[np.bool_]:
    """Say of each channel of each map whether it is the same all over each image."""
    same = [(low == high).all(axis=0) for low, high in ranges]
    return np.concatenate([*same, np.zeros(1, np.bool_)])


def _outputs(layer: Any) -> list[Any]:
    """Return the outputs of a layer, one for each call of it."""
    import keras

    if isinstance(layer, keras.layers.InputLayer):
        return []
    return [tensor for node in layer._inbound_nodes for tensor in node.outputs]


def _is_map(output: Any) -> bool:
    """Say whether a layer's output has more than one pixel."""
    shape: tuple[int | None, ...] = tuple(getattr(output, "shape", ()))
    return len(shape) == 4 and None not in shape[1:] and shape[1:3] != (1, 1)


def silent_layer(model: keras.Model, floats: Float32Array) -> str | None:
    """Return the first layer of a model whose channels give one value each for all images.

    Args:
        model: one input [None, H, W, C].
        floats: calibration images, as the model expects them.
    """
    import keras

    ops = keras.ops
    named = [(layer.name, one) for layer in model.layers for one in _outputs(layer)]
    ends = probed(
        [one for _, one in named],
        lambda found: [
            reduced(one, axis=tuple(range(1, len(one.shape) - 1))) if len(one.shape) > 2 else one
            for one in found
            for reduced in (ops.min, ops.max)
        ],
    )
    with captured_output():
        found = predicted(keras.Model(model.inputs, ends), floats)
    for position, (name, _) in enumerate(named):
        low, high = found[2 * position].min(axis=0), found[2 * position + 1].max(axis=0)
        if (high - low <= _ONE_VALUE * np.maximum(1, np.abs(high))).all():
            return str(name)
    return None


def coverage_curve(ranges: Float32Array) -> list[tuple[int, float]]:
    """Return, by number of images, the mean part of each layer's final range that they reach.

    Args:
        ranges: largest magnitude [n, layers] per image.
    """
    count = len(ranges)
    final = np.maximum(ranges.max(axis=0), np.finfo(np.float32).tiny)
    generator = np.random.default_rng(_SEED)
    reached = np.mean(
        [np.maximum.accumulate(generator.permutation(ranges)) / final for _ in range(_ORDERS)],
        axis=(0, 2),
    )
    points = sorted({1 << bit for bit in range(count.bit_length())} | {max(count // 2, 1), count})
    return [(point, float(reached[point - 1])) for point in points if point <= count]


def _coverage(ranges: Float32Array) -> AuditRow:
    curve = coverage_curve(ranges)
    half = dict(curve)[max(len(ranges) // 2, 1)]
    growth = 1 - half
    shown = ", ".join(f"{part:.0%} by {count}" for count, part in curve)
    return AuditRow(
        "coverage",
        growth,
        MAX_GROWTH,
        growth <= MAX_GROWTH,
        f"the second half of the images still widens the ranges by {growth:.0%} ({shown}): "
        "give more images",
    )


def _channels(probe: _Probe, ranges: _Ranges, floats: Float32Array) -> AuditRow:
    silent, some = _silent(ranges), floats[:_SOME]
    others = (_silent(probe.ranges(some * by)) for by in (-1, 4, -4))
    always = np.logical_and.reduce([silent, *others])
    asleep, dead = float(np.mean(silent & ~always)), float(np.mean(always))
    return AuditRow(
        "silent channels",
        asleep,
        MAX_ASLEEP,
        asleep <= MAX_ASLEEP,
        f"{asleep:.1%} of the channels give one value for all these images, and wake up for other "
        f"input ({dead:.1%} never do): the images do not show what the model was trained on",
    )


def _ends_in_softmax(model: keras.Model) -> bool:
    import keras

    last = model.outputs[0]._keras_history.operation
    while isinstance(last, keras.layers.Reshape | keras.layers.Flatten):
        last = last._inbound_nodes[0].input_tensors[0]._keras_history.operation
    activation = getattr(last, "activation", None)
    return isinstance(last, keras.layers.Softmax) or activation is keras.activations.softmax


def _certainty(model: keras.Model, images: ImageSet, has_statistics: bool) -> Iterator[AuditRow]:
    probes = _probes(images)
    classes = model.outputs[0].shape[-1]
    each = _certainties(model, images.preprocessing, probes)
    certainty = float(each.mean())
    least = max(MIN_CERTAINTY, 1.5 / classes)
    yield AuditRow(
        "certainty",
        certainty,
        least,
        certainty >= least,
        f"the model's largest probability is {certainty:.2f} on average, expected {least:.2f}: the "
        "images are not what it was trained on, or are preprocessed in another way",
        () if certainty >= least else tuple((_step(images) * each.argsort()[:MAX_SHOWN]).tolist()),
    )
    largest = images.preprocessing.scale if certainty >= SURE else np.inf
    tried = [
        (float(_certainties(model, other, probes).mean()), name)
        for name, other in _alternatives(images)
        if other.scale <= largest
        # Of scales, what training left behind tells more.
        and (_is_reordered(other, images.preprocessing) or not has_statistics)
    ]
    if not tried:
        return
    best, name = max(tried)
    gain = best / certainty
    yield AuditRow(
        "preprocessing",
        gain,
        MAX_CERTAINTY_GAIN,
        gain <= MAX_CERTAINTY_GAIN,
        f"the model is {gain:.2f} times as certain with pixels {name} ({best:.2f} against "
        f"{certainty:.2f}): check channel order, mean and scale in the folder's manifest.json",
    )


def _is_reordered(one: Preprocessing, other: Preprocessing) -> bool:
    return one.scale == other.scale and sorted(one.mean) == sorted(other.mean)


def _probes(images: ImageSet) -> NDArray[np.uint8]:
    return images.images[:: _step(images)][:_PROBES]


def _step(images: ImageSet) -> int:
    """Return which image of the set the second probe is."""
    return max(len(images.images) // _PROBES, 1)


def _certainties(
    model: keras.Model, by: Preprocessing, images: NDArray[np.uint8]
) -> NDArray[np.floating]:
    """Return the largest probability of each image."""
    (outputs,) = predicted(model, by.to_float(images))
    largest: NDArray[np.floating] = outputs.reshape(len(images), -1).max(axis=1)
    return largest


def _alternatives(images: ImageSet) -> Iterator[tuple[str, Preprocessing]]:
    """Yield the declared preprocessing with the other order, and the usual ones with both."""
    declared = images.preprocessing
    has_colours = images.images.shape[-1] == 3
    orders: tuple[Literal["rgb", "bgr"], ...] = ("rgb", "bgr") if has_colours else ("rgb",)
    for order in orders:
        own = (declared.mean, declared.scale, declared.channel_order, "as declared")
        usual = ((mean, scale, "bgr", f"from {name}") for name, (mean, scale) in _USUAL.items())
        for mean, scale, mean_order, name in (own, *usual):
            ordered = mean if order == mean_order else mean[::-1]
            other = Preprocessing(order, (ordered[0], ordered[1], ordered[2]), scale)
            if other != declared:
                yield f"{name}, in the order {order.upper()}", other
