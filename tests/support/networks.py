"""Write small int8 networks layer by layer, without TensorFlow."""

from collections.abc import Sequence

import numpy as np

from edgesq.graph import Int8Array
from support.network_base import FINER, RECTIFIED, USUAL, Pair, Quant
from support.network_moves import Moves
from support.network_sequences import Sequences
from support.network_values import Values
from support.odd_channels import FAR_BIAS, NOT_ODD, Odd, empty
from support.tflite_builder import NONE, SAME, VALID

__all__ = ["FINER", "RECTIFIED", "USUAL", "Network", "Pair", "Quant", "images"]


class Network(Values, Moves, Sequences):
    """A network in the making; activations are the builder's tensor indices."""

    def conv(
        self,
        source: int,
        channels: int,
        kernel: Pair = (1, 1),
        stride: Pair = (1, 1),
        padding: int = SAME,
        activation: int = NONE,
        quant: Quant = USUAL,
        per_channel: bool = True,
        bias: bool = True,
        groups: int = 1,
        odd: Odd = NOT_ODD,
        dilation: Pair = (1, 1),
    ) -> int:
        """Add a convolution whose outputs use the whole int8 range, but for odd channels."""
        weights = (channels, *kernel, self.shapes[source][2] // groups)
        taps = int(np.prod(weights[1:]))
        inputs = self._weighted(source, weights, channels, taps, quant, per_channel, bias, odd)
        shape = self.windows(source, kernel, stride, padding, dilation)
        output = self.value((*shape, channels), quant)
        return self.builder.op(
            "CONV_2D",
            inputs,
            output,
            "Conv2DOptions",
            padding=padding,
            strideH=stride[0],
            strideW=stride[1],
            dilationHFactor=dilation[0],
            dilationWFactor=dilation[1],
            fusedActivationFunction=activation,
        )

    def depthwise(
        self,
        source: int,
        kernel: Pair = (3, 3),
        stride: Pair = (1, 1),
        padding: int = SAME,
        activation: int = NONE,
        quant: Quant = USUAL,
        each: int = 1,
        per_channel: bool = True,
        bias: bool = True,
        dilation: Pair = (1, 1),
    ) -> int:
        """Add a depthwise convolution of `each` outputs per input channel."""
        channels = self.shapes[source][2] * each
        weights, taps = (1, *kernel, channels), kernel[0] * kernel[1]
        inputs = self._weighted(source, weights, channels, taps, quant, per_channel, bias)
        shape = self.windows(source, kernel, stride, padding, dilation)
        output = self.value((*shape, channels), quant)
        return self.builder.op(
            "DEPTHWISE_CONV_2D",
            inputs,
            output,
            "DepthwiseConv2DOptions",
            padding=padding,
            strideH=stride[0],
            strideW=stride[1],
            depthMultiplier=each,
            dilationHFactor=dilation[0],
            dilationWFactor=dilation[1],
            fusedActivationFunction=activation,
        )

    def between_batches(
        self,
        source: int,
        channels: int,
        kernel: Pair,
        dilation: Pair,
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
        kind: str = "conv",
    ) -> int:
        """Add a dilated convolution as older converters write it, padded before and behind."""
        height, width, depth = self.shapes[source]
        sides = (pads[:2], pads[2:])
        tall = [
            -(height + sum(pads[:2])) % dilation[0],
            -(width + sum(pads[2:])) % dilation[1],
        ]
        amounts = [(one, two + more) for (one, two), more in zip(sides, tall, strict=True)]
        blocks = dilation[0] * dilation[1]
        rows, columns = (
            (extent + sum(pair)) // by
            for extent, pair, by in zip((height, width), amounts, dilation, strict=True)
        )
        apart = self.value((rows, columns, depth), self.quants[source])
        tensors = self.builder.subgraph.tensors
        tensors[apart].shape = [blocks, rows, columns, depth]
        numbers = [self.builder.constant(np.array(one, np.int32)) for one in (dilation, amounts)]
        self.builder.op("SPACE_TO_BATCH_ND", [source, *numbers], apart, None)
        made = (
            self.depthwise(apart, kernel, padding=VALID)
            if kind == "depthwise"
            else self.conv(apart, channels, kernel, padding=VALID)
        )
        tensors[made].shape = [blocks, *self.shapes[made]]
        crops = [(0, more) for more in tall]
        shape = [
            extent * by - more
            for extent, by, more in zip(self.shapes[made], dilation, tall, strict=False)
        ]
        result = self.value((*shape, self.shapes[made][2]), self.quants[made])
        ends = [self.builder.constant(np.array(one, np.int32)) for one in (dilation, crops)]
        return self.builder.op("BATCH_TO_SPACE_ND", [made, *ends], result, None)

    def transpose_conv(
        self,
        source: int,
        channels: int,
        kernel: Pair = (3, 3),
        stride: Pair = (2, 2),
        padding: int = SAME,
        activation: int = NONE,
        quant: Quant = USUAL,
        per_channel: bool = True,
        bias: bool = True,
        more: Pair = (0, 0),
    ) -> int:
        """Add a TRANSPOSE_CONV, with so many more rows and columns as fit the padding."""
        height, width, depth = self.shapes[source]
        size = [
            extent * by if padding == SAME else (extent - 1) * by + taps
            for extent, by, taps in zip((height, width), stride, kernel, strict=True)
        ]
        shape = (size[0] + more[0], size[1] + more[1], channels)
        weights, taps = (channels, *kernel, depth), int(np.prod(kernel)) * depth
        inputs = self._weighted(source, weights, channels, taps, quant, per_channel, bias)
        output = self.value(shape, quant)
        wanted = self.builder.constant(np.array((1, *shape), np.int32))
        return self.builder.op(
            "TRANSPOSE_CONV",
            [wanted, inputs[1], source, *inputs[2:]],
            output,
            "TransposeConvOptions",
            padding=padding,
            strideH=stride[0],
            strideW=stride[1],
            fusedActivationFunction=activation,
        )

    def dense(
        self,
        source: int,
        channels: int,
        activation: int = NONE,
        quant: Quant = USUAL,
        per_channel: bool = True,
        bias: bool = True,
        keep: bool = False,
    ) -> int:
        """Add a FULLY_CONNECTED over all values, or over the channels of each pixel: `keep`."""
        shape = self.shapes[source]
        values = shape[-1] if keep else int(np.prod(shape))
        shape_of = (channels, values)
        inputs = self._weighted(source, shape_of, channels, values, quant, per_channel, bias)
        output = self.value((*shape[:-1], channels) if keep else (channels,), quant)
        return self.builder.op(
            "FULLY_CONNECTED",
            inputs,
            output,
            "FullyConnectedOptions",
            keepNumDims=keep,
            fusedActivationFunction=activation,
        )

    def _weighted(
        self,
        source: int,
        shape: tuple[int, ...],
        channels: int,
        taps: int,
        quant: Quant,
        per_channel: bool,
        bias: bool,
        odd: Odd = NOT_ODD,
    ) -> list[int]:
        """Return the inputs of an operator with weights of `shape`, so many taps per output."""
        weights = self.random.integers(-127, 128, shape).astype(np.int8)
        empty(weights, odd)
        level = 70 * 70 * np.sqrt(taps)
        scale = 50 * quant[0] / (level * self.quants[source][0])
        spread = self.random.uniform(0.5, 2, channels) if per_channel else np.ones(1)
        scales = (scale * spread).tolist()
        axis = 0 if shape[0] == channels else 3
        inputs = [source, self.builder.constant(weights, scales, axis)]
        if bias:
            values = self.random.integers(-int(level), int(level), channels).astype(np.int32)
            values[list(odd[2])] = FAR_BIAS
            inputs.append(
                self.builder.constant(values, [n * self.quants[source][0] for n in scales])
            )
        return inputs

    def max_pool(
        self, source: int, size: Pair, stride: Pair, padding: int = VALID, activation: int = NONE
    ) -> int:
        return self._pool("MAX_POOL_2D", source, size, stride, padding, activation)

    def average_pool(
        self, source: int, size: Pair, stride: Pair, padding: int = VALID, activation: int = NONE
    ) -> int:
        return self._pool("AVERAGE_POOL_2D", source, size, stride, padding, activation)

    def _pool(
        self, kind: str, source: int, size: Pair, stride: Pair, padding: int, activation: int
    ) -> int:
        shape = self.windows(source, size, stride, padding)
        output = self.value((*shape, self.shapes[source][2]), self.quants[source])
        return self.builder.op(
            kind,
            [source],
            output,
            "Pool2DOptions",
            padding=padding,
            strideH=stride[0],
            strideW=stride[1],
            filterHeight=size[0],
            filterWidth=size[1],
            fusedActivationFunction=activation,
        )

    def mean(self, source: int, quant: Quant = FINER, keep: bool = False) -> int:
        return self._reduced(source, "MEAN", quant, keep)

    def global_max(self, source: int, keep: bool = False) -> int:
        return self._reduced(source, "REDUCE_MAX", self.quants[source], keep)

    def reduce(
        self,
        source: int,
        kind: str,
        axes: Sequence[int],
        quant: Quant | None = None,
        keep: bool = False,
    ) -> int:
        """Add MEAN, SUM, REDUCE_MAX or REDUCE_MIN along axes, numbered without the batch."""
        kept = [(axis, n) for axis, n in enumerate(self.shapes[source]) if keep or axis not in axes]
        shape = [1 if axis in axes else extent for axis, extent in kept]
        output = self.value(tuple(shape), quant or self.quants[source])
        listed = self.builder.constant(np.array([axis + 1 for axis in axes], np.int32))
        return self.builder.op(kind, [source, listed], output, "ReducerOptions", keepDims=keep)

    def _reduced(self, source: int, kind: str, quant: Quant, keep: bool) -> int:
        *places, channels = self.shapes[source]
        output = self.value((*(1 for _ in places if keep), channels), quant)
        axes = self.builder.constant(np.arange(1, len(places) + 1, dtype=np.int32))
        return self.builder.op(kind, [source, axes], output, "ReducerOptions", keepDims=keep)


def images(
    shape: tuple[int, ...],
    count: int = 3,
    seed: int = 0,
    dtype: type[np.int8] | type[np.int16] = np.int8,
) -> Int8Array:
    """Return [count + 2, H, W, C]: noise, then the darkest and the brightest image."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    noise = np.random.default_rng(seed).integers(low, high + 1, (count, *shape))
    ends = [np.full((1, *shape), end) for end in (low, high)]
    return np.concatenate([noise, *ends]).astype(dtype)
