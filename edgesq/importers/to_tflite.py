"""Write an int8 network as .tflite, with exactly its scales, zero points, weights and biases."""

from __future__ import annotations

from edgesq.importers.net import Note
from edgesq.importers.network import Network
from edgesq.importers.operators.table import TFLITE
from edgesq.importers.scopes import TfliteScope
from edgesq.importers.supported import refusal


def write_tflite(network: Network, where: str) -> tuple[bytes, tuple[Note, ...]]:
    """Return the .tflite and what had to be decided for it.

    Raises:
        ModelError: numbers or layers that a .tflite cannot hold; all are named.
    """
    scope = TfliteScope(network)
    for layer in network.layers:
        TFLITE[type(layer)](scope, layer)
        scope.bounded(layer)
    if scope.problems:
        raise refusal(scope.problems, where)
    inputs, outputs = (
        [scope.index[place.name] for place in places]
        for places in (network.inputs, network.outputs)
    )
    return scope.writer.build(inputs, outputs), tuple(scope.notes)
