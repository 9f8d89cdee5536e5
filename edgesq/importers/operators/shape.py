"""Values side by side, and values under another shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Layer, Reshape
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.places import Axes
from edgesq.importers.scopes import KerasScope, TfliteScope


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """Inputs side by side along dimension `axis`."""

    kind: ClassVar[str] = "Concat"
    keeps_sign: ClassVar[bool] = True
    axis: int


def _concat(lowering: Lowering, node: Node) -> None:
    count = len(node.inputs)
    rank = lowering.source(node).place.ndim
    axis = int(node.attributes["axis"]) % rank
    if rank == 4:
        maps = [lowering.map(node, position) for position in range(count)]
        axes: Axes = maps[0][1]
        if any(other != axes for _, other in maps):
            raise UnsupportedError("Concat of two layouts", "transpose neither")
        sources, along = [stored for stored, _ in maps], axes[axis]
        extents = list(sources[0].shape)
        extents[along] = sum(stored.shape[along] for stored in sources)
        names = tuple(stored.name for stored in sources)
        lowering.emit_map(Concat(node.name, names, node.output, along), tuple(extents), axes)
        return
    rows = [lowering.source(node, position) for position in range(count)]
    if any(stored.place.size != stored.place.shape[axis] for stored in rows):
        raise UnsupportedError(f"Concat of {rank} dimensions along {axis}", "keep to maps and rows")
    rows = [lowering.reshaped(node, stored, (1, stored.place.size)) for stored in rows]
    starts = np.cumsum([0, *(stored.place.size for stored in rows)])
    shifted = [stored.place + start for stored, start in zip(rows, starts, strict=False)]
    layer = Concat(node.name, tuple(stored.name for stored in rows), node.output, 1)
    lowering.emit(layer, np.concatenate(shifted, axis), (1, int(starts[-1])))


def _concat_to_keras(scope: KerasScope, layer: Concat) -> Any:
    import keras

    values = [scope.read(layer, position) for position in range(len(layer.inputs))]
    return keras.layers.Concatenate(layer.axis, name=layer.name)(values)


def _write_concat(scope: TfliteScope, layer: Concat) -> None:
    quant = scope.quant(layer.output)
    inputs = [scope.rescaled(layer, position, quant) for position in range(len(layer.inputs))]
    made = scope.made(layer)
    scope.writer.op("CONCATENATION", inputs, made, "ConcatenationOptions", axis=layer.axis)


def _reshape_to_keras(scope: KerasScope, layer: Reshape) -> Any:
    import keras

    shape = scope.network.shapes[layer.output][1:]
    return keras.layers.Reshape(shape, name=layer.name)(scope.read(layer))


def _write_reshape(scope: TfliteScope, layer: Reshape) -> None:
    shape = scope.network.shapes[layer.output]
    inputs = [scope.read(layer), scope.numbers(shape)]
    quant = scope.quant(layer.inputs[0])
    scope.keep(layer, "RESHAPE", inputs, quant, "ReshapeOptions", newShape=list(shape))


ONNX: OnnxOperators = {"Concat": Taken(_concat, keeps_range=True)}
KERAS: KerasMakers = {Concat: _concat_to_keras, Reshape: _reshape_to_keras}
TFLITE: TfliteWriters = {Concat: _write_concat, Reshape: _write_reshape}
