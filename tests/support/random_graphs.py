"""Random small networks of every operator, each with the Python that makes it.

A layer is one entry of LAYERS: it is given a sketch and a tensor, and adds an operator that reads
it, or does nothing where the tensor does not suit it.
"""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from support.odd_channels import odd_conv
from support.random_moves import MOVE_LAYERS
from support.random_sequences import SEQUENCE_LAYERS
from support.random_sketch import MAX_CHANNELS, Drawn, Sketch, fits
from support.random_values import VALUE_LAYERS
from support.tflite_builder import SAME, VALID

MAX_LAYERS = 7


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


def _dilated(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape is None:
        return
    dilation = (sketch.number(1, 4), sketch.number(1, 4))
    padding = sketch.one_of(SAME, VALID)
    most = [
        3 if padding == SAME else min(3, (extent - 1) // by + 1)
        for extent, by in zip(shape, dilation, strict=False)
    ]
    size = (sketch.number(1, most[0]), sketch.number(1, most[1]))
    stride = sketch.one_of((1, 1), (2, 2), (2, 3))
    options = {"activation": sketch.activation(), "quant": sketch.quant(), "dilation": dilation}
    if sketch.one_of(True, False):
        sketch.add("conv", [source], sketch.channels(), size, stride, padding, **options)
    else:
        sketch.add("depthwise", [source], size, stride, padding, **options)


def _between_batches(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    if shape is None:
        return
    dilation = (sketch.number(1, 3), sketch.number(1, 3))
    most = [min(3, (extent - 1) // by + 1) for extent, by in zip(shape, dilation, strict=False)]
    size = (sketch.number(1, most[0]), sketch.number(1, most[1]))
    reach = [(taps - 1) * by for taps, by in zip(size, dilation, strict=True)]
    pads = tuple(half for whole in reach for half in (whole // 2, whole - whole // 2))
    kind = sketch.one_of("conv", "depthwise")
    padded = sketch.one_of(pads, (0, 0, 0, 0))
    sketch.add("between_batches", [source], sketch.channels(), size, dilation, padded, kind)


def _transpose_conv(sketch: Sketch, source: int) -> None:
    shape = sketch.shape(source)
    size, stride = (
        (sketch.number(1, 4), sketch.number(1, 4)),
        (sketch.number(1, 4), sketch.number(1, 3)),
    )
    if shape is None:
        return
    padding = sketch.one_of(SAME, VALID)
    more = (0, 0)
    if padding == VALID:
        more = (sketch.number(0, stride[0] - 1), sketch.number(0, stride[1] - 1))
    channels = sketch.channels()
    if fits(shape[0] * stride[0] + 4, shape[1] * stride[1] + 4, channels):
        options = {"activation": sketch.activation(), "quant": sketch.quant(), "more": more}
        sketch.add("transpose_conv", [source], channels, size, stride, padding, **options)


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


def _along(kind: str) -> Callable[[Sketch, int], None]:
    def add(sketch: Sketch, source: int) -> None:
        axes = sketch.draw(st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
        keep = bool(sketch.one_of(True, False)) or len(axes) == 3
        if sketch.shape(source):
            quant = sketch.quant() if kind in ("MEAN", "SUM") else None
            sketch.add("reduce", [source], kind, axes, quant, keep=keep)
            left = sketch.net.shapes[sketch.made[-1]]
            if len(left) < 3:
                sketch.add("reshape", sketch.made[-1:], (*(1,) * (3 - len(left)), *left))

    return add


def _softmax(sketch: Sketch, source: int) -> None:
    sketch.add("softmax", [source], sketch.one_of(1.0, 0.3))


LAYERS: dict[str, Callable[[Sketch, int], None]] = {
    "CONV_2D": _conv,
    "CONV_2D of odd channels": odd_conv,
    "CONV_2D in groups": _grouped,
    "DEPTHWISE_CONV_2D": _depthwise,
    "dilated": _dilated,
    "SPACE_TO_BATCH_ND": _between_batches,
    "TRANSPOSE_CONV": _transpose_conv,
    "MAX_POOL_2D": _pool("max_pool"),
    "AVERAGE_POOL_2D": _pool("average_pool"),
    "FULLY_CONNECTED": _dense,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
    "REDUCE_MAX": _global_max,
    **{f"{kind} along axes": _along(kind) for kind in ("MEAN", "REDUCE_MAX")},
    **{kind: _along(kind) for kind in ("SUM", "REDUCE_MIN")},
    **MOVE_LAYERS,
    **VALUE_LAYERS,
    **SEQUENCE_LAYERS,
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
    if len(sketch.made) == len(sketch.net.inputs):
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
