"""Small networks that reduce along axes, or put axes in another order."""

from collections.abc import Callable

from support.networks import FINER, Network

ALONG: dict[str, Callable[[], bytes]] = {}


def network(build: Callable[[], bytes]) -> Callable[[], bytes]:
    ALONG[build.__name__] = build
    return build


@network
def transposed_within_rows() -> bytes:
    """Columns and channels change places: one row in, one row out."""
    net = Network((5, 6, 3))
    return net.build(net.conv(net.transpose(net.conv(net.input, 4), (0, 2, 1)), 2))


@network
def transposed_image() -> bytes:
    """An image [C, H, W], as PyTorch has it."""
    net = Network((3, 6, 5))
    return net.build(net.conv(net.transpose(net.input, (1, 2, 0)), 4, (3, 3)))


@network
def transposed_to_channels_first() -> bytes:
    net = Network((4, 5, 3))
    return net.build(net.dense(net.transpose(net.conv(net.input, 6), (2, 0, 1)), 5))


@network
def sums_along_rows() -> bytes:
    """Sums of negative values, which LiteRT takes for uint8."""
    net = Network((6, 5, 4), (0.05, 40))
    return net.build(net.reduce(net.input, "SUM", [0], (0.2, -30), keep=True))


@network
def attention_over_pixels() -> bytes:
    """Mean and greatest value of each pixel's channels, side by side, as CBAM has them."""
    net = Network((5, 6, 8))
    mean = net.reduce(net.input, "MEAN", [2], keep=True)
    most = net.reduce(net.input, "REDUCE_MAX", [2], keep=True)
    return net.build(net.conv(net.concat([mean, most]), 1, (3, 3)))


@network
def least_of_columns() -> bytes:
    net = Network((4, 4, 4))
    return net.build(net.reduce(net.conv(net.input, 4), "REDUCE_MIN", [0, 2], keep=True))


@network
def mean_along_columns_without_them() -> bytes:
    net = Network((4, 6, 3))
    rows = net.reduce(net.input, "MEAN", [1], FINER)
    return net.build(net.dense(net.reshape(rows, (1, 4, 3)), 2, keep=True))


@network
def rows_below_rows() -> bytes:
    """Maps of other heights and widths put together without a copy, read whole and by parts."""
    net = Network((5, 6, 3))
    one = net.conv(net.input, 4, (3, 3))
    two = net.conv(net.input, 4, (3, 3), (2, 2))
    wide = net.concat([net.max_pool(one, (2, 2), (2, 2)), net.part(two, (0, 0, 0), (2, 3, 4))], 1)
    tall = net.concat([one, net.part(wide, (0, 0, 0), (2, 6, 4)), one], 0)
    return net.build(net.conv(tall, 3, (3, 3)))


@network
def transposed_part() -> bytes:
    """What is transposed as a whole is copied into what holds it."""
    net = Network((4, 4, 3))
    one, two = net.conv(net.input, 4), net.conv(net.input, 4, (3, 3))
    both = net.concat([one, two], 0)
    turned = net.transpose(two, (1, 0, 2))
    return net.build(net.concat([net.part(both, (4, 0, 0), (4, 4, 4)), turned]))


@network
def packed_pixels() -> bytes:
    net = Network((1, 5, 3))
    one, two = (net.reshape(net.conv(net.input, 4), (5, 4)) for _ in range(2))
    return net.build(net.conv(net.pack([one, two, one], 1), 2))


@network
def mask_of_pixels() -> bytes:
    """A value of each pixel, computed, by all channels; and constants of each pixel."""
    net = Network((5, 6, 8))
    mask = net.reduce(net.input, "MEAN", [2], keep=True)
    masked = net.binary(net.input, mask, "MUL", (0.2, 3))
    return net.build(net.by_constant(masked, "ADD", (5, 6, 8), FINER, (0.2, -7)))


@network
def rows_meet_columns() -> bytes:
    """A row and a column make a map; constants of each row and of each column on the way."""
    net = Network((5, 6, 4))
    row = net.part(net.input, (0, 0, 0), (1, 6, 4))
    column = net.part(net.input, (0, 0, 0), (5, 1, 4))
    both = net.by_constant(net.binary(row, column, "SUB"), "MUL", (5, 1, 1), FINER)
    return net.build(net.by_constant(both, "ADD", (1, 6, 4), FINER, first=True))
