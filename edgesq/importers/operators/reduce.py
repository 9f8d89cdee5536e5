"""Averages and maxima of whole maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import NO_PADS, Layer
from edgesq.importers.operators.along import reduced
from edgesq.importers.operators.pool import Pool
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.places import NHWC, Stored
from edgesq.importers.scopes import KerasScope, TfliteScope


@dataclass(frozen=True, eq=False)
class Mean(Layer):
    """Average over height and width, to [1, 1, 1, C]."""

    kind: ClassVar[str] = "Mean"
    keeps_sign: ClassVar[bool] = True


def _global(lowering: Lowering, node: Node) -> None:
    if node.attributes.get("channels_last", 0):
        raise UnsupportedError(f"{node.kind} with channels_last", "leave it 0")
    source, axes = lowering.nchw(node)
    lowering.emit_map(_whole(node, source), (1, 1, 1, source.shape[3]), axes)


def _reduce(lowering: Lowering, node: Node) -> None:
    """Make a layer of a ReduceMean or ReduceMax."""
    over = lowering.numbers(node, "axes", 1) or []
    source, axes = lowering.map(node)
    if {axes[axis % 4] for axis in over} != {1, 2}:
        source, axes = lowering.map(node, like=NHWC)
    if {axes[axis % 4] for axis in over} != {1, 2}:
        reduced(lowering, node, set(over), None)
        return
    channels = source.shape[3]
    place = np.arange(channels).reshape(lowering.net.shapes[node.output])
    lowering.emit(_whole(node, source), place, (1, 1, 1, channels))


def _whole(node: Node, source: Stored) -> Layer:
    """Return the layer that takes the average or maximum of a whole map."""
    if "Max" not in node.kind:
        return Mean(node.name, (source.name,), node.output)
    size = (source.shape[1], source.shape[2])
    return Pool(node.name, (source.name,), node.output, "max", size, size, NO_PADS)


def _to_keras(scope: KerasScope, layer: Mean) -> Any:
    import keras

    pool = keras.layers.GlobalAveragePooling2D(keepdims=True, name=layer.name)
    return pool(scope.read(layer))


def _write(scope: TfliteScope, layer: Mean) -> None:
    axes = scope.numbers((1, 2))
    inputs = [scope.read(layer), axes]
    scope.writer.op("MEAN", inputs, scope.made(layer), "ReducerOptions", keepDims=True)


ONNX: OnnxOperators = {
    "GlobalAveragePool": Taken(_global, keeps_range=True, is_nchw=True),
    "GlobalMaxPool": Taken(_global, keeps_range=True),
    "ReduceMax": Taken(_reduce, keeps_range=True),
    "ReduceMean": Taken(_reduce, keeps_range=True),
}
KERAS: KerasMakers = {Mean: _to_keras}
TFLITE: TfliteWriters = {Mean: _write}
