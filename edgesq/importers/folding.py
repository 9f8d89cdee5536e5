"""Fold borders and batch normalizations into the convolution or dense layer beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from edgesq.importers.network import Layer, Network
from edgesq.importers.operators.binary import Affine
from edgesq.importers.operators.conv import Conv
from edgesq.importers.operators.dense import Dense
from edgesq.importers.operators.move import Pad
from edgesq.importers.quants import Constant


def folded(network: Network) -> Network:
    """Return the network without the layers that became part of a layer with weights.

    A border of zeros before a convolution becomes its padding; a batch normalization of what a
    convolution or dense layer gives becomes its weights and bias.
    """
    made: dict[str, Layer] = {}
    readers = Counter(name for layer in network.layers for name in layer.inputs)
    for output in network.outputs:
        readers[output.name] += 2  # what is behind the network reads it too
    for layer in network.layers:
        name = layer.inputs[0]
        last = made.get(name) if len(layer.inputs) == 1 and readers[name] == 1 else None
        if isinstance(last, Pad) and isinstance(layer, Conv) and _is_zeros(last):
            sides = (mine + more for mine, more in zip(layer.pads, last.pads, strict=True))
            top, bottom, left, right = sides
            del made[name]
            layer = replace(layer, inputs=last.inputs, pads=(top, bottom, left, right))
        elif isinstance(last, Conv | Dense) and isinstance(layer, Affine) and last.clip is None:
            del made[name]
            layer = _scaled(last, layer)
        made[layer.output] = layer
    return replace(network, layers=tuple(made.values()))


def _is_zeros(pad: Pad) -> bool:
    return pad.value == 0 and pad.channels == (0, 0)


def _scaled(layer: Conv | Dense, by: Affine) -> Conv | Dense:
    weights = layer.weights.real().astype(np.float64)
    factors = by.scale.astype(np.float64)
    bias = np.zeros(len(factors)) if layer.bias is None else layer.bias.real().astype(np.float64)
    shape = (-1, *[1] * (weights.ndim - 1))
    return replace(
        layer,
        output=by.output,
        weights=Constant((weights * factors.reshape(shape)).astype(np.float32)),
        bias=Constant((bias * factors + by.offset).astype(np.float32)),
    )
