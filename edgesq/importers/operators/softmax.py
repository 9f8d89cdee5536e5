"""Softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Layer
from edgesq.importers.operators.lookup import write_probability
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.scopes import KerasScope, TfliteScope


@dataclass(frozen=True, eq=False)
class Softmax(Layer):
    """Softmax over the last dimension."""

    kind: ClassVar[str] = "Softmax"

    @property
    def is_never_negative(self) -> bool:
        """Always: they are probabilities."""
        return True


def _softmax(lowering: Lowering, node: Node) -> None:
    stored = lowering.source(node)
    shape = stored.place.shape
    by_row = lowering.net.opset < 13 and not node.kind.startswith("Q")
    axis = int(node.attributes.get("axis", 1 if by_row else -1)) % len(shape)
    over = int(np.prod(shape[axis:])) if by_row else shape[axis]
    if over == stored.place.size:
        if stored.shape[-1] != over:
            stored = lowering.reshaped(node, stored, (1, over))
    else:
        found = stored.as_map()
        if found is None or found[1][axis] != 3 or over != shape[axis]:
            raise UnsupportedError(f"Softmax over dimension {axis}", "over channels is supported")
        stored = lowering.reshaped(node, stored, found[0])
    layer = Softmax(node.name, (stored.name,), node.output)
    lowering.emit(layer, stored.place, stored.shape)


def _to_keras(scope: KerasScope, layer: Softmax) -> Any:
    import keras

    return keras.layers.Softmax(name=layer.name)(scope.read(layer))


def _write(scope: TfliteScope, layer: Softmax) -> None:
    write_probability(scope, layer, "SOFTMAX", "SoftmaxOptions", beta=1.0)


ONNX: OnnxOperators = {"Softmax": Taken(_softmax, has_one_scale=True)}
KERAS: KerasMakers = {Softmax: _to_keras}
TFLITE: TfliteWriters = {Softmax: _write}
