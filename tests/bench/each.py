"""One operator after the other on small maps: what `make bench BENCH=--values` measures."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from support.networks import FINER, USUAL, Network
from support.tflite_builder import RELU, SAME

SIDE, CHANNELS = 8, 16
AT_ONCE = 10
"""Operators in one network; a microbit has RAM for no more."""

_BEFORE, _BEHIND = "before", "behind"


@dataclass(frozen=True)
class Given:
    """What an operator may read.

    Attributes:
        map, other: int8 [SIDE, SIDE, CHANNELS].
        column: int8 [SIDE, 1, CHANNELS].
        pixel: int8 [CHANNELS].
        sequence: int8 [SIDE, CHANNELS].
    """

    map: int
    other: int
    column: int
    pixel: int
    sequence: int


_Add = Callable[[Network, Given], int]
_AXES = {"rows": [0], "columns": [1], "channels": [2], "pixels": [0, 1]}
_REDUCED = {"MEAN": FINER, "SUM": (2.0, 0), "REDUCE_MAX": USUAL}
_ONE = ("ABS", "EXP", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "RELU")


def _reduced(kind: str, axes: list[int]) -> _Add:
    return lambda net, of: net.reduce(of.map, kind, axes, _REDUCED[kind], keep=True)


def _two(kind: str) -> _Add:
    quant = USUAL if kind == "MAXIMUM" else FINER
    return lambda net, of: net.binary(of.map, of.other, kind, quant)


def _one(kind: str) -> _Add:
    quant = (1 / 256, -128) if kind == "LOGISTIC" else FINER
    return lambda net, of: net.unary(of.map, kind, quant)


OPERATORS: Mapping[str, _Add] = {
    "CONV_2D, 1x1": lambda net, of: net.conv(of.map, CHANNELS),
    "CONV_2D, 3x3": lambda net, of: net.conv(of.map, CHANNELS, (3, 3), activation=RELU),
    "CONV_2D, 3x3, stride 2": lambda net, of: net.conv(of.map, CHANNELS, (3, 3), (2, 2)),
    "CONV_2D, 5x5": lambda net, of: net.conv(of.map, CHANNELS, (5, 5)),
    "CONV_2D, 1x7": lambda net, of: net.conv(of.map, CHANNELS, (1, 7)),
    "CONV_2D, 3x3, dilated": lambda net, of: net.conv(of.map, 16, (3, 3), dilation=(2, 2)),
    "CONV_2D, 3x3, 4 groups": lambda net, of: net.conv(of.map, CHANNELS, (3, 3), groups=4),
    "DEPTHWISE_CONV_2D, 3x3": lambda net, of: net.depthwise(of.map),
    "DEPTHWISE_CONV_2D, 5x5": lambda net, of: net.depthwise(of.map, (5, 5)),
    "DEPTHWISE_CONV_2D, 3x3, dilated": lambda net, of: net.depthwise(of.map, dilation=(2, 2)),
    "TRANSPOSE_CONV, 2x2, stride 2": lambda net, of: net.transpose_conv(of.map, 16, (2, 2)),
    "TRANSPOSE_CONV, 3x3, stride 2": lambda net, of: net.transpose_conv(of.map, 16),
    "FULLY_CONNECTED": lambda net, of: net.dense(of.map, CHANNELS),
    "SVDF, 8 units, 5 steps": lambda net, of: net.svdf(of.pixel, 8, 5),
    "UNIDIRECTIONAL_SEQUENCE_LSTM, 8 units": lambda net, of: net.lstm(of.sequence, 8),
    "MAX_POOL_2D, 2x2": lambda net, of: net.max_pool(of.map, (2, 2), (2, 2)),
    "MAX_POOL_2D, 3x3, stride 2": lambda net, of: net.max_pool(of.map, (3, 3), (2, 2)),
    "AVERAGE_POOL_2D, 2x2": lambda net, of: net.average_pool(of.map, (2, 2), (2, 2)),
    "AVERAGE_POOL_2D, 3x3, stride 2": lambda net, of: net.average_pool(of.map, (3, 3), (2, 2)),
    **{
        f"{kind} of {name}": _reduced(kind, axes)
        for kind in _REDUCED
        for name, axes in _AXES.items()
    },
    **{
        f"{kind} of two maps": _two(kind)
        for kind in ("ADD", "SUB", "MUL", "MAXIMUM", "SQUARED_DIFFERENCE", "PRELU")
    },
    "ADD of a map and a pixel": lambda net, of: net.add(of.map, of.pixel),
    "ADD of a map and a column": lambda net, of: net.add(of.map, of.column),
    "ADD by a constant": lambda net, of: net.by_constant(of.map, "ADD", (), FINER),
    "ADD by channel": lambda net, of: net.by_constant(of.map, "ADD", (CHANNELS,), FINER),
    "ADD by pixel": lambda net, of: net.by_constant(of.map, "ADD", (SIDE, SIDE, 1), FINER),
    "MUL by channel": lambda net, of: net.by_constant(of.map, "MUL", (CHANNELS,), FINER),
    "PRELU by channel": lambda net, of: net.by_constant(of.map, "PRELU", (CHANNELS,), (0.002, 0)),
    **{kind: _one(kind) for kind in _ONE},
    "SOFTMAX": lambda net, of: net.softmax(of.map),
    "CONCATENATION of channels": lambda net, of: net.concat([of.map, of.other]),
    "CONCATENATION of rows": lambda net, of: net.concat([of.map, of.other], 0),
    "PACK of columns": lambda net, of: net.pack([of.sequence] * 2, 1),
    "RESHAPE to a vector": lambda net, of: net.reshape(of.map, (SIDE * SIDE * CHANNELS,)),
    "RESHAPE to 4 channels": lambda net, of: net.reshape(of.map, (64, 4, 4)),
    "PAD": lambda net, of: net.pad(of.map, ((1, 1), (1, 1), (0, 0))),
    "SLICE of columns": lambda net, of: net.part(of.map, (0, 1, 0), (-1, 6, -1)),
    "SPLIT of channels": lambda net, of: net.split(of.map, 2, (8, 8)),
    "UNPACK of rows": lambda net, of: net.unpack(of.map, 0),
    "GATHER of channels": lambda net, of: net.gather(of.map, 2, range(CHANNELS - 1, -1, -1)),
    "channels shuffled, 4 groups": lambda net, of: net.shuffle(of.map, 4),
    "TRANSPOSE of rows and columns": lambda net, of: net.transpose(of.map, (1, 0, 2)),
    "TRANSPOSE to channels first": lambda net, of: net.transpose(of.map, (2, 0, 1)),
    "RESIZE_NEAREST_NEIGHBOR": lambda net, of: net.resize_nearest(of.map, (16, 16)),
    "RESIZE_BILINEAR": lambda net, of: net.resize_bilinear(of.map, (16, 16), half_pixel=True),
    "SPACE_TO_DEPTH": lambda net, of: net.space_to_depth(of.map, 2),
    "DEPTH_TO_SPACE": lambda net, of: net.depth_to_space(of.map, 2),
    "TILE": lambda net, of: net.tile(of.map, (1, 2, 1)),
    "BROADCAST_TO": lambda net, of: net.broadcast(of.column, (SIDE, SIDE, CHANNELS)),
}
"""What is measured, by the name in the table."""


def network(names: Iterable[str]) -> tuple[bytes, dict[str, int]]:
    """Return a .tflite whose layers are called after the operators, and how many values each takes.

    Each operator reads the input, perhaps by way of a layer called _BEFORE; what it makes is
    reduced to a pixel, so that no map is kept. Values are the input's or the output's, whichever
    are more.
    """
    net, values = Network((SIDE, SIDE, CHANNELS)), {}
    other = net.max_pool(net.input, (3, 3), (1, 1), SAME)
    column = net.reduce(net.input, "REDUCE_MAX", [1], keep=True)
    sequence = net.reshape(column, (SIDE, CHANNELS))
    pixel = net.reduce(net.input, "REDUCE_MAX", [0, 1])
    _call(net, _BEFORE)
    given, ends = Given(net.input, other, column, pixel, sequence), []
    for name in names:
        made = OPERATORS[name](net, given)
        _call(net, name)
        values[name] = max(SIDE * SIDE * CHANNELS, int(np.prod(net.shapes[made])))
        ends.append(net.global_max(made) if len(net.shapes[made]) == 3 else made)
        _call(net, _BEHIND)
    return net.build(*ends), values


def _call(net: Network, name: str) -> None:
    """Call the layers that have no name yet."""
    for number, tensor in enumerate(net.builder.subgraph.tensors):
        if tensor.name.startswith("layer"):
            tensor.name = f"{name}/{number}"
