"""Small networks of convolutions, depthwise convolutions, pools and means: name to .tflite."""

from collections.abc import Callable

from support.networks import FINER, RECTIFIED, USUAL, Network, Pair, Quant
from support.tflite_builder import NONE, RELU, RELU6, SAME, VALID

WINDOWED: dict[str, Callable[[], bytes]] = {}


def network(build: Callable[[], bytes]) -> Callable[[], bytes]:
    WINDOWED[build.__name__] = build
    return build


# Convolutions: kernel, stride, padding, activation, image, quantization

_CONVS: dict[str, tuple[Pair, Pair, int, int, tuple[int, int, int], Quant]] = {
    "1x1": ((1, 1), (1, 1), SAME, NONE, (5, 6, 3), USUAL),
    "3x3_same": ((3, 3), (1, 1), SAME, RELU, (6, 7, 2), RECTIFIED),
    "3x3_valid": ((3, 3), (1, 1), VALID, RELU6, (6, 7, 2), USUAL),
    "3x3_stride_2": ((3, 3), (2, 2), SAME, RELU6, (7, 8, 3), RECTIFIED),
    "3x3_valid_stride_2": ((3, 3), (2, 2), VALID, RELU, (8, 9, 3), FINER),
    "1x3": ((1, 3), (1, 2), SAME, NONE, (4, 7, 1), USUAL),
    "5x2_stride_3x1": ((5, 2), (3, 1), VALID, NONE, (12, 5, 2), USUAL),
    "stride_over_kernel": ((2, 1), (5, 3), VALID, NONE, (13, 8, 2), USUAL),
    "stride_over_kernel_same": ((1, 1), (3, 4), SAME, NONE, (11, 9, 3), USUAL),
    "kernel_over_image": ((7, 7), (1, 1), SAME, NONE, (3, 2, 2), USUAL),
    "kernel_over_image_stride": ((9, 9), (4, 4), SAME, RELU, (5, 5, 1), USUAL),
    "kernel_is_image": ((4, 5), (1, 1), VALID, NONE, (4, 5, 2), USUAL),
    "one_pixel": ((3, 3), (2, 2), SAME, NONE, (1, 1, 5), USUAL),
    "tall": ((3, 1), (2, 1), SAME, NONE, (19, 1, 2), USUAL),
    "wide": ((1, 3), (1, 2), SAME, NONE, (1, 23, 2), USUAL),
    "one_channel": ((3, 3), (1, 1), SAME, NONE, (5, 5, 1), USUAL),
    "tallest_window": ((32, 1), (1, 1), SAME, NONE, (40, 2, 1), USUAL),
}


def _conv_case(name: str) -> Callable[[], bytes]:
    kernel, stride, padding, activation, shape, quant = _CONVS[name]

    def build() -> bytes:
        net = Network(shape)
        return net.build(net.conv(net.input, 5, kernel, stride, padding, activation, quant))

    return build


WINDOWED |= {f"conv_{name}": _conv_case(name) for name in _CONVS}


@network
def conv_one_scale() -> bytes:
    net = Network((5, 5, 3))
    return net.build(net.conv(net.input, 4, (3, 3), per_channel=False))


@network
def conv_growing_scale() -> bytes:
    """Real multipliers above one: shifts to the left."""
    net = Network((3, 3, 1), (1.0, 3))
    return net.build(net.conv(net.input, 4, quant=(0.001, 0)))


# Depthwise convolutions: kernel, stride, padding, activation, image, outputs per channel

_DEPTHWISE: dict[str, tuple[Pair, Pair, int, int, tuple[int, int, int], int, Quant]] = {
    "3x3_same": ((3, 3), (1, 1), SAME, RELU, (6, 7, 5), 1, RECTIFIED),
    "3x3_valid": ((3, 3), (1, 1), VALID, RELU6, (6, 7, 4), 1, USUAL),
    "3x3_stride_2": ((3, 3), (2, 2), SAME, RELU6, (8, 9, 8), 1, RECTIFIED),
    "3x3_stride_1x2": ((3, 3), (1, 2), VALID, NONE, (5, 8, 3), 1, FINER),
    "twice": ((3, 3), (1, 1), SAME, NONE, (4, 5, 3), 2, USUAL),
    "three_times": ((2, 3), (2, 1), SAME, RELU, (5, 4, 2), 3, USUAL),
    "5x5": ((5, 5), (1, 1), SAME, RELU, (6, 7, 4), 1, RECTIFIED),
    "1x1": ((1, 1), (1, 1), SAME, NONE, (3, 4, 6), 1, USUAL),
    "10x4": ((10, 4), (2, 2), SAME, RELU, (13, 6, 1), 8, RECTIFIED),
    "kernel_over_image": ((7, 7), (1, 1), SAME, NONE, (2, 3, 2), 1, USUAL),
    "stride_over_kernel": ((2, 1), (5, 3), VALID, NONE, (13, 8, 2), 1, USUAL),
    "one_pixel": ((3, 3), (2, 2), SAME, NONE, (1, 1, 5), 1, USUAL),
    "one_channel": ((3, 3), (1, 1), SAME, NONE, (4, 4, 1), 1, USUAL),
}


def _depthwise_case(name: str) -> Callable[[], bytes]:
    kernel, stride, padding, activation, shape, each, quant = _DEPTHWISE[name]

    def build() -> bytes:
        net = Network(shape)
        result = net.depthwise(net.input, kernel, stride, padding, activation, quant, each)
        return net.build(result)

    return build


WINDOWED |= {f"depthwise_{name}": _depthwise_case(name) for name in _DEPTHWISE}


@network
def depthwise_one_scale() -> bytes:
    net = Network((5, 5, 3))
    return net.build(net.depthwise(net.input, each=2, per_channel=False))


@network
def separable() -> bytes:
    """As in a MobileNet: depthwise and 1x1 in turns, the last 1x1 straight into the mean."""
    net = Network((9, 8, 3), RECTIFIED)
    step = net.conv(net.input, 4, (3, 3), (2, 2), SAME, RELU6, RECTIFIED)
    for channels, stride in ((6, (1, 1)), (8, (2, 2))):
        step = net.depthwise(step, stride=stride, activation=RELU6, quant=RECTIFIED)
        step = net.conv(step, channels, activation=RELU6, quant=RECTIFIED)
    return net.build(net.softmax(net.dense(net.mean(step, RECTIFIED), 5)))


@network
def depthwise_beside_another() -> bytes:
    """Two depthwise convolutions write into one concatenation, which a third reads."""
    net = Network((5, 7, 4))
    joined = net.concat([net.depthwise(net.input), net.depthwise(net.input, (1, 5))])
    return net.build(net.depthwise(joined, (3, 3), (2, 1)))


# Dilated: kernel, stride, padding, dilation, image

_DILATED: dict[str, tuple[Pair, Pair, int, Pair, tuple[int, int, int]]] = {
    "2": ((3, 3), (1, 1), SAME, (2, 2), (9, 8, 4)),
    "3_and_stride_2": ((3, 2), (2, 2), SAME, (3, 3), (11, 13, 3)),
    "rows": ((3, 2), (1, 1), VALID, (3, 1), (9, 5, 4)),
    "columns": ((1, 3), (1, 1), SAME, (1, 4), (2, 17, 2)),
    "over_image": ((3, 2), (1, 1), SAME, (8, 8), (4, 5, 3)),
}


def _dilated_case(name: str, kind: str) -> Callable[[], bytes]:
    kernel, stride, padding, dilation, shape = _DILATED[name]

    def build() -> bytes:
        net = Network(shape)
        if kind == "depthwise":
            return net.build(
                net.depthwise(net.input, kernel, stride, padding, RELU, dilation=dilation)
            )
        return net.build(net.conv(net.input, 5, kernel, stride, padding, dilation=dilation))

    return build


WINDOWED |= {
    f"dilated_{kind}_{name}": _dilated_case(name, kind)
    for name in _DILATED
    for kind in ("conv", "depthwise")
}


@network
def dilated_between_batches() -> bytes:
    net = Network((9, 8, 3))
    wide = net.between_batches(net.input, 4, (3, 3), (2, 2), (2, 2, 2, 2))
    deep = net.between_batches(wide, 4, (3, 2), (2, 3), kind="depthwise")
    return net.build(net.conv(deep, 2))


@network
def dilated_in_groups() -> bytes:
    net = Network((7, 7, 6))
    return net.build(net.mean(net.conv(net.input, 4, (3, 3), groups=2, dilation=(2, 2))))


@network
def dilated_then_a_mean() -> bytes:
    """Not straight into the mean's sums."""
    net = Network((9, 9, 3), RECTIFIED)
    middle = net.conv(net.input, 4, (3, 3), activation=RELU, quant=RECTIFIED)
    return net.build(net.mean(net.conv(middle, 8, (3, 3), dilation=(2, 2))))


# Transposed: kernel, stride, padding, more rows and columns

_TRANSPOSED: dict[str, tuple[Pair, Pair, int, Pair]] = {
    "2x2": ((2, 2), (2, 2), SAME, (0, 0)),
    "3x3": ((3, 3), (2, 2), SAME, (0, 0)),
    "4x4_valid": ((4, 4), (2, 2), VALID, (0, 0)),
    "one_more": ((3, 3), (2, 2), VALID, (1, 1)),
    "gaps": ((1, 2), (3, 4), VALID, (2, 0)),
    "one_step": ((5, 3), (1, 1), SAME, (0, 0)),
}


def _transposed_case(name: str) -> Callable[[], bytes]:
    kernel, stride, padding, more = _TRANSPOSED[name]

    def build() -> bytes:
        net = Network((5, 4, 3))
        made = net.transpose_conv(net.input, 6, kernel, stride, padding, RELU, more=more)
        return net.build(made)

    return build


WINDOWED |= {f"transpose_conv_{name}": _transposed_case(name) for name in _TRANSPOSED}


# Pools: kind, size, stride, padding, activation, image

_POOLS: dict[str, tuple[str, Pair, Pair, int, int, tuple[int, int, int]]] = {
    "max_2x2": ("max", (2, 2), (2, 2), VALID, NONE, (6, 8, 3)),
    "max_overlapping": ("max", (3, 3), (2, 2), VALID, NONE, (9, 8, 3)),
    "max_overlapping_same": ("max", (3, 3), (2, 2), SAME, RELU, (8, 8, 3)),
    "max_every_pixel": ("max", (3, 3), (1, 1), SAME, RELU6, (5, 4, 2)),
    "max_gaps": ("max", (1, 2), (3, 4), VALID, NONE, (11, 11, 2)),
    "max_over_image": ("max", (5, 5), (1, 1), SAME, NONE, (2, 3, 2)),
    "max_global": ("max", (6, 5), (6, 5), VALID, NONE, (6, 5, 3)),
    "max_leftover_rows": ("max", (2, 2), (2, 2), VALID, NONE, (7, 7, 2)),
    "average_2x2": ("average", (2, 2), (2, 2), VALID, NONE, (6, 8, 3)),
    "average_overlapping": ("average", (3, 3), (2, 2), VALID, RELU, (9, 8, 3)),
    "average_overlapping_same": ("average", (3, 3), (2, 2), SAME, RELU6, (8, 7, 3)),
    "average_every_pixel": ("average", (3, 3), (1, 1), SAME, NONE, (5, 4, 2)),
    "average_gaps": ("average", (2, 1), (3, 4), VALID, NONE, (11, 11, 2)),
    "average_over_image": ("average", (5, 5), (1, 1), SAME, NONE, (2, 3, 2)),
    "average_global": ("average", (7, 6), (7, 6), VALID, NONE, (7, 6, 5)),
    "average_global_same": ("average", (9, 9), (9, 9), SAME, RELU, (7, 6, 5)),
}


def _pool_case(name: str) -> Callable[[], bytes]:
    kind, size, stride, padding, activation, shape = _POOLS[name]

    def build() -> bytes:
        net = Network(shape)
        pool = net.max_pool if kind == "max" else net.average_pool
        return net.build(pool(net.input, size, stride, padding, activation))

    return build


WINDOWED |= {name: _pool_case(name) for name in _POOLS}


@network
def mean_rank_2() -> bytes:
    net = Network((5, 7, 6))
    return net.build(net.mean(net.input))


@network
def mean_rank_4_of_one_row() -> bytes:
    net = Network((1, 9, 3))
    return net.build(net.mean(net.input, (0.2, 3), keep=True))


@network
def mean_finer_output() -> bytes:
    net = Network((2, 2, 3))
    return net.build(net.mean(net.input, (0.02, -128)))
