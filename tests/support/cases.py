"""Small int8 networks, one difficulty each: name to .tflite."""

from collections.abc import Callable

from support.along_cases import ALONG
from support.moved_cases import MOVED
from support.networks import FINER, RECTIFIED, USUAL, Network
from support.sequence_cases import REMEMBERING
from support.tflite_builder import NONE, RELU, RELU6, SAME, VALID
from support.value_cases import VALUE_NETWORKS
from support.window_cases import WINDOWED

NETWORKS: dict[str, Callable[[], bytes]] = {
    **VALUE_NETWORKS,
    **WINDOWED,
    **MOVED,
    **REMEMBERING,
    **ALONG,
}


def network(build: Callable[[], bytes]) -> Callable[[], bytes]:
    NETWORKS[build.__name__] = build
    return build


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
    curve = net.max_pool(net.unary(moved, "HARD_SWISH", USUAL), (1, 1), (1, 1))
    moved = net.binary(moved, curve, "MUL", USUAL, NONE)
    four = net.mean(net.conv(moved, 6, (3, 3), groups=2), USUAL, keep=True)
    return net.build(net.softmax(net.concat([one, two, three, four])))
