"""Find the flipped bit in a convolution's constants that explains every value of its output.

A flip in packed weights is sought by its effect on the sums, so all that this knows of a packing is
which changes one bit can make: lanes may hold 256 A + B, sums may be of raw inputs with the zero
point folded into the bias.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgesq.arithmetic import (
    Int64Array,
    RescaleParameters,
    as_int32,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
    rescale,
    rescale_parameters,
)
from edgesq.builds import Operator
from edgesq.graph import Constant, Graph
from edgesq.integers import ceil_div
from edgesq.kernels.families import FAMILIES
from edgesq.kernels.kernel import Form
from edgesq.operators import (
    AveragePool2D,
    Conv2D,
    Convolution,
    DepthwiseConv2D,
    FullyConnected,
    GroupedConv2D,
    Mean,
    TransposeConv,
)
from edgesq.reductions import mean_parameters
from edgesq.reference import (
    conv2d_sums,
    conv2d_windows,
    depthwise_sums,
    depthwise_windows,
    grouped_sums,
    grouped_windows,
)
from edgesq.verify.case import Case
from edgesq.verify.flips_winograd import WinogradLayer

Weights = Constant

_MAX_CHANNELS = 2
"""One bit changes one channel, or two that share a DSP lane."""

_SCREEN_PIXELS = 8
_MAX_SURVIVORS = 4096
_MAX_VALUES = 1 << 22
_MAX_REDUCED = 1 << 26
_RIGHT_SHIFTS = range(32)


@dataclass(frozen=True)
class Flips:
    """Single bits that explain every value.

    Attributes:
        names: of each, as "bit 3 of weight [7, 0, 1, 12]".
        gave_up: whether there were too many to try them all on every value.
    """

    names: tuple[str, ...]
    gave_up: bool = False


@dataclass(frozen=True, eq=False)
class Change:
    """What one flipped bit does to a channel: sums + delta * x, and another requantization.

    Attributes:
        name: of the bit.
        tap: index into the windows; None where x is 1.
        delta: by which the constant changed.
        multiplier, shift: of the channel after the flip.
    """

    name: str
    tap: int | None
    delta: int
    multiplier: int
    shift: int


def find_flips(graph: Graph, operator: Operator, op: Convolution, cases: list[Case]) -> Flips:
    """Return all single bits that explain all cases.

    Args:
        graph: the model.
        operator: a convolution of the runtime's table, perhaps with the reduction that reads it.
        op: the convolution.
        cases: images in which it was looked at.
    """
    if isinstance(op, TransposeConv):
        return Flips(())  # which taps meet an input differs from pixel to pixel
    wrong = np.flatnonzero(np.any([case.differs.any(axis=(0, 1)) for case in cases], axis=0))
    channels = [int(channel) for channel in wrong]
    if not 0 < len(channels) <= _MAX_CHANNELS:
        return Flips(())
    names: dict[str, None] = {}
    gave_up = False
    if operator.form == Form.WINOGRAD and len(channels) == 1:
        assert isinstance(op, Conv2D)
        names.update(dict.fromkeys(WinogradLayer(graph, op, cases).explain(channels[0])))
    for taps in _taps_seen(operator):
        layer = Layer(graph, operator, op, cases, taps, channels[0])
        found, much = layer.explain_all(channels)
        names.update(dict.fromkeys(found))
        gave_up |= much
    return Flips(tuple(names), gave_up)


def _taps_seen(operator: Operator) -> tuple[str, ...]:
    """Return how a kernel may see its inputs: less their zero point, or raw."""
    folds = FAMILIES[operator.family].folds_zero_point
    return ("raw", "raw inside") if folds else ("offset",)


class Layer:
    """A convolution, all cases after each other; one in groups as channel `channel` sees it."""

    def __init__(
        self,
        graph: Graph,
        operator: Operator,
        op: Convolution,
        cases: list[Case],
        taps: str,
        channel: int,
    ) -> None:
        self.graph, self.op = graph, op
        self.pairs_channels = FAMILIES[operator.family].pairs_channels
        self.is_winograd = operator.form == Form.WINOGRAD
        self.pairs_channels &= operator.form != Form.SQUARES
        self.reduction = operator.graph_ops(graph)[-1] if len(operator.ops) > 1 else None
        self.got = np.stack([case.output.reshape(-1, case.output.shape[2]) for case in cases])
        self.wrong = np.stack([case.differs.reshape(self.got.shape[1:]) for case in cases])
        images = [case.values[op.inputs[0]] for case in cases]
        if isinstance(op, Conv2D):
            offset = [conv2d_windows(graph, op, image) for image in images]
            self.sums = np.stack([conv2d_sums(graph, op, windows) for windows in offset])
        elif isinstance(op, GroupedConv2D):
            offset = [grouped_windows(graph, op, image)[channel] for image in images]
            self.sums = np.stack([grouped_sums(graph, op, image) for image in images])
        else:
            assert isinstance(op, DepthwiseConv2D)
            each = [depthwise_windows(graph, op, image) for image in images]
            self.sums = np.stack([depthwise_sums(graph, op, windows) for windows in each])
            offset = [windows[..., channel] for windows in each]
        seen = np.stack([self._seen(windows, taps) for windows in offset])
        ones = np.ones((*seen.shape[:2], 1), np.int64)  # what a bias is multiplied with
        self.taps = np.concatenate([seen, ones], axis=2)
        self.multiplier, self.shift = conv2d_multipliers(graph, op)

    def _seen(self, windows: Int64Array, taps: str) -> Int64Array:
        """Return windows [P, K] as the kernel sees them."""
        if taps == "offset":
            return windows
        raw = windows + self.graph.tensors[self.op.inputs[0]].zero_point
        return raw if taps == "raw" else raw * self._rows_inside(raw)

    def _rows_inside(self, raw: Int64Array) -> Int64Array:
        """Return [P, K]: 1 where a tap's row lies inside the image."""
        window = self.op.window
        height = self.graph.tensors[self.op.inputs[0]].hwc[0]
        out_height, out_width, _ = self.graph.tensors[self.op.output].hwc
        tops = np.arange(out_height) * window.stride_h - window.pad_top
        rows = tops[:, np.newaxis] + np.arange(window.height) * window.dilation_h
        inside = ((rows >= 0) & (rows < height)).astype(np.int64)
        by_tap = np.repeat(inside, raw.shape[1] // window.height, axis=1)
        return np.asarray(np.repeat(by_tap, out_width, axis=0), np.int64)

    def explain_all(self, channels: list[int]) -> tuple[list[str], bool]:
        """Return the names of the bits that explain one or two channels, and whether it gave up."""
        if len(channels) > 1:
            return self._explain_pair(*channels)
        changes = list(self._constant_changes(channels[0]))
        if not self.is_winograd:
            changes += self._weight_changes(channels[0])
        return self._explain(channels[0], changes)

    def _constant_changes(self, channel: int) -> Iterator[Change]:
        multiplier, shift = int(self.multiplier[channel]), int(self.shift[channel])
        for bit in range(32):
            name = f"bit {bit} of the bias of channel {channel}"
            for delta in (1 << bit, -(1 << bit)):
                yield Change(name, None, delta, multiplier, shift)
        if isinstance(self.op, FullyConnected):
            return  # rescales otherwise, see `_finish`
        for bit in range(32):
            flipped = (multiplier ^ 1 << bit) - (1 << 32 if bit == 31 else 0)
            name = f"bit {bit} of the multiplier of channel {channel}"
            yield Change(name, None, 0, flipped, shift)
        for other in _flipped_shifts(shift):
            name = f"a bit of the shift of channel {channel}, now {other}"
            yield Change(name, None, 0, multiplier, other)

    def _weight_changes(self, channel: int) -> Iterator[Change]:
        multiplier, shift = int(self.multiplier[channel]), int(self.shift[channel])
        weights = self.graph.exact_weights(self.op)
        for tap, value in enumerate(self._of_channel(weights, channel).reshape(-1).astype(int)):
            for bit in range(8):
                flipped = ((value ^ 1 << bit) + 128 & 0xFF) - 128
                deltas = (1 << bit, -(1 << bit)) if self.pairs_channels else (flipped - value,)
                name = f"bit {bit} of weight {self._weight(channel, tap)}"
                for delta in deltas:
                    yield Change(name, tap, int(delta), multiplier, shift)

    def _of_channel(self, weights: Weights, channel: int) -> Weights:
        return (
            weights[0, ..., channel] if isinstance(self.op, DepthwiseConv2D) else weights[channel]
        )

    def _weight(self, channel: int, tap: int) -> str:
        shape = self.graph.tensors[self.op.weights].shape
        if isinstance(self.op, DepthwiseConv2D):
            return str([0, *(int(at) for at in np.unravel_index(tap, shape[1:3])), channel])
        return str([channel, *(int(at) for at in np.unravel_index(tap, shape[1:]))])

    def _explain(self, channel: int, changes: list[Change]) -> tuple[list[str], bool]:
        """Return the names of the changes that give all of a channel, and whether it gave up."""
        if self.reduction is not None and len(changes) * self.sums.shape[1] > _MAX_REDUCED:
            return [], True
        survivors = self._screened(channel, changes)
        gave_up = len(survivors) > _MAX_SURVIVORS
        names = []
        for change in survivors[:_MAX_SURVIVORS]:
            if change.name not in names and self._gives(channel, [change], slice(None), None).all():
                names.append(change.name)
        return names, gave_up

    def _screened(self, channel: int, changes: list[Change]) -> list[Change]:
        """Return the changes that give a few values of the first case."""
        pixels = None
        if self.reduction is None:
            wrong = np.flatnonzero(self.wrong[0, :, channel])
            pixels = wrong[:: ceil_div(len(wrong), _SCREEN_PIXELS)]
        size = max(1, _MAX_VALUES // (len(pixels) if pixels is not None else self.sums.shape[1]))
        survivors: list[Change] = []
        for start in range(0, len(changes), size):
            part = changes[start : start + size]
            fits = self._gives(channel, part, slice(0, 1), pixels)
            survivors += [change for change, fit in zip(part, fits, strict=True) if fit]
        return survivors

    def _gives(
        self, channel: int, changes: list[Change], cases: slice, pixels: Int64Array | None
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Say of each change whether it gives a channel's values in some cases, at some pixels."""
        chosen = slice(None) if pixels is None else pixels
        sums = self.sums[cases][:, chosen, channel]
        taps = self.taps[cases][:, chosen]
        index = [-1 if change.tap is None else change.tap for change in changes]
        delta = np.array([change.delta for change in changes], np.int64)
        moved = sums[np.newaxis] + delta[:, None, None] * np.moveaxis(taps[:, :, index], 2, 0)
        multiplier = np.array([change.multiplier for change in changes], np.int64)[:, None, None]
        shift = np.array([change.shift for change in changes], np.int64)[:, None, None]
        results = self._finish(as_int32(moved), multiplier, shift, channel)
        got = self.got[cases][..., channel]
        wanted = got if self.reduction is not None else got[:, chosen]
        return np.asarray((results == wanted).all(axis=(1, 2)))

    def _finish(
        self, sums: Int64Array, multiplier: Int64Array, shift: Int64Array, channel: int
    ) -> Int64Array:
        """Return what sums [n, cases, P] of a channel become: [n, cases, P], or [n, cases, 1]."""
        if isinstance(self.op, FullyConnected):
            own = rescale_parameters(self.graph, self.op)
            one = RescaleParameters(own.multiplier[channel], own.limit[channel])
            scaled = rescale(sums, one)
        else:
            scaled = multiply_by_quantized_multiplier(sums, multiplier, shift)
        output = self.graph.tensors[self.op.output]
        values = np.clip(scaled + output.zero_point, *self.op.clamp)
        if self.reduction is None:
            return np.asarray(values, np.int64)
        return self._reduced(values.sum(axis=2, keepdims=True), sums.shape[2])

    def _reduced(self, total: Int64Array, count: int) -> Int64Array:
        op = self.reduction
        if isinstance(op, Mean):
            mean = mean_parameters(self.graph, op)
            scaled = multiply_by_quantized_multiplier(
                total - mean.offset, mean.multiplier, mean.shift
            )
            return np.asarray(np.clip(scaled + self.graph.tensors[op.output].zero_point, -128, 127))
        assert isinstance(op, AveragePool2D)
        rounded = np.sign(total) * ((np.abs(total) + count // 2) // count)
        return np.asarray(np.clip(rounded, *op.clamp))

    def _explain_pair(self, first: int, second: int) -> tuple[list[str], bool]:
        """Return the bits of a DSP lane, or of the sum it begins with, that change both channels.

        A is what is left of the lane without B. So where B changes alone, A changes the other way:
        by 1 where bit 7 of B's byte, its sign, flips; by 2^(k - 8) where bit k of B's bias does.
        """
        shares = self.pairs_channels and isinstance(self.op, Conv2D) and not self.is_winograd
        if not shares or first % 2 or second != first + 1:
            return [], False
        upper, much = self._explain(first, list(self._shared_changes(first, first + 1, 1)))
        lower, more = self._explain(second, list(self._shared_changes(second, second, -256)))
        return [name for name in upper if name in lower], much or more

    def _shared_changes(self, channel: int, lower: int, unit: int) -> Iterator[Change]:
        """Yield what bits of B, channel `lower`, do to A (`unit` is 1) or to B (`unit` is -256)."""
        multiplier, shift = int(self.multiplier[channel]), int(self.shift[channel])
        for tap in range(self.taps.shape[2] - 1):
            name = f"bit 7 of weight {self._weight(lower, tap)}"
            for sign in (1, -1):
                step = sign if unit == 1 else -128 * sign
                yield Change(name, tap, step, multiplier, shift)
        for bit in range(8, 32):
            name = f"bit {bit} of the bias of channel {lower}"
            for step in (unit << bit - 8, -(unit << bit - 8)):
                yield Change(name, None, step, multiplier, shift)


def _flipped_shifts(shift: int) -> list[int]:
    """Return the right shifts that one bit can make of one, however it is stored."""
    as_left = {-(((shift & 0xFF) ^ 1 << bit) - 256) for bit in range(8)}
    as_right = {-shift ^ 1 << bit for bit in range(6)}
    as_upper = {(7 - shift ^ 1 << bit) - 7 for bit in range(6)}
    return sorted(-right for right in as_left | as_right | as_upper if right in _RIGHT_SHIFTS)
