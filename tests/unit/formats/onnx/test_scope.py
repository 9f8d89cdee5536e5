"""The arithmetic of the integer ONNX nodes, on the edges of their ranges."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

from edgesq import arithmetic
from edgesq.formats.onnx import onnx_bytes
from edgesq.formats.onnx.scope import Scope, doubling_high_mul, requantize
from edgesq.formats.onnx.softmax import reciprocal
from support.onnx_checks import random


def run_scope(
    inputs: dict[str, NDArray[Any]], write: Callable[[Scope], list[str]]
) -> list[NDArray[Any]]:
    import onnxruntime

    scope = Scope()
    names = write(scope)
    graph = helper.make_graph(
        scope.nodes,
        "test",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in names],
        scope.constants,
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])
    session = onnxruntime.InferenceSession(onnx_bytes(model))
    return list(session.run(None, inputs))


def accumulators_at_halves(factor: int, right: int) -> list[int]:
    """Return int32 values whose rescaled value is at, just under and just over a half."""
    exact = [(2 * level + 1) * (1 << (30 + right)) // max(factor, 1) for level in range(-130, 130)]
    near = [value + step for value in exact for step in (-1, 0, 1, 2)]
    return [value for value in near if arithmetic.INT32_MIN <= value <= arithmetic.INT32_MAX]


@pytest.mark.parametrize("clamp", [(-128, 127), (3, 127), (-100, 90)])
@pytest.mark.parametrize("right", [*range(32), -3])
def test_requantize_equals_arithmetic(right: int, clamp: tuple[int, int]) -> None:
    multipliers = np.array([0, 1 << 30, (1 << 30) + 1, 1518500250, arithmetic.INT32_MAX], np.int64)
    shift = np.full(len(multipliers), -right, np.int64)
    limit = arithmetic.INT32_MAX >> max(-right, 0)
    edges = [-limit - 1, -limit, -3, -2, -1, 0, 1, 2, 3, limit - 1, limit]
    edges += random(right).integers(-limit, limit, 500).tolist()
    for multiplier in multipliers.tolist():
        edges += accumulators_at_halves(multiplier << max(-right, 0), max(right, 0))
    bias = np.array([0, 7, -7, 1 << 20, -(1 << 20)], np.int64)
    accumulator = np.array([edge for edge in edges if -limit - 1 <= edge <= limit])[:, None] - bias
    accumulator[accumulator != accumulator.astype(np.int32)] = 0
    expected = arithmetic.multiply_by_quantized_multiplier(accumulator + bias, multipliers, shift)

    def write(scope: Scope) -> list[str]:
        return [
            requantize(scope, "total", multipliers, shift, bias=bias, zero_point=3, clamp=clamp)
        ]

    image = accumulator.astype(np.int32).T.reshape(1, len(bias), -1, 1)
    (result,) = run_scope({"total": image}, write)
    wanted = (np.clip(expected + 3, *clamp) + 128).T.reshape(image.shape)
    np.testing.assert_array_equal(result, wanted.astype(np.uint8))


def test_doubling_high_mul_equals_arithmetic() -> None:
    low, high = arithmetic.INT32_MIN, arithmetic.INT32_MAX
    edges = [low, low + 1, -(1 << 30), -3, -1, 0, 1, 2, 1 << 30, high - 1, high]
    values = np.array(edges + random("mul").integers(low, high, 200).tolist(), np.int64)
    a, b = np.repeat(values, len(values)), np.tile(values, len(values))
    usable = b != low
    a, b = a[usable], b[usable]
    (result,) = run_scope({"a": a, "b": b}, lambda s: [doubling_high_mul(s, "high", "a", "b")])
    np.testing.assert_array_equal(result, arithmetic.doubling_high_mul(a, b))


def test_reciprocal_equals_arithmetic() -> None:
    powers = [1 << exponent for exponent in range(19, 31)]
    edges = [power + step for power in powers for step in (0, 1, 2)]
    edges += [power - 1 for power in powers[1:]] + [arithmetic.INT32_MAX]
    edges += random("reciprocal").integers(1 << 19, 1 << 31, 20000).tolist()
    total = np.array(edges, np.int64).reshape(1, 1, 1, -1)
    bits, mantissa = run_scope({"total": total}, lambda s: list(reciprocal(s, "total")))
    expected_mantissa, expected_bits = arithmetic.reciprocal(total)
    np.testing.assert_array_equal(bits, expected_bits)
    np.testing.assert_array_equal(mantissa, expected_mantissa)
