"""What every part of a network in the making needs: its tensors, shapes and scales."""

import numpy as np

from edgesq.integers import ceil_div
from support.tflite_builder import SAME, TfliteBuilder

Pair = tuple[int, int]
Quant = tuple[float, int]
USUAL: Quant = (0.05, -5)
"""Scale and zero point of activations where nothing else is asked for."""
FINER, RECTIFIED = (0.0173, 17), (0.031, -128)


class Base:
    """A network in the making; activations are the builder's tensor indices."""

    def __init__(self, shape: tuple[int, ...], quant: Quant = USUAL, seed: int = 0) -> None:
        self.builder = TfliteBuilder()
        self.random = np.random.default_rng(seed)
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.quants: dict[int, Quant] = {}
        self.input = self.value(shape, quant)
        self.inputs = [self.input]

    def beside(self, shape: tuple[int, ...], quant: Quant = USUAL) -> int:
        """Add another input."""
        self.inputs.append(self.value(shape, quant))
        return self.inputs[-1]

    def value(self, shape: tuple[int, ...], quant: Quant) -> int:
        index = self.builder.value((1, *shape), *quant)
        self.shapes[index], self.quants[index] = shape, quant
        return index

    def windows(
        self, source: int, size: Pair, stride: Pair, padding: int, dilation: Pair = (1, 1)
    ) -> Pair:
        height, width = (
            ceil_div(extent, step)
            if padding == SAME
            else (extent - (taps - 1) * by - 1) // step + 1
            for extent, taps, step, by in zip(
                self.shapes[source], size, stride, dilation, strict=False
            )
        )
        return height, width

    def build(self, *outputs: int) -> bytes:
        return self.builder.build(self.inputs, outputs)
