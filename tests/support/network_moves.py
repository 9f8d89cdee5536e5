"""Layers that move values and change none."""

from collections.abc import Sequence

import numpy as np

from support.network_base import Base, Pair
from support.tflite_builder import NONE


class Moves(Base):
    """Adds layers that move values."""

    def concat(self, sources: Sequence[int], axis: int = -1) -> int:
        """Add CONCATENATION along the last axis, or another one, numbered without the batch."""
        first = self.shapes[sources[0]]
        axis %= len(first)
        along = sum(self.shapes[source][axis] for source in sources)
        shape = (*first[:axis], along, *first[axis + 1 :])
        output = self.value(shape, self.quants[sources[0]])
        return self.builder.op(
            "CONCATENATION",
            list(sources),
            output,
            "ConcatenationOptions",
            axis=axis + 1,
            fusedActivationFunction=NONE,
        )

    def pack(self, sources: Sequence[int], axis: int) -> int:
        """Add PACK along a new axis, numbered without the batch."""
        first, count = self.shapes[sources[0]], len(sources)
        output = self.value((*first[:axis], count, *first[axis:]), self.quants[sources[0]])
        options = {"axis": axis + 1, "valuesCount": count}
        return self.builder.op("PACK", list(sources), output, "PackOptions", **options)

    def broadcast(self, source: int, shape: tuple[int, ...]) -> int:
        """Add BROADCAST_TO."""
        output = self.value(shape, self.quants[source])
        wanted = self.builder.constant(np.array((1, *shape), np.int32))
        return self.builder.op("BROADCAST_TO", [source, wanted], output, None)

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

    def resize_bilinear(
        self, source: int, size: Pair, align_corners: bool = False, half_pixel: bool = False
    ) -> int:
        output = self.value((*size, self.shapes[source][2]), self.quants[source])
        target = self.builder.constant(np.array(size, np.int32))
        return self.builder.op(
            "RESIZE_BILINEAR",
            [source, target],
            output,
            "ResizeBilinearOptions",
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

    def split(self, source: int, axis: int, sizes: Sequence[int], chosen: int = -1) -> int:
        """Add SPLIT, or SPLIT_V where sizes differ, along an axis; return the chosen part."""
        shape = self.shapes[source]
        quant = self.quants[source]
        made = [self.value((*shape[:axis], n, *shape[axis + 1 :]), quant) for n in sizes]
        along = self.builder.constant(np.array([axis + 1], np.int32))
        if len(set(sizes)) == 1:
            inputs, kind, options = [along, source], "SPLIT", "SplitOptions"
        else:
            listed = self.builder.constant(np.array(sizes, np.int32))
            inputs, kind, options = [source, listed, along], "SPLIT_V", "SplitVOptions"
        self.builder.op(kind, inputs, made[0], options, numSplits=len(sizes))
        self.builder.subgraph.operators[-1].outputs = made
        return made[chosen]

    def unpack(self, source: int, axis: int, chosen: int = -1) -> int:
        """Add UNPACK along an axis; return the chosen part, without that axis."""
        shape = self.shapes[source]
        count, rest = shape[axis], (*shape[:axis], *shape[axis + 1 :])
        made = [self.value(rest, self.quants[source]) for _ in range(count)]
        self.builder.op("UNPACK", [source], made[0], "UnpackOptions", num=count, axis=axis + 1)
        self.builder.subgraph.operators[-1].outputs = made
        return made[chosen]

    def gather(self, source: int, axis: int, indices: Sequence[int]) -> int:
        """Add GATHER of constant indices along an axis."""
        shape = self.shapes[source]
        output = self.value((*shape[:axis], len(indices), *shape[axis + 1 :]), self.quants[source])
        chosen = self.builder.constant(np.array(indices, np.int32))
        return self.builder.op(
            "GATHER", [source, chosen], output, "GatherOptions", axis=axis + 1, batchDims=0
        )

    def shuffle(self, source: int, groups: int) -> int:
        """Shuffle channels between groups as RESHAPE, TRANSPOSE, RESHAPE."""
        height, width, channels = self.shapes[source]
        step = self.reshape(source, (height, width, groups, channels // groups))
        step = self.transpose(step, (0, 1, 3, 2))
        return self.reshape(step, (height, width, channels))
