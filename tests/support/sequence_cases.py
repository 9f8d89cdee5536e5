"""Small networks that keep state from one image to the next; images are steps of a sequence."""

from collections.abc import Callable

from support.networks import FINER, RECTIFIED, Network
from support.tflite_builder import RELU

REMEMBERING: dict[str, Callable[[], bytes]] = {}


def _network(build: Callable[[], bytes]) -> Callable[[], bytes]:
    REMEMBERING[build.__name__] = build
    return build


@_network
def svdf() -> bytes:
    net = Network((12,))
    return net.build(net.svdf(net.input, 8, 5))


@_network
def svdf_of_one_value() -> bytes:
    net = Network((1,))
    return net.build(net.svdf(net.input, 3, 1, bias=False))


@_network
def svdf_of_rank_two() -> bytes:
    """The features of one output lie side by side."""
    net = Network((7,), FINER)
    return net.build(net.svdf(net.input, 5, 6, 2, FINER))


@_network
def svdf_of_keywords() -> bytes:
    """Filters and layers that make them narrow in turn, and a softmax, as `keyword_scrambled`."""
    net = Network((24,), RECTIFIED)
    one = net.dense(net.svdf(net.input, 16, 8, quant=RECTIFIED), 6)
    two = net.svdf(net.svdf(one, 12, 4, quant=RECTIFIED), 8, 9, quant=FINER)
    return net.build(net.softmax(net.dense(two, 4)))


@_network
def svdf_behind_a_convolution() -> bytes:
    """State lives through the steps in which rings of rows come and go."""
    net = Network((6, 5, 3))
    conv = net.conv(net.input, 4, (3, 3), (2, 2), activation=RELU)
    return net.build(net.svdf(net.dense(conv, 9), 5, 3))


@_network
def lstm() -> bytes:
    """Steps of time in each image, and state from one image to the next."""
    net = Network((5, 6))
    return net.build(net.lstm(net.input, 7))


@_network
def lstm_of_one_step() -> bytes:
    net = Network((1, 4), FINER)
    return net.build(net.lstm(net.input, 3, (0.0071, -9), cell=11))


@_network
def lstm_that_clips() -> bytes:
    net = Network((6, 3), RECTIFIED)
    return net.build(net.lstm(net.input, 5, cell=9, clip=0.6))


@_network
def lstm_of_the_finest_cell() -> bytes:
    net = Network((4, 9))
    return net.build(net.lstm(net.input, 6, (0.0062, 13), cell=15, clip=0))


@_network
def lstm_of_digits() -> bytes:
    """Two over rows of an image, and a layer over what all steps put out."""
    net = Network((8, 8), RECTIFIED)
    last = net.lstm(net.lstm(net.input, 10), 6, cell=13)
    return net.build(net.softmax(net.dense(last, 4)))
