"""Random small networks of every operator, each with the Python that makes it.

A layer is one entry of LAYERS: it is given a sketch and a tensor, and adds an operator that reads
it, or does nothing where the tensor does not suit it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from support.networks import FINER, RECTIFIED, USUAL, Network, Quant
from support.odd_channels import odd_conv
from support.random_values import VALUE_LAYERS
from support.tflite_builder import NONE, RELU, RELU6, SAME, VALID

MAX_EXTENT, MAX_CHANNELS, MAX_VALUES = 14, 24, 1_000
"""Of one activation."""
MAX_LAYERS = 7
BANDS = (1, 2, 3, 1000)
"""Rows per step that a graph is planned with."""


@dataclass(frozen=True)
class Drawn:
    """A network, the function that makes it (for tests/support/cases.py), and rows per step.

    Attributes:
        layers: entries of LAYERS that it has.
    """

    content: bytes
    source: str
    band: int
    layers: frozenset[str] = frozenset()


class Sketch:
    """A network in the making that notes how it is made.

    Attributes:
        net: the network.
        made: its tensors, in order.
        layers: entries of LAYERS that added something.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        extents, channels = st.integers(1, 9), st.sampled_from([1, 2, 3, 4, 8, 16])
        shape = (draw(extents), draw(extents), draw(channels))
        quant, number = self.quant(), draw(st.integers(0, 9))
        self.net = Network(shape, quant, number)
        self.made = [self.net.input]
        self.layers: set[str] = set()
        self.lines = [f"net = Network({shape}, {quant}, {number})"]
        self.names = {self.net.input: "net.input"}

    def add(self, method: str, sources: Sequence[int], *rest: object, **options: object) -> None:
        """Call a method of the network; `concat` takes its sources as a list."""
        first: list[object] = [list(sources)] if method == "concat" else list(sources)
        result = getattr(self.net, method)(*first, *rest, **options)
        names = ", ".join(self.names[source] for source in sources)
        words = [f"[{names}]" if method == "concat" else names, *map(repr, rest)]
        words += [f"{name}={value!r}" for name, value in options.items()]
        self.names[result] = f"t{len(self.made)}"
        self.lines.append(f"{self.names[result]} = net.{method}({', '.join(words)})")
        self.made.append(result)

    def drawn(self) -> Drawn:
        """Return the network whose output is the last tensor."""
        body = "\n".join(f"    {line}" for line in self.lines)
        last = self.made[-1]
        source = (
            f"@network\ndef found() -> bytes:\n{body}\n    return net.build({self.names[last]})\n"
        )
        band = self.draw(st.sampled_from(BANDS))
        return Drawn(self.net.build(last), source, band, frozenset(self.layers))

    # What layers draw

    def shape(self, tensor: int) -> tuple[int, int, int] | None:
        """Rows, columns and channels; None of a tensor [1, C]."""
        shape = self.net.shapes[tensor]
        return (shape[0], shape[1], shape[2]) if len(shape) == 3 else None

    def number(self, low: int, high: int) -> int:
        """Return one of [low, high], which hypothesis shrinks to `low`."""
        return self.draw(st.integers(low, max(low, high)))

    def one_of(self, *choices: object) -> object:
        """Return a choice, which hypothesis shrinks to the first."""
        return self.draw(st.sampled_from(choices))

    def quant(self) -> Quant:
        """Return a scale and zero point."""
        usual = st.sampled_from([USUAL, FINER, RECTIFIED])
        scales = st.sampled_from([0.004, 0.05, 0.11, 0.3])
        return self.draw(st.one_of(usual, st.tuples(scales, st.integers(-128, 127))))

    def channels(self) -> int:
        """Return a number of channels to make."""
        return self.draw(st.sampled_from([1, 2, 3, 4, 5, 8, 12, 16]))

    def activation(self) -> int:
        """Return a fused activation."""
        return self.draw(st.sampled_from([NONE, RELU, RELU6]))

    def windows(self, source: int) -> tuple[tuple[int, int], tuple[int, int], int] | None:
        """Return size, stride and padding of windows over a tensor."""
        shape = self.shape(source)
        if shape is None:
            return None
        padding = self.draw(st.sampled_from([SAME, VALID]))
        most = [5 if padding == SAME else min(5, extent) for extent in shape]
        size = (self.number(1, most[0]), self.number(1, most[1]))
        strides = [(1, 1), (1, 1), (2, 2), (1, 2), (3, 1)]
        return size, self.draw(st.sampled_from(strides)), padding

    def alike(self, source: int) -> int:
        """Return a tensor of the same shape, perhaps the same."""
        shapes = self.net.shapes
        return self.draw(
            st.sampled_from([one for one in self.made if shapes[one] == shapes[source]])
        )

    def joinable(self, source: int) -> list[int]:
        """Return tensors that a concatenation can put beside one."""
        shape, quants = self.net.shapes[source], self.net.quants
        return [
            one
            for one in self.made
            if self.net.shapes[one][:-1] == shape[:-1] and quants[one] == quants[source]
        ]


def fits(height: int, width: int, channels: int) -> bool:
    """Say whether an activation is small enough."""
    small = max(height, width) <= MAX_EXTENT and channels <= MAX_CHANNELS
    return small and height * width * channels <= MAX_VALUES


def _conv(sketch: Sketch, source: int) -> None:
    windows = sketch.windows(source)
    if windows:
        sketch.add(
            "conv",
            [source],
            sketch.channels(),
            *windows,
            activation=sketch.activation(),
            quant=sketch.quant(),
            per_channel=sketch.one_of(True, False),
        )


def _grouped(sketch: Sketch, source: int) -> None:
    windows, shape = sketch.windows(source), sketch.net.shapes[source]
    if windows:
        groups = sketch.draw(st.sampled_from([n for n in (1, 2, 3, 4) if shape[2] % n == 0]))
        outputs = groups * sketch.number(1, 4)
        options = {"activation": sketch.activation(), "quant": sketch.quant(), "groups": groups}
        sketch.add("conv", [source], outputs, *windows, **options)


def _depthwise(sketch: Sketch, source: int) -> None:
    windows, shape = sketch.windows(source), sketch.shape(source)
    each = sketch.number(1, 2)
    if windows and shape and shape[2] * each <= MAX_CHANNELS:
        options = {"activation": sketch.activation(), "quant": sketch.quant(), "each": each}
        sketch.add("depthwise", [source], *windows, **options)


def _pool(method: str) -> Callable[[Sketch, int], None]:
    def add(sketch: Sketch, source: int) -> None:
        windows = sketch.windows(source)
        if windows:
            sketch.add(method, [source], *windows, activation=sketch.activation())

    return add


def _dense(sketch: Sketch, source: int) -> None:
    rows = sketch.net.shapes[source][0] if sketch.shape(source) else 1
    keep = bool(sketch.one_of(False, True)) or rows > 32
    options = {"activation": sketch.activation(), "quant": sketch.quant(), "keep": keep}
    sketch.add("dense", [source], sketch.channels(), **options)


def _mean(sketch: Sketch, source: int) -> None:
    if sketch.shape(source):
        sketch.add("mean", [source], sketch.quant(), keep=sketch.one_of(True, False))


def _global_max(sketch: Sketch, source: int) -> None:
    if sketch.shape(source):
        sketch.add("global_max", [source], keep=sketch.one_of(True, False))


def _softmax(sketch: Sketch, source: int) -> None:
    sketch.add("softmax", [source], sketch.one_of(1.0, 0.3))


def _concat(sketch: Sketch, source: int) -> None:
    beside = st.sampled_from(sketch.joinable(source))
    others = sketch.draw(st.lists(beside, min_size=1, max_size=2))
    order = sketch.draw(st.permutations([source, *others]))
    if sum(sketch.net.shapes[one][-1] for one in order) <= MAX_CHANNELS:
        sketch.add("concat", order)


def _reshape(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape is None:
        sketch.add("reshape", [source], (1, 1, *sketch.net.shapes[source]))
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


def _resize(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    size = (sketch.number(1, MAX_EXTENT), sketch.number(1, MAX_EXTENT))
    if shape and fits(*size, shape[2]):
        flags = (sketch.one_of(False, True), sketch.one_of(False, True))
        sketch.add("resize_nearest", [source], size, *flags)


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


LAYERS: dict[str, Callable[[Sketch, int], None]] = {
    "CONV_2D": _conv,
    "CONV_2D of odd channels": odd_conv,
    "CONV_2D in groups": _grouped,
    "DEPTHWISE_CONV_2D": _depthwise,
    "MAX_POOL_2D": _pool("max_pool"),
    "AVERAGE_POOL_2D": _pool("average_pool"),
    "FULLY_CONNECTED": _dense,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
    "CONCATENATION": _concat,
    "RESHAPE": _reshape,
    "PAD": _pad,
    "PAD before windows": _padded_conv,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SPACE_TO_DEPTH": _space_to_depth,
    "DEPTH_TO_SPACE": _depth_to_space,
    "REDUCE_MAX": _global_max,
    "TILE": _tile,
    "RESHAPE and TILE": _upsample,
    **VALUE_LAYERS,
}


@st.composite
def graphs(draw: st.DrawFn) -> Drawn:
    """Networks of one to MAX_LAYERS layers, each of which reads one of the last tensors."""
    sketch = Sketch(draw)
    for _ in range(draw(st.integers(1, MAX_LAYERS))):
        source = draw(st.sampled_from(sketch.made[:-5:-1]))
        name, before = draw(st.sampled_from(sorted(LAYERS))), len(sketch.made)
        LAYERS[name](sketch, source)
        if len(sketch.made) > before:
            sketch.layers.add(name)
    if len(sketch.made) == 1:
        sketch.add("softmax", [sketch.net.input])
    return sketch.drawn()


def draw_graphs(count: int, number: int) -> list[Drawn]:
    """Return the graphs of a seed, always the same."""
    drawn: list[Drawn] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(graphs())
    def collect(one: Drawn) -> None:
        drawn.append(one)

    collect()
    return drawn


def smallest(
    count: int, number: int, problem_of: Callable[[Drawn], str | None]
) -> tuple[Drawn, str] | None:
    """Return the smallest graph with a problem that hypothesis finds with a seed, and what it is.

    Args:
        count: graphs to try.
        number: the seed.
        problem_of: says what is wrong with a graph, None where nothing is.
    """
    found: list[tuple[Drawn, str]] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(graphs())
    def check(one: Drawn) -> None:
        problem = problem_of(one)
        if problem:
            found.append((one, problem))
            raise AssertionError

    try:
        check()
    except AssertionError:
        return found[-1]  # hypothesis ends with the smallest
    return None
