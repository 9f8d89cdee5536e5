"""Layers that keep state from one image to the next."""

import numpy as np

from support.network_base import USUAL, Base, Quant
from support.tflite_builder import RELU

TANH = 4
"""schema.fbs, enum ActivationFunctionType."""


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

    def lstm(
        self, source: int, units: int, quant: Quant = (1 / 128, 0), cell: int = 12, clip: float = 10
    ) -> int:
        """Add an LSTM over the steps [T, I] of `source`, its cell in steps of 2^-`cell`."""
        steps, values = self.shapes[source]
        weights = [self._weights((units, values), 1.5, source) for _ in range(4)]
        recurrent = [self._weights((units, units), 1.5, None, quant[0]) for _ in range(4)]
        biases = [self._lstm_bias(units, source, each) for each in weights]
        hidden = self.builder.variable((1, units), np.int8, *quant)
        memory = self.builder.variable((1, units), np.int16, 2.0**-cell)
        none = [-1] * 3
        inputs = [source, *weights, *recurrent, *none, *biases, -1, -1, hidden, memory, *none, -1]
        output = self.value((steps, units), quant)
        self.builder.op(
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            inputs,
            output,
            "UnidirectionalSequenceLSTMOptions",
            fusedActivationFunction=TANH,
            cellClip=clip,
        )
        gates = [self.builder.value((0,), dtype=np.float32) for _ in range(4)]
        product = self.builder.value((0,), *quant)
        self.builder.subgraph.operators[-1].intermediates = [*gates, product]
        return output

    def _weights(
        self, shape: tuple[int, int], spread: float, source: int | None, scale: float = 1.0
    ) -> int:
        """Add weights whose sums spread over so many reals."""
        scale = scale if source is None else self.quants[source][0]
        data = self.random.integers(-127, 128, shape).astype(np.int8)
        return self.builder.constant(data, [spread / (70 * 70 * scale * np.sqrt(shape[1]))])

    def _lstm_bias(self, units: int, source: int, weights: int) -> int:
        of_weights = float(self.builder.subgraph.tensors[weights].quantization.scale[0])
        scale = of_weights * self.quants[source][0]
        data = self.random.integers(-int(1 / scale), int(1 / scale), units).astype(np.int32)
        return self.builder.constant(data, [scale])
