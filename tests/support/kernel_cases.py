"""Small models around the kernels' edges, shared by the tests of every kernel family."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.integers import ceil_div
from edgesq.operators import Conv2D
from support.emulated_cases import Case
from support.networks import Network, Pair
from support.networks import images as network_images
from support.tflite_builder import NONE, RELU, RELU6, SAME, VALID, TfliteBuilder


def output_side(size: int, kernel: int, stride: int, padding: int) -> int:
    return ceil_div(size, stride) if padding == SAME else (size - kernel) // stride + 1


def conv_graph(
    seed: int,
    *,
    size: tuple[int, int] = (5, 5),
    channels: int = 8,
    outputs: int = 8,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: int = SAME,
    activation: int = RELU,
    input_zp: int = -128,
    output_zp: int = -128,
    real: float = 0.002,
    spread: float = 2.0,
    weights: NDArray[np.int8] | None = None,
    bias: NDArray[np.int32] | None = None,
    odd_scales: dict[int, float] | None = None,
    tail: str = "",
) -> Graph:
    """One convolution, weight scales within `spread` of `real`, perhaps a mean behind.

    Channels of `odd_scales` have those.
    """
    rng = np.random.default_rng(seed)
    if weights is None:
        shape = (outputs, *kernel, channels)
        weights = rng.integers(-127, 128, shape).astype(np.int8)
    if bias is None:
        bias = rng.integers(-9000, 9000, outputs).astype(np.int32)
    builder = TfliteBuilder()
    source = builder.value((1, *size, channels), 1.0, input_zp)
    rows = output_side(size[0], kernel[0], stride[0], padding)
    columns = output_side(size[1], kernel[1], stride[1], padding)
    result = builder.value((1, rows, columns, outputs), 1.0, output_zp)
    scales = (real * rng.uniform(1 / spread, spread, outputs)).tolist()
    for channel, scale in (odd_scales or {}).items():
        scales[channel] = scale
    inputs = [source, builder.constant(weights, scales), builder.constant(bias, [1.0] * outputs)]
    options: dict[str, Any] = {"padding": padding, "fusedActivationFunction": activation}
    builder.op(
        "CONV_2D", inputs, result, "Conv2DOptions", strideH=stride[0], strideW=stride[1], **options
    )
    if tail == "MEAN":
        end = builder.value((1, outputs), 0.7, -100)
        axes = builder.constant(np.array([1, 2], np.int32))
        builder.op("MEAN", [result, axes], end, "ReducerOptions", keepDims=False)
        result = end
    return read_graph(builder.build(source, result))


def images(seed: int, graph: Graph, count: int = 2) -> NDArray[np.int8]:
    shape = (count, *graph.tensors[graph.input].hwc)
    values = np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)
    values[-1].reshape(-1)[:] = np.where(values[-1].reshape(-1) < 0, -128, 127)
    return values


def conv_case(name: str, seed: int, **options: Any) -> Case:
    graph = conv_graph(seed, **options)
    return Case(f"{name} {seed} {options}", graph, images(seed, graph), band_rows=1 + seed % 3)


def random_cases() -> list[Case]:
    """Every kind of shape, seeded."""
    cases = []
    for seed in range(48):
        rng = np.random.default_rng(1000 + seed)
        kernel = [(1, 1), (3, 3), (3, 3), (1, 3), (3, 1), (5, 5), (2, 2)][seed % 7]
        size = (int(rng.integers(kernel[0], 7)), int(rng.integers(kernel[1], 12)))
        cases.append(
            conv_case(
                "random",
                seed,
                size=size,
                channels=int(rng.choice([1, 3, 4, 8, 12, 16, 17, 32])),
                outputs=int(rng.choice([1, 2, 3, 4, 6, 9, 16, 20])),
                kernel=kernel,
                stride=(int(rng.integers(1, 3)), int(rng.integers(1, 3))),
                padding=int(rng.choice([SAME, VALID])),
                activation=int(rng.choice([NONE, RELU, RELU, RELU6])),
                input_zp=int(rng.choice([-128, -128, 0, 127, 5])),
                output_zp=int(rng.choice([-128, -128, -3, 20])),
                real=float(10 ** rng.uniform(-4, -1.5)),
                tail=str(rng.choice(["", "", "MEAN"])),
            )
        )
    return cases


def width_cases() -> list[Case]:
    """Widths around the number of pixels computed together, one-pixel images included."""
    return [
        conv_case("width", 100 + width, size=(height, width), kernel=kernel, channels=channels)
        for width in (1, 2, 3, 4, 5, 7)
        for height, kernel, channels in ((1, (1, 1), 4), (1, (3, 3), 8), (4, (3, 3), 3))
    ]


def edge_cases() -> list[Case]:
    """Sums at the 24 bits of the upper channel, weights of -128, every shift."""
    cases = []
    for seed, (depth, bias) in enumerate([(256, 98_047), (256, 98_048), (260, 0), (256, -98_049)]):
        sign = -1 if bias < 0 else 1
        weights = np.full((6, 1, 1, depth), 127 * sign, np.int8)
        biases = np.full(6, bias, np.int32)
        options = {"kernel": (1, 1), "channels": depth, "outputs": 6, "size": (1, 4)}
        for real in (2e-5, 3e-5):
            graph = conv_graph(seed, weights=weights, bias=biases, real=real, **options)  # type: ignore[arg-type]
            pixels = np.full((2, *graph.tensors[graph.input].hwc), 127, np.int8)
            pixels[1, :, ::2] = -128
            cases.append(Case(f"24 bits {depth} {bias} {real}", graph, pixels))
    lowest = np.random.default_rng(7).choice([-128, 127, -128, 3], (8, 3, 3, 8)).astype(np.int8)
    cases.append(conv_case("-128", 7, weights=lowest))
    cases += [
        conv_case(
            "shift", 200 + power, real=2.0**-power, bias=np.full(8, 1 << max(power, 0), np.int32)
        )
        for power in (-1, 0, 1, 2, 5, 8, 11, 14, 15, 16, 20)
    ]
    return cases


def tie_cases() -> list[Case]:
    """Scales that are powers of two: every second, fourth, ... sum is a tie, of either sign."""
    return [
        conv_case(
            "tie",
            300 + power,
            real=2.0**-power,
            spread=1.0,
            outputs=8,
            channels=16,
            kernel=(1, 1),
            activation=activation,
            output_zp=output_zp,
            input_zp=0,
            weights=np.random.default_rng(power).integers(-2, 3, (8, 1, 1, 16)).astype(np.int8),
            bias=np.arange(-4, 4, dtype=np.int32),
        )
        for power in range(1, 9)
        for activation, output_zp in ((NONE, 0), (RELU, -128), (RELU6, -128))
    ]


def odd_channels(
    seed: int, shape: tuple[int, ...], depth: int
) -> tuple[NDArray[np.int8], NDArray[np.int32], dict[int, float]]:
    """Return weights, biases and scales of which some channels fit no short form.

    Sums beyond 24 bits, biases beyond 2^30, weights of -128, none at all, multipliers above 1/2.
    """
    rng = np.random.default_rng(seed)
    weights = rng.integers(-60, 61, (*shape, depth)).astype(np.int8)
    bias = rng.integers(-9000, 9000, len(weights)).astype(np.int32)
    scales: dict[int, float] = {}
    kinds = rng.permutation(6)[: len(weights)]
    for channel, kind in zip(rng.permutation(len(weights))[: 1 + seed % 3], kinds, strict=False):
        match kind:
            case 0:
                weights[channel] = 127
                bias[channel] = 1 << 23
                scales[channel] = 7.6e-6
            case 1:
                scales[channel] = 5.5e-8
                bias[channel] = round(64.5 / 5.5e-8)
            case 2:
                weights[channel].reshape(-1)[:: 1 + seed % 5] = -128
            case 3:
                weights[channel] = 0
                bias[channel] = 1 << 30
                scales[channel] = 2e-8
            case 4:
                weights[channel] = 0
                weights[channel].reshape(-1)[0] = 3
                bias[channel] = -7
                scales[channel] = 0.4 * 2.0 ** (seed % 4)
            case _:
                weights[channel] = -127
                bias[channel] = 1 << 24
                scales[channel] = 3e-6
    return weights, bias, scales


def odd_cases() -> list[Case]:
    """Layers of which a few channels fit no short form, with every kind of window and end."""
    cases = []
    for seed in range(72):
        kernel, channels = [((1, 1), 4), ((3, 3), 4), ((3, 3), 3), ((1, 1), 300)][seed % 4]
        outputs = [8, 12, 5, 9, 16, 37][seed % 6]
        weights, bias, scales = odd_channels(seed, (outputs, *kernel), channels)
        graph = conv_graph(
            seed,
            size=(3, 5),
            channels=channels,
            outputs=outputs,
            kernel=kernel,
            stride=(1, 1 + seed // 4 % 2),
            activation=[NONE, RELU, RELU6][seed % 3],
            input_zp=[-128, 3][seed // 6 % 2],
            output_zp=[-128, 20, -128, 127, -5][seed % 5],
            weights=weights,
            bias=bias,
            odd_scales=scales,
            tail="MEAN" if seed % 7 == 0 else "",
        )
        name = f"odd channels {seed} {kernel} {channels} {outputs}"
        cases.append(Case(name, graph, images(seed, graph), 1 + seed % 3, seed % 8 > 5))
    return cases


def pool_case(
    seed: int, op: str, channels: int, window: tuple[int, int], stride: int, padding: int
) -> Case:
    builder = TfliteBuilder()
    size = (7, 9)
    source = builder.value((1, *size, channels), 0.1, -20)
    rows, columns = (
        output_side(side, edge, stride, padding) for side, edge in zip(size, window, strict=True)
    )
    result = builder.value((1, rows, columns, channels), 0.1, -20)
    builder.op(
        op,
        [source],
        result,
        "Pool2DOptions",
        padding=padding,
        strideH=stride,
        strideW=stride,
        filterHeight=window[0],
        filterWidth=window[1],
        fusedActivationFunction=NONE,
    )
    graph = read_graph(builder.build(source, result))
    return Case(f"{op} {seed} {channels} {window}", graph, images(seed, graph))


def pool_cases() -> list[Case]:
    return [
        pool_case(seed, op, channels, window, stride, padding)
        for op in ("MAX_POOL_2D", "AVERAGE_POOL_2D")
        for seed, (channels, window, stride, padding) in enumerate(
            [
                (8, (3, 3), 2, VALID),
                (8, (3, 3), 2, SAME),
                (4, (2, 2), 2, SAME),
                (6, (3, 3), 1, SAME),
                (12, (1, 4), 3, SAME),
                (4, (5, 2), 1, VALID),
                (37, (3, 3), 2, SAME),
            ]
        )
    ]


def average_case(
    name: str, shape: tuple[int, int, int], size: Pair = (1, 1), activation: int = NONE
) -> Case:
    """An average pool, or a mean where `size` is one pixel; on noise, and on one value all over."""
    net = Network(shape, (0.1, -20))
    if size == (1, 1):
        graph = read_graph(net.build(net.mean(net.input, (0.07, 11))))
    else:
        pool = net.average_pool(net.input, size, (1, 1), VALID, activation)
        graph = read_graph(net.build(pool))
    return Case(f"{name} {shape} {size}", graph, network_images(shape, 1))


def average_cases() -> list[Case]:
    """Sums at the ends of 16 bits, and past them."""
    return [
        average_case("lanes are full", (16, 18, 4), (15, 17)),
        average_case("lanes would overflow", (17, 17, 8), (16, 16)),
        average_case("clamped", (5, 6, 8), (3, 2), RELU6),
        average_case("rows of 255", (2, 255, 4)),
        average_case("rows of 300", (2, 300, 8)),
        average_case("not by fours", (3, 5, 6)),
        average_case("whole", (7, 9, 16), (7, 9), RELU),
    ]


def add_case(seed: int, scales: tuple[float, float, float], activation: int) -> Case:
    """The image plus a convolution of it: two tensors with scales of their own."""
    builder = TfliteBuilder()
    shape = (1, 4, 6, 5)
    source = builder.value(shape, scales[0], -128)
    weights = np.eye(5, dtype=np.int8).reshape(5, 1, 1, 5) * np.int8(100)
    constants = [builder.constant(weights, [0.01]), builder.constant(np.zeros(5, np.int32), [1.0])]
    options = {"padding": SAME, "strideH": 1, "strideW": 1, "fusedActivationFunction": NONE}
    other = builder.value(shape, scales[1], 3)
    builder.op("CONV_2D", [source, *constants], other, "Conv2DOptions", **options)
    result = builder.value(shape, scales[2], -20)
    builder.op("ADD", [source, other], result, "AddOptions", fusedActivationFunction=activation)
    graph = read_graph(builder.build(source, result))
    return Case(f"add {seed} {scales}", graph, images(seed, graph, 4))


def add_cases() -> list[Case]:
    scales = [(1.0, 1.0, 1.0), (1.0, 0.4, 1.3), (0.02, 1.0, 0.9), (1.0, 0.7, 1e-5), (1, 1, 300.0)]
    return [
        add_case(seed, scale, activation)
        for seed, scale in enumerate(scales)
        for activation in (NONE, RELU)
    ]


def side_by_side_case() -> Case:
    """Two convolutions into one concatenation, which a third reads: pixels further apart."""
    rng = np.random.default_rng(3)
    builder = TfliteBuilder()
    source = builder.value((1, 5, 7, 4), 1.0, -128)
    halves = []
    for outputs, kernel in ((6, 1), (10, 3)):
        weights = rng.integers(-127, 128, (outputs, kernel, kernel, 4)).astype(np.int8)
        bias = rng.integers(-9000, 9000, outputs).astype(np.int32)
        half = builder.value((1, 5, 7, outputs), 1.0, -128)
        constants = [builder.constant(weights, [0.01]), builder.constant(bias, [1.0])]
        options = {"padding": SAME, "strideH": 1, "strideW": 1, "fusedActivationFunction": RELU}
        builder.op("CONV_2D", [source, *constants], half, "Conv2DOptions", **options)
        halves.append(half)
    joined = builder.value((1, 5, 7, 16), 1.0, -128)
    builder.op("CONCATENATION", halves, joined, "ConcatenationOptions", axis=3)
    graph = read_graph(builder.build(source, joined))
    return Case("side by side", graph, images(3, graph))


def conv_of(graph: Graph) -> Conv2D:
    return next(op for op in graph.ops if isinstance(op, Conv2D))


def all_cases() -> list[Case]:
    return [
        *random_cases(),
        *width_cases(),
        *edge_cases(),
        *tie_cases(),
        *odd_cases(),
        *pool_cases(),
        *average_cases(),
        *add_cases(),
        side_by_side_case(),
    ]
