"""Layers that keep state from one image to the next."""

import numpy as np

from support.network_base import USUAL, Base, Quant
from support.tflite_builder import RELU


class Sequences(Base):
    """Adds what remembers."""

    def svdf(
        self,
        source: int,
        units: int,
        memory: int,
        rank: int = 1,
        quant: Quant = USUAL,
        bias: bool = True,
    ) -> int:
        """Add an SVDF of int16 state whose outputs use the whole int8 range."""
        values, filters = int(np.prod(self.shapes[source])), units * rank
        features = self.random.integers(-127, 128, (filters, values)).astype(np.int8)
        times = self.random.integers(-1500, 1500, (filters, memory)).astype(np.int16)
        # A feature's sums are about 2,000 steps of the state, and their sums 70 of the output.
        level = 70 * 70 * np.sqrt(values)
        kept, of_features = 0.001, 0.001 * 2000 / (level * self.quants[source][0])
        of_times = 50 * quant[0] / (kept * 2000 * 850 * np.sqrt(memory * rank))
        inputs = [
            source,
            self.builder.constant(features, [of_features]),
            self.builder.constant(times, [of_times]),
        ]
        spread = int(30 * quant[0] / (kept * of_times))
        offsets = self.random.integers(-spread, spread + 1, units).astype(np.int32)
        inputs.append(self.builder.constant(offsets, [kept * of_times]) if bias else -1)
        inputs.append(self.builder.variable((1, filters * memory), np.int16, kept))
        output = self.value((units,), quant)
        return self.builder.op(
            "SVDF", inputs, output, "SVDFOptions", rank=rank, fusedActivationFunction=RELU
        )
