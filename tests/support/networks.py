"""Write small int8 networks layer by layer, without TensorFlow."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgesq.integers import ceil_div
from support.odd_channels import FAR_BIAS, NOT_ODD, Odd, empty
from support.tflite_builder import NONE, SAME, VALID, TfliteBuilder

Pair = tuple[int, int]
Quant = tuple[float, int]
USUAL: Quant = (0.05, -5)
"""Scale and zero point of activations where nothing else is asked for."""
FINER, RECTIFIED = (0.0173, 17), (0.031, -128)


class Network:
    """A network in the making; activations are the builder's tensor indices."""

    def __init__(self, shape: tuple[int, ...], quant: Quant = USUAL, seed: int = 0) -> None:
        self.builder = TfliteBuilder()
        self.random = np.random.default_rng(seed)
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.quants: dict[int, Quant] = {}
        self.input = self.value(shape, quant)

    def value(self, shape: tuple[int, ...], quant: Quant) -> int:
        index = self.builder.value((1, *shape), *quant)
        self.shapes[index], self.quants[index] = shape, quant
        return index

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
    ) -> int:
        """Add a convolution whose outputs use the whole int8 range, but for odd channels."""
        shape = (channels, *kernel, self.shapes[source][2] // groups)
        taps = int(np.prod(shape[1:]))
        inputs = self._weighted(source, shape, channels, taps, quant, per_channel, bias, odd)
        output = self.value((*self.windows(source, kernel, stride, padding), channels), quant)
        return self.builder.op(
            "CONV_2D",
            inputs,
            output,
            "Conv2DOptions",
            padding=padding,
            strideH=stride[0],
            strideW=stride[1],
            dilationHFactor=1,
            dilationWFactor=1,
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
    ) -> int:
        """Add a depthwise convolution of `each` outputs per input channel."""
        channels = self.shapes[source][2] * each
        shape, taps = (1, *kernel, channels), kernel[0] * kernel[1]
        inputs = self._weighted(source, shape, channels, taps, quant, per_channel, bias)
        output = self.value((*self.windows(source, kernel, stride, padding), channels), quant)
        return self.builder.op(
            "DEPTHWISE_CONV_2D",
            inputs,
            output,
            "DepthwiseConv2DOptions",
            padding=padding,
            strideH=stride[0],
            strideW=stride[1],
            depthMultiplier=each,
            dilationHFactor=1,
            dilationWFactor=1,
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

    def add(self, one: int, two: int, quant: Quant = FINER, activation: int = NONE) -> int:
        return self.binary(one, two, "ADD", quant, activation)

    def binary(
        self, one: int, two: int, kind: str, quant: Quant = FINER, activation: int = NONE
    ) -> int:
        """Add ADD, SUB or MUL; one operand has the shape of the output."""
        shape = max(self.shapes[one], self.shapes[two], key=lambda s: (int(np.prod(s)), len(s)))
        return self.builder.op(
            kind,
            [one, two],
            self.value(shape, quant),
            f"{kind.capitalize()}Options",
            fusedActivationFunction=activation,
        )

    def by_constant(
        self,
        source: int,
        kind: str,
        shape: tuple[int, ...],
        constant: Quant,
        quant: Quant = FINER,
        activation: int = NONE,
        first: bool = False,
    ) -> int:
        """Add ADD, SUB or MUL whose second operand, or first, is a random constant."""
        operands = (source, self.constant(shape, constant))
        one, two = operands[::-1] if first else operands
        output = self.value(self.shapes[source], quant)
        options = f"{kind.capitalize()}Options"
        return self.builder.op(
            kind, [one, two], output, options, fusedActivationFunction=activation
        )

    def constant(self, shape: tuple[int, ...], quant: Quant = FINER) -> int:
        """Add a random constant operand, of exactly this shape."""
        values = self.random.integers(-128, 128, shape).astype(np.int8)
        index = self.builder.constant(np.asarray(values, np.int8), [quant[0]], zero_point=quant[1])
        self.shapes[index], self.quants[index] = shape, quant
        return index

    def unary(self, source: int, kind: str, quant: Quant = FINER, **fields: float) -> int:
        """Add an operator that takes each value by itself."""
        output = self.value(self.shapes[source], quant)
        options = "LeakyReluOptions" if fields else None
        return self.builder.op(kind, [source], output, options, **fields)

    def bound(self, source: int, kind: str, level: int) -> int:
        """Add MINIMUM or MAXIMUM by a level of the input's own scale."""
        quant = self.quants[source]
        values = np.array(level, np.int8)
        constant = self.builder.constant(values, [quant[0]], zero_point=quant[1])
        output = self.value(self.shapes[source], quant)
        return self.builder.op(kind, [source, constant], output, None)

    def concat(self, sources: Sequence[int]) -> int:
        first = self.shapes[sources[0]]
        channels = sum(self.shapes[source][-1] for source in sources)
        output = self.value((*first[:-1], channels), self.quants[sources[0]])
        return self.builder.op(
            "CONCATENATION",
            list(sources),
            output,
            "ConcatenationOptions",
            axis=len(first),
            fusedActivationFunction=NONE,
        )

    def mean(self, source: int, quant: Quant = FINER, keep: bool = False) -> int:
        return self._reduced(source, "MEAN", quant, keep)

    def global_max(self, source: int, keep: bool = False) -> int:
        return self._reduced(source, "REDUCE_MAX", self.quants[source], keep)

    def _reduced(self, source: int, kind: str, quant: Quant, keep: bool) -> int:
        *places, channels = self.shapes[source]
        output = self.value((*(1 for _ in places if keep), channels), quant)
        axes = self.builder.constant(np.arange(1, len(places) + 1, dtype=np.int32))
        return self.builder.op(kind, [source, axes], output, "ReducerOptions", keepDims=keep)

    def reshape(self, source: int, shape: tuple[int, ...]) -> int:
        output = self.value(shape, self.quants[source])
        target = self.builder.constant(np.array((1, *shape), np.int32))
        return self.builder.op(
            "RESHAPE", [source, target], output, "ReshapeOptions", newShape=[1, *shape]
        )

    def pad(self, source: int, pads: Sequence[Pair], fill: int | None = None) -> int:
        """Add PAD of pairs (before, after) of rows, columns and channels; PADV2 with a `fill`."""
        shape = tuple(
            before + extent + after
            for extent, (before, after) in zip(self.shapes[source], pads, strict=True)
        )
        quant = self.quants[source]
        output = self.value(shape, quant)
        inputs = [source, self.builder.constant(np.array([(0, 0), *pads], np.int32))]
        if fill is None:
            return self.builder.op("PAD", inputs, output, "PadOptions")
        value = self.builder.constant(np.array(fill, np.int8), [quant[0]], zero_point=quant[1])
        return self.builder.op("PADV2", [*inputs, value], output, "PadV2Options")

    def part(self, source: int, begin: tuple[int, ...], size: tuple[int, ...]) -> int:
        """Add SLICE; a size of -1 is all that is left."""
        shape = tuple(
            extent - first if count == -1 else count
            for extent, first, count in zip(self.shapes[source], begin, size, strict=True)
        )
        output = self.value(shape, self.quants[source])
        bounds = [
            self.builder.constant(np.array(part, np.int32)) for part in ((0, *begin), (1, *size))
        ]
        return self.builder.op("SLICE", [source, *bounds], output, "SliceOptions")

    def strided_slice(self, source: int, parts: Sequence[slice]) -> int:
        """Add STRIDED_SLICE of slices along rows, columns and channels."""
        shape = tuple(
            len(range(extent)[part])
            for extent, part in zip(self.shapes[source], parts, strict=True)
        )
        output = self.value(shape, self.quants[source])
        bounds = [
            (0, *(part.start or 0 for part in parts)),
            (1, *(part.stop or 0 for part in parts)),
            (1, *(part.step or 1 for part in parts)),
        ]
        constants = [self.builder.constant(np.array(bound, np.int32)) for bound in bounds]
        masks = [
            sum(1 << axis + 1 for axis, part in enumerate(parts) if getattr(part, name) is None)
            for name in ("start", "stop")
        ]
        return self.builder.op(
            "STRIDED_SLICE",
            [source, *constants],
            output,
            "StridedSliceOptions",
            beginMask=masks[0],
            endMask=masks[1],
        )

    def resize_nearest(
        self, source: int, size: Pair, align_corners: bool = False, half_pixel: bool = False
    ) -> int:
        output = self.value((*size, self.shapes[source][2]), self.quants[source])
        target = self.builder.constant(np.array(size, np.int32))
        return self.builder.op(
            "RESIZE_NEAREST_NEIGHBOR",
            [source, target],
            output,
            "ResizeNearestNeighborOptions",
            alignCorners=align_corners,
            halfPixelCenters=half_pixel,
        )

    def upsample(self, source: int, times: Pair) -> int:
        """Repeat every row and column as Keras' UpSampling2D does, by way of five axes."""
        height, width, channels = self.shapes[source]
        down, across = times
        step = self.reshape(source, (height, 1, width, channels))
        step = self.tile(step, (1, down, 1, 1))
        step = self.reshape(step, (height * down, width, 1, channels))
        step = self.tile(step, (1, 1, across, 1))
        return self.reshape(step, (height * down, width * across, channels))

    def tile(self, source: int, times: tuple[int, ...]) -> int:
        """Repeat the whole map along each axis."""
        shape = [extent * many for extent, many in zip(self.shapes[source], times, strict=True)]
        output = self.value(tuple(shape), self.quants[source])
        many = self.builder.constant(np.array((1, *times), np.int32))
        return self.builder.op("TILE", [source, many], output, None)

    def transpose(self, source: int, axes: tuple[int, ...]) -> int:
        """Move axes, numbered without the batch."""
        shape = tuple(self.shapes[source][axis] for axis in axes)
        output = self.value(shape, self.quants[source])
        order = self.builder.constant(np.array((0, *(axis + 1 for axis in axes)), np.int32))
        return self.builder.op("TRANSPOSE", [source, order], output, "TransposeOptions")

    def pixel_shuffle(self, source: int, block: int) -> int:
        """DEPTH_TO_SPACE as RESHAPE, TRANSPOSE, RESHAPE."""
        height, width, channels = self.shapes[source]
        depth = channels // block**2
        step = self.reshape(source, (height, width, block, block, depth))
        step = self.transpose(step, (0, 2, 1, 3, 4))
        return self.reshape(step, (height * block, width * block, depth))

    def space_to_depth(self, source: int, block: int) -> int:
        height, width, channels = self.shapes[source]
        shape = (height // block, width // block, channels * block * block)
        output = self.value(shape, self.quants[source])
        return self.builder.op(
            "SPACE_TO_DEPTH", [source], output, "SpaceToDepthOptions", blockSize=block
        )

    def depth_to_space(self, source: int, block: int) -> int:
        height, width, channels = self.shapes[source]
        shape = (height * block, width * block, channels // (block * block))
        output = self.value(shape, self.quants[source])
        return self.builder.op(
            "DEPTH_TO_SPACE", [source], output, "DepthToSpaceOptions", blockSize=block
        )

    def softmax(self, source: int, beta: float = 1.0) -> int:
        output = self.value(self.shapes[source], (1 / 256, -128))
        return self.builder.op("SOFTMAX", [source], output, "SoftmaxOptions", beta=beta)

    def windows(self, source: int, size: Pair, stride: Pair, padding: int) -> Pair:
        height, width = (
            ceil_div(extent, step) if padding == SAME else (extent - kernel) // step + 1
            for extent, kernel, step in zip(self.shapes[source], size, stride, strict=False)
        )
        return height, width

    def build(self, output: int) -> bytes:
        return self.builder.build(self.input, output)


def images(shape: tuple[int, ...], count: int = 3, seed: int = 0) -> NDArray[np.int8]:
    """Return int8 [count + 2, H, W, C]: noise, then the darkest and the brightest image."""
    noise = np.random.default_rng(seed).integers(-128, 128, (count, *shape)).astype(np.int8)
    return np.concatenate([noise, np.full((1, *shape), -128), np.full((1, *shape), 127)]).astype(
        np.int8
    )
