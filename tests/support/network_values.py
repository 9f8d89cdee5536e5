"""Layers that take values one by one, or two by two."""

import numpy as np

from support.network_base import FINER, Base, Quant
from support.tflite_builder import NONE

FUSING = ("ADD", "DIV", "MUL", "SUB")
"""What may have a fused activation."""


class Values(Base):
    """Adds functions of one value and of two."""

    def add(self, one: int, two: int, quant: Quant = FINER, activation: int = NONE) -> int:
        return self.binary(one, two, "ADD", quant, activation)

    def binary(
        self, one: int, two: int, kind: str, quant: Quant = FINER, activation: int = NONE
    ) -> int:
        """Add ADD, SUB or MUL; either operand is repeated along axes where it has 1."""
        shape = np.broadcast_shapes(self.shapes[one], self.shapes[two])[-3:]
        output = self.value(shape, quant)
        if kind not in FUSING:
            return self.builder.op(kind, [one, two], output, None)
        options = f"{kind.capitalize()}Options"
        return self.builder.op(
            kind, [one, two], output, options, fusedActivationFunction=activation
        )

    def by_constant(
        self,
        source: int,
        kind: str,
        shape: tuple[int, ...],
        constant: Quant,
        quant: Quant = FINER,
        activation: int = NONE,
        first: bool = False,
    ) -> int:
        """Add ADD, SUB or MUL whose second operand, or first, is a random constant."""
        operands = (source, self.constant(shape, constant))
        one, two = operands[::-1] if first else operands
        return self.binary(one, two, kind, quant, activation)

    def constant(self, shape: tuple[int, ...], quant: Quant = FINER) -> int:
        """Add a random constant operand, of exactly this shape; of four axes the first is 1."""
        values = self.random.integers(-128, 128, shape).astype(np.int8)
        index = self.builder.constant(np.asarray(values, np.int8), [quant[0]], zero_point=quant[1])
        # Shapes of values have no axis of images.
        self.shapes[index], self.quants[index] = shape[-3:], quant
        return index

    def one(self, quant: Quant = (1 / 127, 0)) -> int:
        """Add a constant of one value, 127 steps of its scale."""
        index = self.builder.constant(np.full(1, 127, np.int8), [quant[0]], zero_point=quant[1])
        self.shapes[index], self.quants[index] = (1,), quant
        return index

    def unary(self, source: int, kind: str, quant: Quant = FINER, **fields: float) -> int:
        """Add an operator that takes each value by itself."""
        output = self.value(self.shapes[source], quant)
        options = {"LEAKY_RELU": "LeakyReluOptions", "GELU": "GeluOptions"}.get(kind)
        return self.builder.op(kind, [source], output, options, **fields)

    def real(self, source: int, kind: str, number: float | None = None, first: bool = False) -> int:
        """Add an operator that computes in float32, by a number where one is given."""
        shape = self.shapes[source]
        output = self.builder.value((1, *shape), dtype=np.float32)
        self.shapes[output] = shape
        operands = (
            [source]
            if number is None
            else [source, self.builder.constant(np.array([number], np.float32))]
        )
        options = f"{kind.capitalize()}Options" if kind in ("ADD", "SUB", "MUL", "DIV") else None
        return self.builder.op(kind, operands[::-1] if first else operands, output, options)

    def by_floats(
        self, source: int, kind: str, quant: Quant = FINER, number: float | None = None
    ) -> int:
        """Add an operator in float32 between a DEQUANTIZE and a QUANTIZE."""
        real = self.real(self.real(source, "DEQUANTIZE"), kind, number)
        return self.unary(real, "QUANTIZE", quant)

    def select(self, source: int, low: int, high: int, level: int) -> int:
        """Add GREATER than a level of the source's scale, and SELECT of two values by it."""
        quant, shape = self.quants[source], self.shapes[source]
        limit = self.builder.constant(np.full(1, level, np.int8), [quant[0]], zero_point=quant[1])
        chosen = self.builder.value((1, *shape), dtype=np.bool_)
        self.builder.op("GREATER", [source, limit], chosen, None)
        output = self.value(shape, self.quants[low])
        return self.builder.op("SELECT_V2", [chosen, high, low], output, None)

    def bound(self, source: int, kind: str, level: int) -> int:
        """Add MINIMUM or MAXIMUM by a level of the input's own scale."""
        quant = self.quants[source]
        values = np.array(level, np.int8)
        constant = self.builder.constant(values, [quant[0]], zero_point=quant[1])
        output = self.value(self.shapes[source], quant)
        return self.builder.op(kind, [source, constant], output, None)

    def softmax(self, source: int, beta: float = 1.0) -> int:
        output = self.value(self.shapes[source], (1 / 256, -128))
        return self.builder.op("SOFTMAX", [source], output, "SoftmaxOptions", beta=beta)
