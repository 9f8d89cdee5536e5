"""Build a Keras model from a float network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgesq.errors import ModelError
from edgesq.importers.network import Layer, Network
from edgesq.importers.operators.table import KERAS
from edgesq.importers.scopes import KerasScope
from edgesq.importers.supported import refusal
from edgesq.quantize import captured_output, one_or

if TYPE_CHECKING:
    import keras


def build_keras(network: Network, name: str, where: str) -> keras.Model:
    """Return a Keras model that computes the same.

    Its input is [None, H, W, C], or [None, C] beside others. Of several inputs each is called as
    in ONNX, as far as Keras allows.

    Raises:
        ModelError: layers that Keras cannot express, all of which are named, or too many of them.
    """
    with captured_output():
        import keras

        sources = [
            keras.Input(network.shapes[place.name][1:], name=label)
            for place, label in zip(network.inputs, _input_names(network), strict=True)
        ]
        names = [place.name for place in network.inputs]
        scope = KerasScope(network, dict(zip(names, sources, strict=True)))
        for layer in network.layers:
            scope.values[layer.output] = KERAS[type(layer)](scope, layer)
            if _is_never_negative(scope, layer):
                scope.never_negative.add(layer.output)
        if scope.problems:
            raise refusal(scope.problems, where)
        try:
            results = [scope.values[place.name] for place in network.outputs]
            model = keras.Model(one_or(sources), one_or(results), name=name)
        except RecursionError as error:  # Keras walks from the result to the image
            what = f"{len(network.layers):,} layers behind each other are too many for Keras"
            raise ModelError(what, where=where) from error
    for layer_name, weights in scope.weights.items():
        model.get_layer(layer_name).set_weights(weights)
    return model


def _input_names(network: Network) -> list[str]:
    if len(network.inputs) == 1:
        return ["image"]
    taken = {layer.name for layer in network.layers}
    names: list[str] = []
    for place in network.inputs:
        name = place.onnx.replace("/", "_")
        while name in taken:
            name += "_input"
        names.append(name)
        taken.add(name)
    return names


def _is_never_negative(scope: KerasScope, layer: Layer) -> bool:
    inherits = layer.keeps_sign and all(name in scope.never_negative for name in layer.inputs)
    return inherits or layer.is_never_negative
