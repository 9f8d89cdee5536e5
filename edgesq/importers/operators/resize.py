"""Images made larger or smaller: pixels repeated, left out, or put between others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Layer, Pair, Resize
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.scopes import KerasScope, TfliteScope
from edgesq.sampling import nearest_sources

Places = NDArray[np.float64]

_CLOSE = 1e-3
"""Largest distance, in pixels, of a place from where TensorFlow Lite has it."""

_RULES = ((False, False), (False, True), (True, False), (True, True))
"""Whether corners lie on each other, and whether places are counted from centers of pixels."""


@dataclass(frozen=True, eq=False)
class Resample(Layer):
    """The image in another size, by TensorFlow's rules for where its pixels lie."""

    kind: ClassVar[str] = "Resample"
    keeps_sign: ClassVar[bool] = True
    size: Pair
    is_linear: bool
    align_corners: bool
    half_pixel_centers: bool


def _resize(lowering: Lowering, node: Node) -> None:
    source, axes = lowering.map(node)
    mode = node.attributes.get("mode", "nearest")
    to = tuple(lowering.net.shapes[node.output][axes.index(axis)] for axis in (1, 2, 3))
    size, image = (to[0], to[1]), (source.shape[1], source.shape[2])
    if mode not in ("linear", "nearest") or to[2] != source.shape[3]:
        raise UnsupportedError(f"{node.kind} in mode {mode} to {list(to)}", "use nearest or linear")
    if node.attributes.get("antialias", 0):
        raise UnsupportedError(f"{node.kind} with antialias", "leave it out")
    places = [
        _places(lowering, node, axes.index(axis + 1), image[axis], size[axis]) for axis in (0, 1)
    ]
    factors = (size[0] // image[0], size[1] // image[1])
    name, inputs = node.name, (source.name,)
    if mode == "nearest":
        indices = [_rounded(node, *pair) for pair in zip(places, image, strict=True)]
        if min(factors) > 0 and all(map(_repeats, indices, factors)):
            lowering.emit_map(Resize(name, inputs, node.output, factors), (1, *to), axes)
            return
        rules = [rule for rule in _RULES if _takes(rule, image, indices)]
    else:
        rules = [rule for rule in _RULES[:3] if _lies(rule, image, places)]
    if not rules:
        how = node.attributes.get("coordinate_transformation_mode", "half_pixel")
        raise UnsupportedError(
            f"{node.kind} in mode {mode} by {how} to {list(to)}",
            "use half_pixel, align_corners or asymmetric",
        )
    layer = Resample(name, inputs, node.output, size, mode == "linear", *rules[0])
    lowering.emit_map(layer, (1, *to), axes)


def _places(lowering: Lowering, node: Node, axis: int, extent: int, count: int) -> Places:
    """Return where in the input each row, or column, of the output lies."""
    usual = "asymmetric" if node.kind == "Upsample" or lowering.net.opset < 11 else "half_pixel"
    how = node.attributes.get("coordinate_transformation_mode", usual)
    scale, number = _scale(lowering, node, axis) or count / extent, np.arange(count)
    halves = (number + 0.5) / scale - 0.5
    known = {
        "align_corners": number * ((extent - 1) / max(count - 1, 1)),
        "asymmetric": number / scale,
        "half_pixel": halves,
        "pytorch_half_pixel": halves if count > 1 else np.zeros(1),
        "tf_half_pixel_for_nn": (number + 0.5) / scale,
    }
    if how not in known:
        raise UnsupportedError(f"{node.kind} by {how}", "use half_pixel, or another of these")
    return np.asarray(known[how], np.float64)


def _scale(lowering: Lowering, node: Node, axis: int) -> float | None:
    """Return the factor that the file says for one of ONNX's axes; None where it says a size."""
    if "axes" in node.attributes:
        return None
    listed = node.attributes.get("scales")
    if listed is None:
        position = 2 if node.kind == "Resize" and lowering.net.opset > 10 else 1
        given = lowering.constant(node, position)
        listed = None if given is None else given.real().reshape(-1)
    return float(listed[axis]) if listed is not None and len(listed) > axis else None


def _rounded(node: Node, places: Places, extent: int) -> list[int]:
    """Return the rows, or columns, next to some places."""
    usual = "floor" if node.kind == "Upsample" else "round_prefer_floor"
    how = node.attributes.get("nearest_mode", usual)
    nearest = {
        "ceil": np.ceil(places),
        "floor": np.floor(places),
        "round_prefer_ceil": np.floor(places + 0.5),
        "round_prefer_floor": np.ceil(places - 0.5),
    }.get(how)
    if nearest is None:
        raise UnsupportedError(f"{node.kind} by {how}", "use floor")
    return [int(place) for place in np.clip(nearest, 0, extent - 1)]


def _repeats(indices: list[int], factor: int) -> bool:
    return indices == [place // factor for place in range(len(indices))]


def _takes(rule: tuple[bool, bool], image: Pair, indices: list[list[int]]) -> bool:
    """Say whether TensorFlow Lite's nearest pixels by a rule are these."""
    corners, halves = rule
    return all(
        list(nearest_sources(extent, len(axis), align_corners=corners, half_pixel_centers=halves))
        == axis
        for extent, axis in zip(image, indices, strict=True)
    )


def _lies(rule: tuple[bool, bool], image: Pair, places: list[Places]) -> bool:
    """Say whether TensorFlow Lite puts pixels between others where these places are."""
    for extent, wanted in zip(image, places, strict=True):
        count = len(wanted)
        step = (extent - 1) / (count - 1) if rule[0] and count > 1 else extent / count
        mine = np.arange(count) * step + (step / 2 - 0.5 if rule[1] else 0)
        ends = (0, extent - 1)
        if np.abs(np.clip(mine, *ends) - np.clip(wanted, *ends)).max() > _CLOSE:
            return False
    return True


def _to_keras(scope: KerasScope, layer: Resample) -> Any:
    from edgesq.importers.keras_blocks import ResampleLayer

    rules = (layer.align_corners, layer.half_pixel_centers)
    made = ResampleLayer(layer.size, layer.is_linear, *rules, name=layer.name)
    return made(scope.read(layer))


def _resize_to_keras(scope: KerasScope, layer: Resize) -> Any:
    import keras

    return keras.layers.UpSampling2D(layer.factors, name=layer.name)(scope.read(layer))


def _write(scope: TfliteScope, layer: Resample) -> None:
    kind, options = "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions"
    if layer.is_linear:
        kind, options = "RESIZE_BILINEAR", "ResizeBilinearOptions"
    inputs, quant = [scope.read(layer), scope.numbers(layer.size)], scope.quant(layer.inputs[0])
    rules = {"alignCorners": layer.align_corners, "halfPixelCenters": layer.half_pixel_centers}
    scope.keep(layer, kind, inputs, quant, options, **rules)


def _write_resize(scope: TfliteScope, layer: Resize) -> None:
    size = scope.numbers(scope.network.shapes[layer.output][1:3])
    quant = scope.quant(layer.inputs[0])
    options = "ResizeNearestNeighborOptions"
    scope.keep(layer, "RESIZE_NEAREST_NEIGHBOR", [scope.read(layer), size], quant, options)


_TAKEN = Taken(_resize, keeps_range=True)

ONNX: OnnxOperators = {"Resize": _TAKEN, "Upsample": _TAKEN}
KERAS: KerasMakers = {Resample: _to_keras, Resize: _resize_to_keras}
TFLITE: TfliteWriters = {Resample: _write, Resize: _write_resize}
