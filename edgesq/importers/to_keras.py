"""Build a Keras model from a float network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgesq.errors import ModelError
from edgesq.importers.network import Layer, Network
from edgesq.importers.operators.table import KERAS
from edgesq.importers.scopes import KerasScope
from edgesq.importers.supported import refusal
from edgesq.quantize import captured_output

if TYPE_CHECKING:
    import keras


def build_keras(network: Network, name: str, where: str) -> keras.Model:
    """Return a Keras model of one input [None, H, W, C] that computes the same.

    Raises:
        ModelError: layers that Keras cannot express, all of which are named, or too many of them.
    """
    with captured_output():
        import keras

        source = keras.Input(network.shapes[network.input.name][1:], name="image")
        scope = KerasScope(network, {network.input.name: source})
        for layer in network.layers:
            scope.values[layer.output] = KERAS[type(layer)](scope, layer)
            if _is_never_negative(scope, layer):
                scope.never_negative.add(layer.output)
        if scope.problems:
            raise refusal(scope.problems, where)
        try:
            model = keras.Model(source, scope.values[network.output.name], name=name)
        except RecursionError as error:  # Keras walks from the result to the image
            what = f"{len(network.layers):,} layers behind each other are too many for Keras"
            raise ModelError(what, where=where) from error
    for layer_name, weights in scope.weights.items():
        model.get_layer(layer_name).set_weights(weights)
    return model


def _is_never_negative(scope: KerasScope, layer: Layer) -> bool:
    inherits = layer.keeps_sign and all(name in scope.never_negative for name in layer.inputs)
    return inherits or layer.is_never_negative
