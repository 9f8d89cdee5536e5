"""What is being made of a network, a Keras model or a .tflite, and what its layers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgesq.formats.tflite.writer import NONE, RELU, RELU6, RELU_N1_TO_1, SAME, VALID, TfliteWriter
from edgesq.importers.net import Note
from edgesq.importers.network import NO_PADS, Clip, Layer, Network, Pads, Pair
from edgesq.importers.quants import Constant, Quant
from edgesq.importers.windows import same_pads


@dataclass(eq=False)
class KerasScope:
    """A Keras model in the making: symbolic values by the network's names, weights by layer."""

    network: Network
    values: dict[str, Any]
    weights: dict[str, list[Any]] = field(default_factory=dict)
    never_negative: set[str] = field(default_factory=set)
    problems: list[tuple[str, str, str]] = field(default_factory=list)

    def read(self, layer: Layer, position: int = 0) -> Any:
        """Return what a layer reads."""
        return self.values[layer.inputs[position]]

    def bordered(self, layer: Layer, pads: Pads, size: Pair, strides: Pair) -> tuple[Any, str]:
        """Return the input and Keras' padding mode; zeros are added before if no mode does it."""
        import keras

        source = self.read(layer)
        shape = self.network.shapes[layer.inputs[0]]
        if pads == NO_PADS:
            return source, "valid"
        if pads == same_pads(size, strides, (shape[1], shape[2])):
            return source, "same"
        border = ((pads[0], pads[1]), (pads[2], pads[3]))
        return keras.layers.ZeroPadding2D(border, name=f"{layer.name}_pad")(source), "valid"


class TfliteScope:
    """A .tflite being written from an int8 network.

    Attributes:
        network: where it comes from.
        writer: where it goes.
        index: tensors of the .tflite by the network's names.
        problems: what cannot be written, as `supported.refusal` wants it.
        notes: what was decided, for the report.
        beyond: bounds that no fused activation has, by the value that they bound.
        only_given: outputs that no layer reads.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.writer = TfliteWriter()
        self.index: dict[str, int] = {}
        self.problems: list[tuple[str, str, str]] = []
        self.notes: list[Note] = []
        self.beyond: dict[str, Clip] = {}
        is_one = len(network.inputs) == 1
        for place in network.inputs:
            label = "input/image" if is_one else place.onnx
            self.index[place.name] = self.value(place.name, self.quant(place.name), label)
        ends = {place.name for place in network.outputs}
        self.only_given = ends - {name for layer in network.layers for name in layer.inputs}

    def quant(self, name: str) -> Quant:
        """Return the quantization of a value."""
        return self.network.quants[name]

    def value(self, name: str, quant: Quant, label: str, shape: Sequence[int] = ()) -> int:
        """Add an activation with the shape of value `name`, or another."""
        extents = shape or self.network.shapes[name]
        return self.writer.value(extents, float(quant.scale[0]), int(quant.zero_point[0]), label)

    def made(self, layer: Layer, quant: Quant | None = None) -> int:
        """Add the output of a layer."""
        name = layer.output
        label = f"{layer.name}/{layer.kind}"
        self.index[name] = self.value(name, quant or self.quant(name), label)
        return self.index[name]

    def read(self, layer: Layer, position: int = 0) -> int:
        """Return the tensor that a layer reads."""
        return self.index[layer.inputs[position]]

    def rescaled(self, layer: Layer, position: int, quant: Quant) -> int:
        """Return an input as it is if it has this quantization, else requantized."""
        name = layer.inputs[position]
        if self.quant(name).same(quant):
            return self.index[name]
        made = self.value(name, quant, f"{layer.name}_rescale{position}/Requantize")
        return self.writer.op("QUANTIZE", [self.index[name]], made, "QuantizeOptions")

    def keep(
        self,
        layer: Layer,
        kind: str,
        inputs: Sequence[int],
        quant: Quant,
        options: str | None,
        **fields: Any,
    ) -> None:
        """Add an operator whose output has `quant`, and a QUANTIZE where the layer's differs."""
        if self.quant(layer.output).same(quant):
            self.writer.op(kind, inputs, self.made(layer), options, **fields)
            return
        raw = self.value(layer.output, quant, f"{layer.name}_raw/{layer.kind}")
        self.writer.op(kind, inputs, raw, options, **fields)
        self.writer.op("QUANTIZE", [raw], self.made(layer), "QuantizeOptions")

    def fused(self, layer: Layer, clip: Clip | None) -> int:
        """Return a fused activation as .tflite numbers it."""
        quant = self.quant(layer.output)
        if clip is None or covers(quant, clip):
            return NONE
        if clip[0] == 0 and covers(quant, (-np.inf, clip[1])):
            return RELU
        if clip == (0.0, 6.0):
            return RELU6
        if clip == (-1.0, 1.0):
            return RELU_N1_TO_1
        self.beyond[layer.output] = clip
        return NONE

    def bounded(self, layer: Layer) -> None:
        """Put MAXIMUM and MINIMUM behind a layer whose bounds no fused activation has."""
        clip = self.beyond.get(layer.output)
        if clip is None:
            return
        quant = self.quant(layer.output)
        scale, point = float(quant.scale[0]), int(quant.zero_point[0])
        for kind, bound, end in zip(("MAXIMUM", "MINIMUM"), clip, (-128, 127), strict=True):
            level = int(np.clip(np.round(bound / scale) + point, -128, 127))
            if level != end:
                label = f"{layer.name}/{kind.lower()}"
                limit = self.writer.constant(
                    np.full(1, level, np.int8), [scale], zero_point=point, name=label
                )
                made = self.value(layer.output, quant, f"{layer.name}_{kind.lower()}/{kind}")
                self.writer.op(kind, [self.index[layer.output], limit], made, None)
                self.index[layer.output] = made

    def bordered(self, layer: Layer, pads: Pads, size: Pair, strides: Pair) -> tuple[int, int]:
        """Return the input and .tflite's padding mode; a PAD is added before if no mode does it."""
        name = layer.inputs[0]
        shape = self.network.shapes[name]
        if pads == NO_PADS:
            return self.index[name], VALID
        if pads == same_pads(size, strides, (shape[1], shape[2])):
            return self.index[name], SAME
        padded = self.border(layer, pads)
        inputs = [self.index[name], self.amounts(pads, (0, 0))]
        return self.writer.op("PAD", inputs, padded, "PadOptions"), VALID

    def border(self, layer: Layer, pads: Pads) -> int:
        """Add a value as large as a layer's input with a border."""
        name = layer.inputs[0]
        batch, height, width, channels = self.network.shapes[name]
        shape = (batch, height + pads[0] + pads[1], width + pads[2] + pads[3], channels)
        return self.value(name, self.quant(name), f"{layer.name}_pad/Pad", shape)

    def amounts(self, pads: Pads, channels: Pair) -> int:
        """Add the constant [4, 2] that a PAD reads."""
        return self.writer.constant(np.array([(0, 0), pads[:2], pads[2:], channels], np.int32))

    def numbers(self, values: Sequence[int]) -> int:
        """Add int32 constants."""
        return self.writer.constant(np.array(values, np.int32))

    def operand(self, constant: Constant, label: str) -> int:
        """Add the constant of a sum or product in int8; floats get the finest symmetric scale."""
        if constant.quant is not None:
            offset = 128 if constant.quant.dtype == np.dtype(np.uint8) else 0
            values = (constant.values.astype(np.int16) - offset).astype(np.int8)
            scale = float(constant.quant.scale[0])
            point = int(constant.quant.zero_point[0]) - offset
            return self.writer.constant(values, [scale], zero_point=point, name=label)
        largest = float(np.abs(constant.values).max()) or 1.0
        scale = float(np.float32(largest / 127))
        values = np.clip(np.round(constant.values / scale), -127, 127).astype(np.int8)
        self.notes.append((f"a float constant became int8 in steps of {scale:.3g}", label))
        return self.writer.constant(values, [scale], name=label)


def covers(quant: Quant, clip: Clip) -> bool:
    """Say whether int8's range lies within a clip's bounds, so that the clip does nothing."""
    scale, point = float(quant.scale[0]), int(quant.zero_point[0])
    low, high = (np.round(bound / scale) + point for bound in clip)
    return bool(low <= -128 and high >= 127)
