"""Layers of random networks that move values."""

from collections.abc import Callable

from hypothesis import strategies as st

from support.random_sketch import MAX_CHANNELS, MAX_EXTENT, Sketch, fits
from support.tflite_builder import VALID

_ONE_RULE = [(False, False), (True, False), (False, True)]
"""Corners that lie on each other, centers of pixels that do."""


def _concat(sketch: Sketch, source: int) -> None:
    beside = st.sampled_from(sketch.joinable(source))
    others = sketch.draw(st.lists(beside, min_size=1, max_size=2))
    order = sketch.draw(st.permutations([source, *others]))
    if sum(sketch.net.shapes[one][-1] for one in order) <= MAX_CHANNELS:
        sketch.add("concat", order)


def _concat_along(sketch: Sketch, source: int) -> None:
    """Put maps one below the other, or beside each other; the others are parts of any size."""
    shape, axis = sketch.shape(source), sketch.number(0, 1)
    if shape is None:
        return
    begin, size = [0, 0, 0], list(shape)
    size[axis] = sketch.number(1, shape[axis])
    sketch.add("part", [source], tuple(begin), tuple(size))
    part = sketch.made[-1]
    if sketch.one_of(True, False):
        quant, channels = sketch.net.quants[source], shape[2]
        sketch.add("conv", [part], channels, (1, 1), (1, 1), VALID, quant=quant)
        part = sketch.made[-1]
    order = sketch.draw(st.permutations([source, part]))
    grown = list(shape)
    grown[axis] += size[axis]
    if fits(grown[0], grown[1], grown[2]):
        sketch.add("concat", order, axis)


def _pack(sketch: Sketch, source: int) -> None:
    shape, axis = sketch.shape(source), sketch.number(0, 2)
    if shape is None or shape[0] != 1:
        return
    sketch.add("reshape", [source], shape[1:])
    row, packed = sketch.made[-1], [*shape[1:]]
    packed.insert(axis, 2)
    if fits(packed[0], packed[1], packed[2]):
        sketch.add("pack", [row, row], axis)


def _broadcast(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape and 1 in shape:
        grown = tuple(sketch.number(1, 5) if extent == 1 else extent for extent in shape)
        if fits(grown[0], grown[1], grown[2]):
            sketch.add("broadcast", [source], grown)


def _reshape(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape is None:
        known = sketch.net.shapes[source]
        sketch.add("reshape", [source], (*(1,) * (3 - len(known)), *known))
        return
    height, width, channels = shape
    values = height * width * channels
    shapes = [(height, width, channels), (width, height, channels), (channels, height, width)]
    shapes += [(1, 1, values), (height * width, 1, channels)]
    sketch.add("reshape", [source], sketch.draw(st.sampled_from(shapes)))


def _pad(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape is None:
        return
    sides = st.tuples(st.integers(0, 3), st.integers(0, 3))
    pads = [sketch.draw(sides), sketch.draw(sides), sketch.draw(st.sampled_from([(0, 0), (1, 2)]))]
    if fits(*(extent + sum(pair) for extent, pair in zip(shape, pads, strict=True))):
        sketch.add("pad", [source], pads, sketch.one_of(None, -128, 9))


def _padded_conv(sketch: Sketch, source: int) -> None:
    """Add a PAD that a convolution, or a max pool, can take into its window."""
    shape = sketch.shape(source)
    if shape is None:
        return
    sides = st.tuples(st.integers(0, 2), st.integers(0, 2))
    pads = [sketch.draw(sides), sketch.draw(sides), (0, 0)]
    sketch.add("pad", [source], pads)
    size = (min(3, shape[0] + sum(pads[0])), min(3, shape[1] + sum(pads[1])))
    stride = sketch.draw(st.sampled_from([(1, 1), (2, 2)]))
    kind = sketch.one_of("conv", "depthwise", "max_pool")
    rest = (sketch.channels(),) if kind == "conv" else ()
    sketch.add(
        str(kind), [sketch.made[-1]], *rest, size, stride, VALID, activation=sketch.activation()
    )


def _slice(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape is None:
        return
    begin = tuple(sketch.number(0, extent - 1) for extent in shape)
    left = zip(shape, begin, strict=True)
    size = tuple(sketch.number(1, extent - first) for extent, first in left)
    sketch.add("part", [source], begin, size)


def _strided_slice(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape is None:
        return
    parts = []
    for extent in shape:
        first = sketch.number(0, extent - 1)
        end = sketch.draw(st.sampled_from([None, extent, first + 1]))
        parts.append(slice(first or None, end, sketch.number(1, 3)))
    sketch.add("strided_slice", [source], parts)


def _resize(method: str, rules: list[tuple[bool, bool]]) -> Callable[[Sketch, int], None]:
    def add(sketch: Sketch, source: int) -> None:
        shape = sketch.shape(source)
        size = (sketch.number(1, MAX_EXTENT), sketch.number(1, MAX_EXTENT))
        if shape and fits(*size, shape[2]):
            sketch.add(method, [source], size, *sketch.draw(st.sampled_from(rules)))

    return add


def _space_to_depth(sketch: Sketch, source: int) -> None:
    height, width, channels = sketch.shape(source) or (1, 1, MAX_CHANNELS)
    sizes = [n for n in (2, 3, 1) if height % n == width % n == 0 and fits(1, 1, channels * n * n)]
    if sketch.shape(source) and sizes:
        sketch.add("space_to_depth", [source], sketch.one_of(*sizes))


def _depth_to_space(sketch: Sketch, source: int) -> None:
    height, width, channels = sketch.shape(source) or (1, 1, 1)
    sizes = [n for n in (2, 3, 1) if channels % (n * n) == 0 and fits(height * n, width * n, 1)]
    if sketch.shape(source) and sizes:
        sketch.add("depth_to_space", [source], sketch.one_of(*sizes))


def _upsample(sketch: Sketch, source: int) -> None:
    shape, times = sketch.shape(source), (sketch.number(1, 3), sketch.number(1, 3))
    if shape and fits(shape[0] * times[0], shape[1] * times[1], shape[2]):
        sketch.add("upsample", [source], times)


def _tile(sketch: Sketch, source: int) -> None:
    shape, times = sketch.shape(source), (sketch.number(1, 3), sketch.number(1, 3), 1)
    if shape and fits(shape[0] * times[0], shape[1] * times[1], shape[2]):
        sketch.add("tile", [source], times)


def _split(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    axis = sketch.number(0, 2)
    if shape and shape[axis] > 1:
        counts = [n for n in (2, 3, 4) if shape[axis] % n == 0] or [shape[axis]]
        count = sketch.draw(st.sampled_from(counts))
        sizes = [shape[axis] // count] * count
        sketch.add("split", [source], axis, sizes, sketch.number(0, count - 1))


def _split_v(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    axis = sketch.number(0, 2)
    if shape and shape[axis] > 2:
        first = sketch.number(1, (shape[axis] - 1) // 2)
        sizes = [first, shape[axis] - first]
        sketch.add("split", [source], axis, sizes, sketch.number(0, 1))


def _unpack(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    axis = sketch.number(0, 2)
    if shape:
        sketch.add("unpack", [source], axis, sketch.number(0, shape[axis] - 1))
        (one, two) = sketch.net.shapes[sketch.made[-1]]
        sketch.add("reshape", sketch.made[-1:], (1, one, two))


def _gather(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    axis = sketch.number(0, 2)
    if shape:
        index = st.integers(0, shape[axis] - 1)
        indices = sketch.draw(st.lists(index, min_size=1, max_size=shape[axis]))
        sketch.add("gather", [source], axis, indices)


def _shuffle(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape:
        groups = [n for n in (2, 3, 4) if shape[2] % n == 0]
        if groups:
            sketch.add("shuffle", [source], sketch.draw(st.sampled_from(groups)))


def _transpose(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    order = sketch.draw(st.permutations(range(3)))
    if shape and max(shape[axis] for axis in order[2:]) <= MAX_CHANNELS:
        sketch.add("transpose", [source], tuple(order))


MOVE_LAYERS: dict[str, Callable[[Sketch, int], None]] = {
    "BROADCAST_TO": _broadcast,
    "CONCATENATION": _concat,
    "CONCATENATION of rows or columns": _concat_along,
    "PACK": _pack,
    "RESHAPE": _reshape,
    "PAD": _pad,
    "PAD before windows": _padded_conv,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "RESIZE_NEAREST_NEIGHBOR": _resize("resize_nearest", [*_ONE_RULE, (True, True)]),
    "RESIZE_BILINEAR": _resize("resize_bilinear", _ONE_RULE),
    "SPACE_TO_DEPTH": _space_to_depth,
    "DEPTH_TO_SPACE": _depth_to_space,
    "RESHAPE and TILE": _upsample,
    "TILE": _tile,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "UNPACK": _unpack,
    "GATHER": _gather,
    "channel shuffle": _shuffle,
    "TRANSPOSE": _transpose,
}
