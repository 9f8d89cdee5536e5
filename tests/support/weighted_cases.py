"""Small models around the edges of depthwise and fully connected kernels."""

from typing import Any

import numpy as np

from edgesq.formats.tflite import read_graph
from support.emulated_cases import Case
from support.kernel_cases import images, odd_channels
from support.networks import RECTIFIED, USUAL, Network
from support.tflite_builder import NONE, RELU, RELU6, SAME, VALID, TfliteBuilder


def _case(name: str, seed: int, content: bytes) -> Case:
    graph = read_graph(content)
    return Case(f"{name} {seed}", graph, images(seed, graph), band_rows=1 + seed % 3)


def dense_cases() -> list[Case]:
    """Vectors of every length modulo 16, whole images, and every pixel by itself."""
    cases = []
    for seed, values in enumerate((1, 3, 4, 15, 16, 17, 37, 64, 100)):
        net = Network((1, 1, values), (0.05, -5), seed)
        middle = net.dense(net.input, 1 + seed * 3, RELU, RECTIFIED, per_channel=seed % 2 == 0)
        cases.append(_case("dense", seed, net.build(net.dense(middle, 5))))
    for seed, shape in enumerate(((3, 4, 2), (4, 4, 4), (2, 3, 16), (1, 5, 3))):
        net = Network(shape, (0.05, 7), seed)
        every = net.dense(net.input, 6, RELU6, USUAL, keep=True)
        cases.append(_case("every pixel", seed, net.build(every)))
        net = Network(shape, (0.05, 7), seed)
        cases.append(_case("whole image", seed, net.build(net.dense(net.input, 6))))
    return cases


def depthwise_case(name: str, seed: int, shape: tuple[int, int, int], **options: Any) -> Case:
    net = Network(shape, options.pop("source", RECTIFIED), seed)
    return _case(f"{name} {shape} {options}", seed, net.build(net.depthwise(net.input, **options)))


def depthwise_random() -> list[Case]:
    """Every kind of shape, seeded."""
    cases = []
    for seed in range(60):
        rng = np.random.default_rng(2000 + seed)
        kernel = [(3, 3), (3, 3), (3, 3), (5, 5), (1, 3), (3, 1), (2, 2), (4, 4), (1, 1)][seed % 9]
        size = (int(rng.integers(kernel[0], 8)), int(rng.integers(kernel[1], 14)))
        stride = int(rng.choice([1, 1, 2]))
        cases.append(
            depthwise_case(
                "depthwise",
                seed,
                (*size, int(rng.choice([1, 3, 4, 8, 12, 16, 17, 24]))),
                source=(0.031, int(rng.choice([-128, -128, 0, 127, 5]))),
                kernel=kernel,
                stride=(stride, int(rng.choice([stride, stride, 1, 3]))),
                padding=int(rng.choice([SAME, VALID])),
                activation=int(rng.choice([NONE, RELU, RELU, RELU6])),
                quant=(0.031, int(rng.choice([-128, -128, -128, -3, 20]))),
                each=int(rng.choice([1, 1, 1, 2, 3])),
            )
        )
    return cases


def depthwise_widths() -> list[Case]:
    """Widths around the pixels computed together, heights with rows beside the image."""
    return [
        depthwise_case(
            "width",
            width,
            (height, width, 8),
            stride=(stride, stride),
            activation=RELU,
            quant=RECTIFIED,
            padding=padding,
        )
        for width in (*range(1, 15), 17, 25)
        for height, stride, padding in ((1, 1, SAME), (2, 1, SAME), (4, 2, SAME), (5, 1, VALID))
        if padding == SAME or width >= 3
    ]


def depthwise_windows() -> list[Case]:
    """Windows that are not 3x3, around the pixels computed together; wider than any tile."""
    shapes = [
        ((height, width, channels), (5, 5), (stride, stride), each)
        for stride in (1, 2)
        for width in (1, 2, 3, 4, 5, 7, 12, 25)
        for height, channels, each in ((1, 8, 1), (6, 4, 2))
    ]
    shapes += [
        ((7, 7, 8), (7, 7), (1, 1), 1),
        ((9, 11, 1), (10, 8), (2, 2), 8),
        ((2, 70, 4), (5, 5), (1, 1), 1),
        ((3, 2, 4), (9, 9), (1, 1), 1),
        ((4, 9, 4), (2, 1), (1, 3), 1),
        ((2, 2, 4), (17, 31), (1, 1), 1),
    ]
    return [
        depthwise_case(
            "windows",
            seed,
            shape,
            source=(0.031, [-128, 5][seed % 2]),
            kernel=kernel,
            stride=stride,
            padding=SAME,
            activation=[RELU, NONE, RELU6][seed % 3],
            quant=(0.031, [-128, -3][seed // 3 % 2]),
            each=each,
        )
        for seed, (shape, kernel, stride, each) in enumerate(shapes)
    ]


def depthwise_odd(size: int = 3, count: int = 48) -> list[Case]:
    """Layers of which a few channels fit no short form: see `odd_channels`."""
    cases = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        weights, bias, scales = odd_channels(seed, (12,), size * size)
        builder = TfliteBuilder()
        stride = 1 + seed % 2
        source = builder.value((1, 5, 7, 12), 1.0, int(rng.choice([-128, 9])))
        result = builder.value((1, 5, -(-7 // stride), 12), 1.0, int(rng.choice([-128, 20, -90])))
        each = [scales.get(channel, 0.004) for channel in range(12)]
        kernel = weights.T.reshape(1, size, size, 12)
        inputs = [source, builder.constant(kernel, each, 3), builder.constant(bias, each)]
        builder.op(
            "DEPTHWISE_CONV_2D",
            inputs,
            result,
            "DepthwiseConv2DOptions",
            padding=SAME,
            strideH=1,
            strideW=stride,
            depthMultiplier=1,
            fusedActivationFunction=int(rng.choice([NONE, RELU, RELU6])),
        )
        cases.append(_case(f"odd channels {size}", seed, builder.build(source, result)))
    return cases


def depthwise_beside(size: int = 3) -> Case:
    """Pixels further apart than their channels, in and out."""
    net = Network((5, 7, 8), RECTIFIED)
    joined = net.concat([net.depthwise(net.input, quant=RECTIFIED) for _ in range(2)])
    half = net.depthwise(joined, (size, size), activation=RELU, quant=RECTIFIED)
    both = net.concat([half, net.conv(net.input, 3, quant=RECTIFIED)])
    return _case(f"beside {size}", 0, net.build(both))


def weighted_cases() -> list[Case]:
    return [
        *dense_cases(),
        *depthwise_random(),
        *depthwise_widths(),
        *depthwise_odd(),
        depthwise_beside(),
    ]


def window_cases() -> list[Case]:
    """Depthwise windows that are not 3x3, each kind of layer."""
    return [*depthwise_windows(), *depthwise_odd(5, 12), depthwise_beside(5)]
