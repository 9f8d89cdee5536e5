"""What goes along axes of a map: its axes in another order, places taken, sums and extremes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Layer, Permute, Take
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.scopes import KerasScope, TfliteScope


@dataclass(frozen=True, eq=False)
class Reduce(Layer):
    """One value of all along `axes` of [1, H, W, C], which have 1 afterwards."""

    kind: ClassVar[str] = "Reduce"
    keeps_sign: ClassVar[bool] = True
    function: Literal["mean", "sum", "max", "min"]
    axes: tuple[int, ...]


def reduced(lowering: Lowering, node: Node, over: set[int], like: tuple[int, ...] | None) -> None:
    """Make the layer of a reduction over some of ONNX's axes.

    Raises:
        UnsupportedError: over the batch.
    """
    source, axes = lowering.map(node, like=like)
    along = tuple(sorted(axes[axis % 4] for axis in over))
    if not along or along[0] == 0:
        raise UnsupportedError(f"{node.kind} over {sorted(over)}", "reduce other axes")
    shape = tuple(1 if axis in along else extent for axis, extent in enumerate(source.shape))
    positions = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    place = positions.transpose(axes).reshape(lowering.net.shapes[node.output])
    function: Any = node.kind.removeprefix("Reduce").lower()
    lowering.emit(Reduce(node.name, (source.name,), node.output, function, along), place, shape)


def _reduce(lowering: Lowering, node: Node) -> None:
    over = lowering.numbers(node, "axes", 1) or []
    if lowering.source(node).place.ndim != 4:
        raise UnsupportedError(f"{node.kind} of a row", "reduce maps")
    reduced(lowering, node, set(over), None)


def _gather(lowering: Lowering, node: Node) -> None:
    source, axes = lowering.map(node)
    chosen = lowering.needs_constant(node, 1).values
    axis = int(node.attributes.get("axis", 0)) % 4
    where = axes[axis]
    if where == 0 or chosen.ndim > 1:
        raise UnsupportedError(f"Gather along {axis}", "gather rows, columns or channels")
    extent = source.shape[where]
    indices = tuple(int(index) % extent for index in chosen.reshape(-1))
    shape = (*source.shape[:where], len(indices), *source.shape[where + 1 :])
    positions = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    place = positions.transpose(axes).reshape(lowering.net.shapes[node.output])
    lowering.emit(Take(node.name, (source.name,), node.output, where, indices), place, shape)


def _reduce_to_keras(scope: KerasScope, layer: Reduce) -> Any:
    import keras

    return getattr(keras.ops, layer.function)(scope.read(layer), axis=layer.axes, keepdims=True)


def _permute_to_keras(scope: KerasScope, layer: Permute) -> Any:
    import keras

    return keras.layers.Permute(layer.order[1:], name=layer.name)(scope.read(layer))


def _take_to_keras(scope: KerasScope, layer: Take) -> Any:
    import keras

    return keras.ops.take(scope.read(layer), np.array(layer.indices, np.int32), axis=layer.axis)


def _write_reduce(scope: TfliteScope, layer: Reduce) -> None:
    inputs = [scope.read(layer), scope.numbers(layer.axes)]
    if layer.function in ("max", "min"):
        kind, quant = f"REDUCE_{layer.function.upper()}", scope.quant(layer.inputs[0])
        scope.keep(layer, kind, inputs, quant, "ReducerOptions", keepDims=True)
        return
    kind = layer.function.upper()
    scope.writer.op(kind, inputs, scope.made(layer), "ReducerOptions", keepDims=True)


def _write_permute(scope: TfliteScope, layer: Permute) -> None:
    inputs = [scope.read(layer), scope.numbers(layer.order)]
    scope.keep(layer, "TRANSPOSE", inputs, scope.quant(layer.inputs[0]), "TransposeOptions")


def _write_take(scope: TfliteScope, layer: Take) -> None:
    inputs = [scope.read(layer), scope.numbers(layer.indices)]
    quant = scope.quant(layer.inputs[0])
    scope.keep(layer, "GATHER", inputs, quant, "GatherOptions", axis=layer.axis, batchDims=0)


ONNX: OnnxOperators = {
    "Gather": Taken(_gather, keeps_range=True),
    "ReduceMin": Taken(_reduce, keeps_range=True),
    "ReduceSum": Taken(_reduce),
}
KERAS: KerasMakers = {
    Permute: _permute_to_keras,
    Reduce: _reduce_to_keras,
    Take: _take_to_keras,
}
TFLITE: TfliteWriters = {
    Permute: _write_permute,
    Reduce: _write_reduce,
    Take: _write_take,
}
