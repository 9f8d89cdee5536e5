"""Transposed convolutions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from edgesq.formats.tflite.writer import SAME, VALID
from edgesq.importers.lowering import Lowering, Taken, UnsupportedError
from edgesq.importers.net import Node
from edgesq.importers.network import Clip, Pair, Weighted
from edgesq.importers.operators.tables import KerasMakers, OnnxOperators, TfliteWriters
from edgesq.importers.quants import Constant
from edgesq.importers.scopes import KerasScope, TfliteScope
from edgesq.importers.weights import bias, int8_weights, kernel
from edgesq.integers import ceil_div


@dataclass(frozen=True, eq=False)
class ConvTranspose(Weighted):
    """Transposed convolution with weights [O, H, W, I] and bias [O].

    Attributes:
        strides: of the output, from one input pixel to the next.
        image, output: rows and columns of input and output.
        begin: rows and columns of what all taps make that are left out before the output.
        clip: fused activation.
    """

    kind: ClassVar[str] = "ConvTranspose"
    strides: Pair
    image: Pair
    output_size: Pair
    begin: Pair
    clip: Clip | None = None

    @property
    def whole(self) -> Pair:
        """Rows and columns that all taps make, and what of the output lies behind them."""
        made = [
            max((extent - 1) * by + taps, first + wanted)
            for extent, by, taps, first, wanted in self._axes()
        ]
        return made[0], made[1]

    @property
    def is_same(self) -> bool:
        """Whether TensorFlow's SAME leaves out as much before the output and behind it."""
        return all(
            (total := (extent - 1) * by + taps - wanted) >= 0
            and first == total // 2
            and ceil_div(wanted, by) == extent
            for extent, by, taps, first, wanted in self._axes()
        )

    def _axes(self) -> Any:
        size = self.weights.values.shape[1:3]
        parts = (self.image, self.strides, size, self.begin, self.output_size)
        return zip(*parts, strict=True)


def _conv_transpose(lowering: Lowering, node: Node) -> None:
    node = lowering.planar(node)
    weights = lowering.needs_constant(node, 1)
    source, axes = lowering.nchw(node)
    if weights.values.ndim == 3:
        weights = replace(weights, values=weights.values[:, :, np.newaxis])
    if int(node.attributes.get("group", 1)) != 1:
        raise UnsupportedError("ConvTranspose in groups", "use one group, or Resize and a Conv")
    if node.pair("dilations") != (1, 1):
        raise UnsupportedError("ConvTranspose with dilations", "use dilation 1")
    image, output = lowering.extents(node)
    ohwi = weights.values.transpose(1, 2, 3, 0)
    quant = weights.quant
    if quant is not None and len(quant.scale) > 1:
        quant = replace(quant, axis=0)
    strides, size = node.pair("strides"), (ohwi.shape[1], ohwi.shape[2])
    layer = ConvTranspose(
        node.name,
        (source.name,),
        node.output,
        Constant(ohwi, quant),
        lowering.optional_constant(node, 2),
        strides,
        image,
        output,
        _begin(node, image, output, strides, size),
        node.clip,
    )
    more = (
        made - (extent - 1) * by - taps
        for made, extent, by, taps in zip(layer.whole, image, strides, size, strict=True)
    )
    if any(beyond >= by for beyond, by in zip(more, strides, strict=True)):
        raise UnsupportedError(f"ConvTranspose to {list(output)}", "use less output_padding")
    lowering.emit_map(layer, (1, *output, ohwi.shape[0]), axes)


def _begin(node: Node, image: Pair, output: Pair, strides: Pair, size: Pair) -> Pair:
    """Return rows and columns left out before the output."""
    auto, found = node.attributes.get("auto_pad", "NOTSET"), []
    more = node.attributes.get("output_padding", (0, 0))
    for axis in range(2):
        total = (image[axis] - 1) * strides[axis] + more[axis] + size[axis] - output[axis]
        first = total // 2 if auto == "SAME_UPPER" else total - total // 2
        if auto == "NOTSET" and "output_shape" not in node.attributes:
            first = int(node.attributes.get("pads", (0, 0))[axis])
        if auto == "VALID" or first < 0:
            first = max(first, 0) if auto != "VALID" else 0
        found.append(first)
    return found[0], found[1]


def _to_keras(scope: KerasScope, layer: ConvTranspose) -> Any:
    import keras

    weights = layer.weights.real()
    outputs, height, width, _ = weights.shape
    added = [] if layer.bias is None else [layer.bias.real().reshape(-1)]
    scope.weights[layer.name] = [weights.transpose(1, 2, 0, 3), *added]
    whole = [
        (extent - 1) * by + taps
        for extent, by, taps in zip(layer.image, layer.strides, (height, width), strict=True)
    ]
    more = tuple(made - all_taps for made, all_taps in zip(layer.whole, whole, strict=True))
    made = keras.layers.Conv2DTranspose(
        outputs,
        (height, width),
        layer.strides,
        output_padding=more if any(more) else None,
        use_bias=layer.bias is not None,
        name=layer.name,
    )(scope.read(layer))
    top, left = layer.begin
    rows, columns = layer.output_size
    return made[:, top : top + rows, left : left + columns]


def _write(scope: TfliteScope, layer: ConvTranspose) -> None:
    """Add a TRANSPOSE_CONV, and a STRIDED_SLICE where more is left out than SAME does."""
    weights = int8_weights(scope, layer)
    outputs, rows, columns = len(weights.values), *layer.output_size
    is_whole = layer.begin == (0, 0) and layer.whole == layer.output_size
    is_cut = not (layer.is_same or is_whole)
    size = layer.whole if is_cut else layer.output_size
    shape, activation = (1, *size, outputs), scope.fused(layer, layer.clip)
    made = (
        scope.value(layer.output, scope.quant(layer.output), f"{layer.name}_all/Conv", shape)
        if is_cut
        else scope.made(layer)
    )
    scope.writer.op(
        "TRANSPOSE_CONV",
        [
            scope.numbers(shape),
            kernel(scope, layer, weights, 0),
            scope.read(layer),
            bias(scope, layer, weights),
        ],
        made,
        "TransposeConvOptions",
        padding=SAME if layer.is_same else VALID,
        strideH=layer.strides[0],
        strideW=layer.strides[1],
        fusedActivationFunction=activation,
    )
    if is_cut:
        top, left = layer.begin
        begin, end = (0, top, left, 0), (1, top + rows, left + columns, outputs)
        ends = [scope.numbers(values) for values in (begin, end, (1, 1, 1, 1))]
        scope.writer.op("STRIDED_SLICE", [made, *ends], scope.made(layer), "StridedSliceOptions")


ONNX: OnnxOperators = {"ConvTranspose": Taken(_conv_transpose, takes_clip=True, is_nchw=True)}
KERAS: KerasMakers = {ConvTranspose: _to_keras}
TFLITE: TfliteWriters = {ConvTranspose: _write}
