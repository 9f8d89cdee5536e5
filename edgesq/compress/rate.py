"""Distribute a budget of bytes over the layers, by one lambda for all where possible.

How many bytes a layer takes at a lambda is first estimated from its float weights; what the
layers really take, one after the other, corrects the estimate and the lambda of those to come. A
layer that outweighs all behind it is tried at several lambdas until it takes just its share, and
the last one until the budget is used up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesq.compress.network import Kernels
from edgesq.compress.rounding import MAX_LEVEL
from edgesq.compress.sequence import Problem, is_pruned
from edgesq.compress.steps import Sensitivity, lambda_range, steps_for
from edgesq.graph import Int8Array
from edgesq.operators import Conv2D

Float64Array = NDArray[np.float64]

LayerBytes = Callable[[Int8Array], int]
"""Bytes that a layer takes in flash with these levels, OHWI."""

FEEDBACK = 0.33
"""What the errors of others add to a weight before it is rounded, in steps, as a deviation.

Without it, layers of mostly zeros would be expected to take a third of what they do; with it, it
is within a tenth from 1.5 bits a weight on.
"""

_SEED = 20261128
_GRID_PER_OCTAVE = 2
_TRIES = 12
_CLOSE_BYTES = 16
_FIRST_STRIDE = 0.125
_FINEST = 0.002
"""Steps of the search for lambda, in octaves: the first, and the one at which it ends."""


@dataclass(frozen=True)
class Spent:
    """The bytes and the lambda that a layer was given.

    Attributes:
        op: the layer.
        log2_lambda: of its steps.
        bytes: it takes in flash.
    """

    op: Conv2D
    log2_lambda: float
    bytes: int


class Estimates:
    """What layers take by lambda, estimated from their float weights."""

    def __init__(
        self, layers: dict[int, Sensitivity], kernels: Kernels, layer_bytes: LayerBytes
    ) -> None:
        self.layer_bytes = layer_bytes
        self._layers = layers
        self._kernels = kernels
        self._known: dict[tuple[int, int], int] = {}

    def bytes(self, weights: int, log2_lambda: float) -> float:
        """Return about how many bytes a layer takes, between two points of a grid."""
        place = log2_lambda * _GRID_PER_OCTAVE
        below = math.floor(place)
        low, high = (self._at(weights, point) for point in (below, below + 1))
        return low + (high - low) * (place - below)

    def rounded(self, weights: int, log2_lambda: float) -> tuple[Float64Array, Int8Array]:
        """Return a layer's steps, and about what feedback makes of its float weights."""
        steps = steps_for(self._layers[weights], log2_lambda)
        real = self._kernels[weights].weights
        spread = np.random.default_rng(_SEED).normal(0, FEEDBACK, real.shape)
        if is_pruned(real):
            spread *= real != 0
        levels = np.rint(real / steps[:, None, None, None] + spread)
        return steps, np.clip(levels, -MAX_LEVEL, MAX_LEVEL).astype(np.int8)

    def _at(self, weights: int, point: int) -> int:
        key = (weights, point)
        if key not in self._known:
            _, levels = self.rounded(weights, point / _GRID_PER_OCTAVE)
            self._known[key] = self.layer_bytes(levels)
        return self._known[key]


@dataclass(frozen=True)
class _Try:
    """A lambda and by how many bytes a layer then misses its share."""

    log2_lambda: float
    gap: float


def _between(low: _Try, high: _Try, count: int) -> float:
    """Return a lambda between two, in turn by interpolation and by halves."""
    part = low.gap / (low.gap - high.gap) if count % 2 else 0.5
    return low.log2_lambda + part * (high.log2_lambda - low.log2_lambda)


class Budget:
    """Chooses steps so that all layers together take no more than a number of bytes."""

    def __init__(
        self,
        total: int,
        layers: dict[int, Sensitivity],
        estimates: Estimates,
        ops: Sequence[Conv2D],
    ) -> None:
        """Plan for all layers; `log2_lambda` is then the estimate for all of them.

        Args:
            total: bytes to spend.
            layers: sensitivities by weights' index.
            estimates: of the same layers.
            ops: the layers in the order in which they will be chosen.
        """
        self.spent: list[Spent] = []
        self._left = total
        self._layers = layers
        self._estimates = estimates
        self._to_come = [op.weights for op in ops]
        self._ratio = 1.0
        self.log2_lambda = self._solve(self._to_come, total)

    @property
    def bytes(self) -> int:
        """What the layers chosen so far take."""
        return sum(item.bytes for item in self.spent)

    def before_last(self, total: int) -> Budget:
        """Return another budget that has been spent on all layers but the last."""
        made = copy(self)
        made.spent = self.spent[:-1]
        made._to_come = [self.spent[-1].op.weights]
        made._left = total - made.bytes
        made._correct()
        return made

    def choose(self, op: Conv2D, problem: Problem) -> tuple[Float64Array, Int8Array]:
        """Return steps and levels of the next layer."""
        self.log2_lambda = self._solve(self._to_come, self._left)
        rest = self._to_come[1:]
        size = {index: self._estimates.bytes(index, self.log2_lambda) for index in self._to_come}
        behind = sum(size[index] for index in rest)
        if size[op.weights] >= behind:
            share = self._left - int(self._ratio * behind)
            made = self._fitted(op, problem, share)
        else:
            made = self._tried(op, problem, self.log2_lambda)
        steps, levels, spent = made
        self._to_come = rest
        self._left -= spent.bytes
        self.spent.append(spent)
        self._correct()
        return steps, levels

    def _correct(self) -> None:
        """Correct the estimates by what layers really took."""
        estimated = sum(
            self._estimates.bytes(item.op.weights, item.log2_lambda) for item in self.spent
        )
        self._ratio = self.bytes / estimated if self.spent else 1.0

    def _tried(
        self, op: Conv2D, problem: Problem, log2_lambda: float
    ) -> tuple[Float64Array, Int8Array, Spent]:
        steps = steps_for(self._layers[op.weights], log2_lambda)
        levels = problem.rounded(steps)
        return steps, levels, Spent(op, log2_lambda, self._estimates.layer_bytes(levels))

    def _fitted(
        self, op: Conv2D, problem: Problem, share: int
    ) -> tuple[Float64Array, Int8Array, Spent]:
        """Return the finest steps found with which a layer takes no more than its share."""
        best = None
        low, high = _Try(0.0, math.inf), _Try(math.inf, -math.inf)
        point, stride = self.log2_lambda, _FIRST_STRIDE
        for count in range(_TRIES):
            made = self._tried(op, problem, point)
            gap = made[2].bytes - share
            if gap <= 0 and (best is None or made[2].bytes >= best[2].bytes):
                best = made
            if -_CLOSE_BYTES < gap <= 0:
                break
            if gap > 0:
                low = _Try(point, gap)
            else:
                high = _Try(point, gap)
            if math.isinf(high.gap) or math.isinf(low.gap):
                point += stride if gap > 0 else -stride
                stride *= 2
            else:
                point = _between(low, high, count)
        return best or made

    def _solve(self, indices: Sequence[int], total: float) -> float:
        """Return the lambda at which layers are estimated to take `total` bytes."""
        ranges = [lambda_range(self._layers[index]) for index in indices]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        while high - low > _FINEST:
            middle = (low + high) / 2
            size = sum(self._estimates.bytes(index, middle) for index in indices)
            low, high = (middle, high) if size * self._ratio > total else (low, middle)
        return high
