"""Small networks of operators that move values, and of grouped convolutions."""

from collections.abc import Callable

from support.networks import FINER, RECTIFIED, USUAL, Network, Pair
from support.tflite_builder import NONE, RELU, SAME, VALID

MOVED: dict[str, Callable[[], bytes]] = {}
AROUND: list[Pair] = [(1, 1), (1, 1), (0, 0)]
WHOLE = slice(None)


def network(build: Callable[[], bytes]) -> Callable[[], bytes]:
    MOVED[build.__name__] = build
    return build


# PAD: of the image, into windows, and where windows cannot take it

_PADS: dict[str, tuple[list[Pair], int | None]] = {
    "pad_around": (AROUND, None),
    "pad_one_side": ([(0, 3), (2, 0), (0, 0)], None),
    "pad_channels": ([(0, 0), (0, 0), (1, 3)], None),
    "pad_everything": ([(2, 1), (1, 2), (3, 1)], None),
    "pad_with_a_value": ([(1, 2), (0, 1), (0, 1)], 77),
}


def _pad_case(name: str) -> Callable[[], bytes]:
    pads, fill = _PADS[name]

    def build() -> bytes:
        net = Network((4, 5, 3))
        return net.build(net.conv(net.pad(net.input, pads, fill), 3))

    return build


MOVED |= {name: _pad_case(name) for name in _PADS}


@network
def pad_only() -> bytes:
    net = Network((3, 2, 2))
    return net.build(net.pad(net.input, [(1, 0), (0, 2), (1, 1)]))


@network
def pad_folded_into_convolutions() -> bytes:
    """As a ResNet's first layer; its shortcut reads the same padded rows."""
    net = Network((9, 8, 3))
    padded = net.pad(net.input, [(1, 2), (2, 1), (0, 0)])
    one = net.conv(padded, 4, (4, 4), (2, 2), VALID, RELU)
    two = net.conv(padded, 4, (3, 3), (2, 2), VALID)
    return net.build(net.add(net.part(two, (0, 0, 0), (5, 4, 4)), one))


@network
def pad_folded_into_depthwise() -> bytes:
    """As a MobileNet's convolutions of stride 2."""
    net = Network((8, 8, 4), RECTIFIED)
    padded = net.pad(net.input, [(0, 1), (0, 1), (0, 0)])
    return net.build(net.depthwise(padded, (3, 3), (2, 2), VALID, RELU, RECTIFIED))


@network
def pads_in_a_row_folded() -> bytes:
    net = Network((5, 6, 4))
    step = net.pad(net.pad(net.input, [(1, 0), (0, 1), (0, 0)]), [(0, 1), (2, 0), (0, 0)])
    return net.build(net.conv(step, 4, (3, 3), (1, 1), VALID))


@network
def pad_folded_into_same_padding() -> bytes:
    net = Network((5, 6, 4))
    return net.build(net.conv(net.pad(net.input, AROUND), 4, (3, 3), (1, 1), SAME))


@network
def pad_folded_into_max_pool() -> bytes:
    """The zero point is the lowest value, so it never is the only maximum."""
    net = Network((9, 9, 3), RECTIFIED)
    return net.build(net.max_pool(net.pad(net.input, AROUND), (3, 3), (2, 2)))


@network
def pad_before_max_pool() -> bytes:
    """The zero point may be the maximum: it stays."""
    net = Network((7, 6, 3), (0.05, 60))
    return net.build(net.max_pool(net.pad(net.input, AROUND), (3, 3), (2, 2)))


@network
def pad_before_average_pool() -> bytes:
    net = Network((7, 6, 4))
    return net.build(net.average_pool(net.pad(net.input, AROUND), (3, 3), (2, 2)))


@network
def pad_wider_than_the_window() -> bytes:
    net = Network((4, 4, 2))
    return net.build(
        net.conv(net.pad(net.input, [(3, 3), (0, 3), (0, 0)]), 3, (3, 3), padding=VALID)
    )


@network
def pad_with_two_kinds_of_readers() -> bytes:
    """One of them cannot take it, so it stays for both."""
    net = Network((6, 6, 3))
    padded = net.pad(net.conv(net.input, 3), AROUND)
    one = net.conv(padded, 3, (3, 3), padding=VALID)
    return net.build(net.add(one, net.average_pool(padded, (3, 3), (1, 1))))


@network
def pad_is_observed() -> bytes:
    net = Network((3, 3, 4))
    padded = net.pad(net.conv(net.input, 4), AROUND)
    net.conv(padded, 2, (3, 3), padding=VALID)
    return net.build(padded)


@network
def shortcut_with_more_channels() -> bytes:
    """ResNet's identity shortcut: every second pixel, zeros for the new channels."""
    net = Network((8, 6, 4))
    main = net.conv(net.conv(net.input, 8, (3, 3), (2, 2), activation=RELU), 8, (3, 3))
    short = net.average_pool(net.input, (1, 1), (2, 2))
    return net.build(net.add(main, net.pad(short, [(0, 0), (0, 0), (2, 2)])))


# SLICE and STRIDED_SLICE

_SLICES: dict[str, tuple[slice, slice, slice]] = {
    "slice_rows": (slice(2, 5), WHOLE, WHOLE),
    "slice_columns": (WHOLE, slice(1, -1), WHOLE),
    "slice_channels": (WHOLE, WHOLE, slice(1, 4)),
    "slice_everywhere": (slice(1, 6), slice(3, None), slice(None, 2)),
    "slice_every_second": (slice(None, None, 2), slice(1, None, 2), WHOLE),
    "slice_every_third_channel": (slice(-3, None), WHOLE, slice(None, None, 3)),
    "slice_past_the_end": (slice(-99, 99), slice(4, 99, 5), WHOLE),
    "slice_one_value": (slice(6, 7), slice(2, 3), slice(4, 5)),
}


def _slice_case(name: str) -> Callable[[], bytes]:
    parts = _SLICES[name]

    def build() -> bytes:
        net = Network((7, 6, 5))
        return net.build(net.conv(net.strided_slice(net.conv(net.input, 5), parts), 3))

    return build


MOVED |= {name: _slice_case(name) for name in _SLICES}


@network
def slice_of_the_image() -> bytes:
    net = Network((6, 5, 3))
    return net.build(net.part(net.input, (1, 0, 1), (-1, 3, 2)))


@network
def split_and_joined_again() -> bytes:
    """As a ShuffleNet's halves."""
    net = Network((5, 4, 6))
    left, right = (net.part(net.input, (0, 0, first), (-1, -1, 3)) for first in (0, 3))
    return net.build(net.concat([net.conv(left, 3, (3, 3)), right, left]))


# RESIZE_NEAREST_NEIGHBOR: size, align_corners, half_pixel_centers

_SIZES: dict[str, tuple[Pair, bool, bool]] = {
    "resize_twice": ((8, 12), False, False),
    "resize_twice_half_pixel": ((8, 12), False, True),
    "resize_up": ((7, 11), False, False),
    "resize_up_corners": ((7, 11), True, False),
    "resize_up_both": ((9, 7), True, True),
    "resize_down": ((3, 4), False, True),
    "resize_down_corners": ((1, 2), True, False),
    "resize_one_each_way": ((13, 5), False, False),
}


def _resize_case(name: str, method: str) -> Callable[[], bytes]:
    size, corners, half = _SIZES[name]

    def build() -> bytes:
        net = Network((4, 6, 3))
        resized = getattr(net, method)(net.conv(net.input, 3), size, corners, half)
        return net.build(net.conv(resized, 2, (3, 3)))

    return build


MOVED |= {name: _resize_case(name, "resize_nearest") for name in _SIZES}
MOVED |= {
    f"bilinear_{name}": _resize_case(name, "resize_bilinear")
    for name, (_, corners, half) in _SIZES.items()
    if not (corners and half)
}


@network
def encoder_and_decoder() -> bytes:
    """As a U-Net: half the size, back again, beside what was there."""
    net = Network((8, 8, 3))
    first = net.conv(net.input, 4, (3, 3), activation=RELU)
    low = net.conv(net.max_pool(first, (2, 2), (2, 2)), 4, (3, 3), activation=RELU)
    both = net.concat([net.resize_nearest(low, (8, 8)), first])
    return net.build(net.conv(both, 2, (3, 3)))


# SPACE_TO_DEPTH and DEPTH_TO_SPACE


@network
def space_to_depth() -> bytes:
    net = Network((6, 8, 3))
    return net.build(net.conv(net.space_to_depth(net.input, 2), 4))


@network
def space_to_depth_of_three() -> bytes:
    net = Network((6, 9, 2))
    return net.build(net.space_to_depth(net.conv(net.input, 2), 3))


@network
def depth_to_space() -> bytes:
    net = Network((3, 4, 12))
    return net.build(net.conv(net.depth_to_space(net.input, 2), 2, (3, 3)))


@network
def depth_to_space_of_three() -> bytes:
    net = Network((2, 3, 9))
    return net.build(net.depth_to_space(net.conv(net.input, 18), 3))


@network
def there_and_back() -> bytes:
    net = Network((4, 4, 4))
    return net.build(net.add(net.depth_to_space(net.space_to_depth(net.input, 2), 2), net.input))


# TILE, and what converters make of several operators


@network
def tile_rows_and_columns() -> bytes:
    """The whole map again and again: all of its rows are held."""
    net = Network((3, 4, 2))
    return net.build(net.conv(net.tile(net.conv(net.input, 2), (2, 3, 1)), 3, (3, 3)))


@network
def upsampled_by_five_axes() -> bytes:
    net = Network((3, 4, 3))
    return net.build(net.conv(net.upsample(net.conv(net.input, 3), (2, 3)), 2, (3, 3)))


@network
def upsampled_image() -> bytes:
    net = Network((2, 3, 4))
    return net.build(net.upsample(net.input, (3, 1)))


@network
def pixels_shuffled_by_five_axes() -> bytes:
    net = Network((3, 2, 4))
    return net.build(net.pixel_shuffle(net.conv(net.input, 8), 2))


@network
def squares_joined_by_five_axes() -> bytes:
    net = Network((4, 6, 3))
    step = net.reshape(net.input, (2, 2, 3, 2, 3))
    step = net.reshape(net.transpose(step, (0, 2, 1, 3, 4)), (2, 3, 12))
    return net.build(net.conv(step, 4))


# Values moved into a concatenation


@network
def moved_side_by_side() -> bytes:
    net = Network((4, 6, 4))
    parts = [
        net.pad(net.part(net.input, (1, 1, 0), (3, 5, 4)), [(1, 0), (0, 1), (1, 0)]),
        net.resize_nearest(net.average_pool(net.input, (2, 2), (2, 2)), (4, 6)),
        net.depth_to_space(net.conv(net.input, 8, (2, 2), (2, 2)), 2),
        net.strided_slice(net.input, (WHOLE, WHOLE, slice(None, None, 2))),
    ]
    return net.build(net.conv(net.concat(parts), 3, (3, 3)))


# Grouped convolutions: groups, kernel, stride, outputs


_GROUPED: dict[str, tuple[int, Pair, Pair, int]] = {
    "grouped_by_2": (2, (3, 3), (1, 1), 6),
    "grouped_by_4": (4, (1, 1), (1, 1), 4),
    "grouped_stride_2": (2, (3, 3), (2, 2), 8),
    "grouped_1x3": (4, (1, 3), (1, 2), 12),
    "grouped_by_every_channel": (8, (3, 3), (1, 1), 16),
}


def _grouped_case(name: str) -> Callable[[], bytes]:
    groups, kernel, stride, outputs = _GROUPED[name]

    def build() -> bytes:
        net = Network((5, 6, 8))
        step = net.conv(net.input, outputs, kernel, stride, SAME, RELU, FINER, groups=groups)
        return net.build(step)

    return build


MOVED |= {name: _grouped_case(name) for name in _GROUPED}


@network
def grouped_one_scale_padded() -> bytes:
    net = Network((5, 4, 6))
    padded = net.pad(net.input, AROUND)
    return net.build(
        net.conv(padded, 4, (3, 3), padding=VALID, per_channel=False, groups=2, quant=USUAL)
    )


@network
def grouped_then_mean() -> bytes:
    """In and out of concatenations, then reduced."""
    net = Network((5, 4, 4))
    both = net.concat([net.conv(net.input, 2), net.conv(net.input, 4)])
    joined = net.concat([net.conv(both, 4, (3, 3), groups=2, activation=NONE), both])
    return net.build(net.mean(net.conv(joined, 5, (1, 1), groups=5)))


# SPLIT, UNPACK, GATHER, shuffles


@network
def split_read_whole() -> bytes:
    """Both halves of one SPLIT, of which a third output is read by nobody."""
    net = Network((4, 5, 9))
    first = net.split(net.input, 2, [3, 3, 3], 0)
    second = first + 1
    return net.build(net.concat([net.conv(second, 3), first]))


@network
def unpacked_columns() -> bytes:
    """Columns of a map, each a row of its own; the image is the input of an UNPACK."""
    net = Network((4, 3, 5))
    last = net.unpack(net.input, 1)
    return net.build(net.conv(net.reshape(last, (1, 4, 5)), 3))


@network
def gathered_backwards() -> bytes:
    """Rows from the last to the first: the whole map is held."""
    net = Network((6, 3, 4))
    rows = net.gather(net.conv(net.input, 4), 0, [5, 4, 3, 3, 1, 0])
    return net.build(net.conv(net.gather(rows, 2, [2, 2, 0, 3, 1]), 2))


@network
def shuffled_channels() -> bytes:
    """As a ShuffleNet's unit: halves of the channels, a shuffle behind."""
    net = Network((4, 4, 12))
    left = net.split(net.input, 2, [6, 6], 0)
    both = net.concat([left, net.conv(left + 1, 6, quant=USUAL)])
    return net.build(net.conv(net.shuffle(both, 2), 3))
