"""Depthwise convolutions with windows of any shape on the DSP extension.

Two rows of a column make the 16-bit lanes of a word, so that all under a window is one run of words
and each multiplication takes two taps. Weights stay int8 and become lanes on the board.
Mirror: firmware/src/dsp/esq_depthwise_windows_dsp.c, esq_window_sums_kernel.S.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgesq.arithmetic import Int64Array, channel_sums, conv2d_multipliers
from edgesq.graph import Graph, Int8Array
from edgesq.integers import ceil_div, round_up
from edgesq.kernels.conv_params import ConvParams
from edgesq.kernels.counts import FOUR, Counts, pixels_of_a_row, priced, runs_of
from edgesq.kernels.dsp.endings import fits_linear
from edgesq.kernels.initializer import Fields, Value, array, clamp_fields
from edgesq.kernels.kernel import Kernel
from edgesq.operators import DepthwiseConv2D

_TOGETHER = 3
"""Windows, and words of each that are taken at a time. Mirror: ESQ_DSP_WINDOWS,
ESQ_DSP_WINDOW_STEP."""

_WORD_BYTES = 4
_MOST_BYTES = 1_536
"""Of working memory for the fewest windows; beyond, portable C does."""

_END_BYTES = 9
"""Per channel: bias, multiplier and right shift; one more where another channel ends exactly."""

_PRICES = {
    "tiles": 450.0,
    "pairs": 55.0,
    "columns": 17.0,
    "columns of one": 9.0,
    "channels": 120.0,
    "words": 3.5,
    "triples": 15.0,
    "steps": 15.0,
    "short": 10.0,
    "exact": 26.0,
    "clamped": 2.6,
}
"""Instructions per count of `instructions`."""


@dataclass(frozen=True)
class Packed:
    """A depthwise convolution for the kernel.

    Attributes:
        taps: int8 [C, words / 2, 4]: of two words the lower lanes, then the upper ones.
        bias: int64 [C], the input's zero point folded in.
        right: uint8 [C]: shifts of the short requantization, 0 where it is not exact.
    """

    taps: Int8Array
    bias: Int64Array
    right: NDArray[np.uint8]


def kernels(graph: Graph, op: DepthwiseConv2D, portable: Kernel, family: str) -> Iterator[Kernel]:
    """Yield the kernels of an operator, best first; the portable one where memory does not do."""
    width = graph.tensors[op.output].hwc[1]
    fewest = min(width, _TOGETHER)
    if work_bytes(graph, op, fewest) > _MOST_BYTES:
        yield portable
        return
    for pixels in pixels_of_a_row(width):
        if pixels >= fewest:
            yield replace(
                portable,
                family=family,
                name="esq_run_depthwise_conv2d_windows",
                pixels=pixels,
                work_bytes=work_bytes(graph, op, pixels),
            )


def work_bytes(graph: Graph, op: DepthwiseConv2D, pixels: int) -> int:
    """Return the bytes of a channel's weights, and of columns under `pixels` windows."""
    weights, lanes = round_up(_words(op), 2), _columns(op, round_up(pixels, _TOGETHER)) * _pairs(op)
    return _WORD_BYTES * (weights + _set_out_together(graph, op) * lanes + 2)


def extra_bytes(graph: Graph, op: DepthwiseConv2D) -> int:
    """Return the bytes by which all that is stored per channel exceeds weights and biases."""
    exact = 1 if not pack(graph, op).right.all() else 0
    taps = op.window.height * op.window.width
    each = 2 * round_up(_words(op), 2) + _END_BYTES + exact
    return graph.tensors[op.bias].shape[0] * (each - taps - 4)


def instructions(graph: Graph, op: DepthwiseConv2D, pixels: int) -> float:
    """Estimate what firmware/src/dsp/esq_depthwise_windows_dsp.c does, by what it repeats."""
    height, width, channels = graph.tensors[op.output].hwc
    together, runs = _set_out_together(graph, op), runs_of(width, pixels)
    sets = height * graph.tensors[op.inputs[0]].hwc[2] / together
    image = graph.tensors[op.inputs[0]].hwc[1]
    columns = sets * sum(min(_columns(op, run), image) for run in runs)
    triples = height * channels * sum(ceil_div(run, _TOGETHER) for run in runs)
    short = float((pack(graph, op).right > 0).mean())
    values, tiles = height * width * channels, height * len(runs)
    counts: Counts = {
        "tiles": tiles,
        "pairs": sets * len(runs) * _pairs(op),
        "columns" if together == FOUR else "columns of one": columns * _pairs(op),
        "channels": tiles * channels,
        "words": tiles * channels * _words(op),
        "triples": triples,
        "steps": triples * _words(op) / _TOGETHER,
        "short": values * short,
        "exact": values * (1.0 - short),
        "clamped": values if op.clamp != (-128, 127) else 0,
    }
    return priced(_PRICES, counts)


def pack(graph: Graph, op: DepthwiseConv2D) -> Packed:
    """Pack a depthwise convolution."""
    sums, height, width = channel_sums(graph, op), op.window.height, op.window.width
    taps = sums.rows.reshape(-1, height, width).transpose(0, 2, 1)
    lanes = np.zeros((len(taps), width, _pairs(op) * 2), np.int8)
    lanes[:, :, :height] = taps
    words = np.zeros((len(taps), round_up(_words(op), 2), 2), np.int8)
    words[:, : width * _pairs(op)] = lanes.reshape(len(taps), -1, 2)
    right = np.where(fits_linear(graph, op), -conv2d_multipliers(graph, op)[1], 0)
    return Packed(
        words.reshape(len(taps), -1, 2, 2).transpose(0, 1, 3, 2).reshape(len(taps), -1, 4),
        sums.bias - graph.tensors[op.inputs[0]].zero_point * sums.rows.sum(axis=1),
        right.astype(np.uint8),
    )


def conv_params(
    graph: Graph, op: DepthwiseConv2D, kernel: Kernel, index: int, window: Value
) -> ConvParams:
    """Return a depthwise convolution as struct esq_depthwise_windows_dsp."""
    packed = pack(graph, op)
    multiplier, shift = conv2d_multipliers(graph, op)
    taps = packed.taps.reshape(-1).tolist()
    arrays = array("int8_t", f"weights_{index}", taps, layer=op.name)
    arrays += array("int32_t", f"bias_{index}", packed.bias.tolist())
    arrays += array("int32_t", f"multiplier_{index}", multiplier.tolist())
    arrays += array("uint8_t", f"right_{index}", packed.right.tolist())
    if not packed.right.all():
        arrays += array("int8_t", f"shift_{index}", shift.tolist())
    fields: Fields = {
        "taps": f"weights_{index}",
        "bias": f"bias_{index}",
        "multiplier": f"multiplier_{index}",
        "right": f"right_{index}",
        "shift": "0" if packed.right.all() else f"shift_{index}",
        **clamp_fields(op.clamp),
        "output_zp": graph.tensors[op.output].zero_point,
        "input_zp": graph.tensors[op.inputs[0]].zero_point,
        "words": _words(op),
        "pixels": kernel.pixels,
        "window": window,
    }
    return ConvParams(arrays, "esq_depthwise_windows_dsp", fields)


def _pairs(op: DepthwiseConv2D) -> int:
    """Return the pairs of rows under a window."""
    return ceil_div(op.window.height, 2)


def _words(op: DepthwiseConv2D) -> int:
    """Return the pairs of taps under a window, as many as the kernel takes."""
    return round_up(op.window.width * _pairs(op), _TOGETHER)


def _columns(op: DepthwiseConv2D, pixels: int) -> int:
    return (pixels - 1) * op.window.stride_w + op.window.width


def _set_out_together(graph: Graph, op: DepthwiseConv2D) -> int:
    """Return how many channels are set out together. Mirror: set_out_together."""
    return 1 if graph.tensors[op.inputs[0]].hwc[2] % FOUR else FOUR
