"""Small int8 networks, one difficulty each: name to .tflite."""

from collections.abc import Callable

from support.moved_cases import MOVED
from support.networks import FINER, RECTIFIED, USUAL, Network, Pair, Quant
from support.tflite_builder import NONE, RELU, RELU6, SAME, VALID
from support.value_cases import VALUE_NETWORKS

NETWORKS: dict[str, Callable[[], bytes]] = {**VALUE_NETWORKS}


def network(build: Callable[[], bytes]) -> Callable[[], bytes]:
    NETWORKS[build.__name__] = build
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


NETWORKS |= {f"conv_{name}": _conv_case(name) for name in _CONVS}


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


NETWORKS |= {f"depthwise_{name}": _depthwise_case(name) for name in _DEPTHWISE}


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


# FULLY_CONNECTED


@network
def dense_of_values() -> bytes:
    net = Network((1, 1, 37))
    return net.build(net.dense(net.dense(net.input, 12, RELU, RECTIFIED), 5, bias=True))


@network
def dense_of_the_image() -> bytes:
    """Weights for all values of an image that nobody flattened."""
    net = Network((4, 5, 3))
    return net.build(net.dense(net.conv(net.input, 3, (3, 3)), 6, RELU6))


@network
def dense_of_every_pixel() -> bytes:
    net = Network((4, 5, 3))
    return net.build(net.dense(net.dense(net.input, 7, keep=True), 4, RELU, RECTIFIED, keep=True))


@network
def dense_one_scale() -> bytes:
    net = Network((1, 1, 23), (0.0371, 9))
    middle = net.dense(net.input, 9, RELU, (0.0533, -128), per_channel=False)
    return net.build(net.dense(middle, 1, quant=(0.0719, 3)))


@network
def dense_then_mean() -> bytes:
    net = Network((4, 5, 3))
    return net.build(net.mean(net.dense(net.input, 7, keep=True)))


@network
def lenet() -> bytes:
    net = Network((12, 12, 1), RECTIFIED)
    step = net.conv(net.input, 4, (5, 5), activation=RELU, quant=RECTIFIED)
    step = net.conv(net.max_pool(step, (2, 2), (2, 2)), 6, (3, 3), (1, 1), VALID, RELU)
    step = net.reshape(net.max_pool(step, (2, 2), (2, 2)), (24,))
    step = net.dense(net.dense(step, 16, RELU, RECTIFIED), 10, bias=True)
    return net.build(net.softmax(step))


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


NETWORKS |= {name: _pool_case(name) for name in _POOLS}


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


# ADD


@network
def add_two_scales() -> bytes:
    net = Network((4, 5, 3))
    one, two = net.conv(net.input, 4, quant=FINER), net.conv(net.input, 4, (3, 3), quant=(0.11, 40))
    return net.build(net.add(one, two, (0.13, -20)))


@network
def add_far_scales() -> bytes:
    """The second input is too small to count."""
    net = Network((4, 5, 2), (30.0, 0))
    return net.build(net.add(net.input, net.conv(net.input, 2, quant=(1e-9, 3)), (25.0, 7)))


@network
def add_relu() -> bytes:
    net = Network((4, 5, 3))
    return net.build(net.add(net.input, net.conv(net.input, 3), RECTIFIED, RELU))


@network
def add_to_itself() -> bytes:
    net = Network((3, 3, 3))
    return net.build(net.add(net.input, net.input, (0.1, 0)))


@network
def residual_over_several_operators() -> bytes:
    net = Network((9, 6, 3))
    trunk = net.conv(net.input, 4, (3, 3))
    branch = net.conv(trunk, 5, (3, 3), activation=RELU)
    branch = net.conv(net.max_pool(branch, (3, 3), (1, 1), SAME), 4, (5, 5))
    return net.build(net.conv(net.add(trunk, branch), 2, (3, 3), (2, 2)))


# RESHAPE


@network
def flatten_moves_rows() -> bytes:
    net = Network((4, 3, 2))
    return net.build(net.softmax(net.reshape(net.conv(net.input, 3, (3, 3)), (36,))))


@network
def reshape_to_more_rows() -> bytes:
    net = Network((4, 6, 2))
    wide = net.conv(net.input, 2)
    return net.build(net.conv(net.reshape(wide, (16, 1, 3)), 3, (3, 1)))


@network
def reshape_to_fewer_rows() -> bytes:
    net = Network((6, 2, 2))
    return net.build(net.conv(net.reshape(net.conv(net.input, 2), (4, 3, 2)), 3, (3, 3)))


@network
def reshape_of_the_image() -> bytes:
    net = Network((1, 1, 6))
    return net.build(net.softmax(net.reshape(net.input, (6,))))


@network
def reshape_only() -> bytes:
    net = Network((1, 1, 6))
    return net.build(net.reshape(net.input, (6,)))


@network
def reshape_of_the_image_in_concat() -> bytes:
    net = Network((1, 1, 6))
    same = net.reshape(net.input, (1, 1, 6))
    return net.build(net.concat([same, net.conv(net.input, 3)]))


@network
def reshape_after_mean() -> bytes:
    net = Network((4, 4, 3))
    pooled = net.mean(net.conv(net.input, 7), keep=True)
    return net.build(net.softmax(net.reshape(pooled, (7,))))


@network
def reshape_of_a_concatenated_tensor() -> bytes:
    net = Network((4, 4, 3))
    one = net.conv(net.input, 3)
    both = net.concat([one, net.conv(net.input, 2)])
    again = net.reshape(one, (4, 4, 3))
    return net.build(net.concat([net.conv(both, 4, (3, 3)), again]))


# CONCATENATION


@network
def fire() -> bytes:
    net = Network((7, 5, 3))
    squeeze = net.conv(net.input, 2, activation=RELU)
    expand = [net.conv(squeeze, 3, activation=RELU), net.conv(squeeze, 4, (3, 3), activation=RELU)]
    return net.build(net.mean(net.max_pool(net.concat(expand), (3, 3), (2, 2))))


@network
def dense_blocks() -> bytes:
    net = Network((8, 5, 2))
    first = net.conv(net.input, 3, (3, 3))
    grown = net.concat([first, net.conv(first, 2, (3, 3))])
    grown = net.concat([grown, net.conv(grown, 3, (5, 5))])
    grown = net.concat([net.conv(grown, 1), grown])
    return net.build(net.mean(grown))


@network
def concat_same_tensor_twice() -> bytes:
    net = Network((4, 3, 2))
    one = net.conv(net.input, 3)
    return net.build(net.conv(net.concat([one, one]), 2, (3, 3)))


@network
def concat_shares_with_another() -> bytes:
    net = Network((5, 4, 2))
    one, two = net.conv(net.input, 3), net.conv(net.input, 2, (3, 3))
    left = net.conv(net.concat([one, two]), 3, (3, 3))
    right = net.conv(net.concat([two, one]), 3)
    return net.build(net.add(left, right))


@network
def concat_with_the_image() -> bytes:
    net = Network((5, 4, 2))
    return net.build(net.conv(net.concat([net.input, net.conv(net.input, 3, (3, 3))]), 2))


@network
def concat_of_the_image_only() -> bytes:
    net = Network((3, 3, 1))
    return net.build(net.concat([net.input, net.input]))


@network
def concat_of_pooled() -> bytes:
    net = Network((9, 9, 3))
    pools = [
        net.max_pool(net.input, (3, 3), (2, 2)),
        net.average_pool(net.input, (3, 3), (2, 2)),
        net.conv(net.input, 2, (3, 3), (2, 2), VALID),
    ]
    return net.build(net.conv(net.concat(pools), 3, (3, 3), (2, 2)))


@network
def concat_of_global_pools() -> bytes:
    net = Network((5, 5, 3))
    one = net.average_pool(net.input, (5, 5), (5, 5))
    two = net.max_pool(net.conv(net.input, 4), (5, 5), (5, 5))
    return net.build(net.softmax(net.reshape(net.concat([one, two]), (7,))))


@network
def concat_of_ranks_2() -> bytes:
    net = Network((4, 4, 3))
    one, two = net.mean(net.input), net.mean(net.conv(net.input, 5))
    return net.build(net.concat([one, two]))


@network
def concat_is_the_output() -> bytes:
    net = Network((3, 3, 2))
    return net.build(net.concat([net.conv(net.input, 2), net.conv(net.input, 3, (3, 3))]))


@network
def concat_of_different_progress() -> bytes:
    """One input needs many more image rows than the other before its first row is there."""
    net = Network((16, 3, 2))
    deep = net.input
    for _ in range(4):
        deep = net.conv(deep, 2, (5, 3))
    return net.build(net.mean(net.conv(net.concat([net.conv(net.input, 2), deep]), 3, (3, 3))))


@network
def logits_used_twice() -> bytes:
    """The logits also lie in a concatenation that nobody reads."""
    net = Network((3, 3, 2))
    logits = net.conv(net.input, 3)
    net.concat([net.conv(net.input, 2), logits])
    return net.build(net.softmax(logits))


@network
def output_used_twice() -> bytes:
    net = Network((3, 3, 2))
    output = net.conv(net.input, 3, (3, 3))
    net.mean(net.concat([net.conv(output, 2), output]))
    return net.build(output)


@network
def unused_branch() -> bytes:
    net = Network((6, 5, 2))
    trunk = net.conv(net.input, 3, (3, 3))
    net.max_pool(net.conv(trunk, 2, (3, 3), (2, 2)), (2, 2), (2, 2))
    return net.build(net.mean(trunk))


# SOFTMAX


@network
def softmax_of_every_pixel() -> bytes:
    net = Network((3, 3, 5))
    return net.build(net.softmax(net.conv(net.input, 5), 0.7))


@network
def softmax_only() -> bytes:
    net = Network((3, 5, 3), (0.3, 11))
    return net.build(net.softmax(net.input))


@network
def softmax_of_one_channel() -> bytes:
    net = Network((3, 5, 1))
    return net.build(net.softmax(net.input))


@network
def softmax_sharp() -> bytes:
    net = Network((1, 1, 9), (4.0, 0))
    return net.build(net.softmax(net.input, 3.0))


@network
def softmax_of_many_classes() -> bytes:
    net = Network((1, 1, 511), (0.0001, 0))
    return net.build(net.softmax(net.input))


@network
def strange_names() -> bytes:
    net = Network((3, 3, 2))
    output = net.softmax(net.add(net.conv(net.input, 2), net.max_pool(net.input, (1, 1), (1, 1))))
    for tensor in net.builder.subgraph.tensors:
        tensor.name = '*/ #error "/* \\ é\n'
    return net.build(output)


@network
def every_operator() -> bytes:
    """All kernels of the runtime in one program."""
    net = Network((9, 8, 3))
    first = net.conv(net.input, 4, (3, 3), (2, 2))
    pooled = net.average_pool(net.max_pool(first, (3, 3), (1, 1), SAME), (3, 3), (1, 1), SAME)
    summed = net.add(first, pooled, USUAL)
    both = net.concat(
        [net.conv(net.depthwise(summed), 2), summed, net.conv(net.reshape(summed, (5, 4, 4)), 1)]
    )
    moved = net.conv(net.reshape(net.concat([both, both]), (4, 5, 14)), 5)
    one = net.dense(net.mean(net.depthwise(moved), USUAL, keep=True), 5, keep=True)
    two = net.average_pool(net.conv(both, 5), (5, 4), (5, 4))
    three = net.average_pool(both, (5, 4), (5, 4))
    moved = net.resize_nearest(net.pad(summed, [(1, 0), (0, 0), (0, 0)], 5), (6, 4))
    moved = net.depth_to_space(net.space_to_depth(moved, 2), 2)
    moved = net.binary_of(moved, net.unary(moved, "HARD_SWISH", USUAL), "MUL", USUAL, NONE)
    four = net.mean(net.conv(moved, 6, (3, 3), groups=2), USUAL, keep=True)
    return net.build(net.softmax(net.concat([one, two, three, four])))


NETWORKS |= MOVED
