"""TFLite's fixed-point arithmetic: Python against exact definitions, C against Python."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesq.arithmetic import (
    INT32_MAX,
    INT32_MIN,
    RescaleParameters,
    add_parameters,
    doubling_high_mul,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    reciprocal,
    rescale,
    rounding_divide_by_pot,
    saturating_shift_left,
    softmax_exp_table,
)
from edgesq.graph import Graph, Quantization, Tensor
from edgesq.operators import Add, Mean, Op, Softmax
from edgesq.reductions import mean_parameters
from support.crun import compile_c, run_command
from support.paths import CKERNELS

EDGES = sorted(
    {INT32_MIN, INT32_MIN + 1, INT32_MAX, INT32_MAX - 1, 0, 1, -1, 3, -3}
    | {
        sign * (1 << bits) + step
        for bits in range(1, 31)
        for sign in (1, -1)
        for step in (-1, 0, 1)
    }
)
INT32 = st.one_of(st.sampled_from(EDGES), st.integers(INT32_MIN, INT32_MAX))
MULTIPLIER = st.one_of(
    st.sampled_from([0, 1 << 30, (1 << 30) + 1, INT32_MAX]), st.integers(1 << 30, INT32_MAX)
)
EXPONENT = st.integers(0, 31)

exhaustive = settings(max_examples=500, derandomize=True, deadline=None, database=None)


def halves_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def halves_away(value: Fraction) -> int:
    return halves_up(value) if value >= 0 else -halves_up(-value)


def exact_requantize(x: int, multiplier: int, shift: int) -> int:
    first = halves_up(Fraction(x * 2 ** max(shift, 0) * multiplier, 2**31))
    return halves_away(Fraction(first, 2 ** max(-shift, 0)))


@exhaustive
@given(INT32, INT32)
def test_doubling_high_mul(a: int, b: int) -> None:
    expected = min(halves_up(Fraction(a * b, 2**31)), INT32_MAX)
    assert int(doubling_high_mul(a, b)) == expected


def test_doubling_high_mul_saturates_in_one_case() -> None:
    assert int(doubling_high_mul(INT32_MIN, INT32_MIN)) == INT32_MAX
    assert int(doubling_high_mul(1 << 15, 1 << 15)) == 1, "a positive half rounds up"
    assert int(doubling_high_mul(-(1 << 15), 1 << 15)) == 0, "a negative half rounds up as well"


@exhaustive
@given(INT32, EXPONENT)
def test_rounding_divide_by_pot(x: int, exponent: int) -> None:
    expected = halves_away(Fraction(x, 2**exponent))
    assert int(rounding_divide_by_pot(x, exponent)) == expected


@pytest.mark.parametrize("exponent", range(1, 32))
def test_halves_go_away_from_zero(exponent: int) -> None:
    half = 1 << (exponent - 1)
    values = [half, -half, half - 1, -half + 1, 3 * half, -3 * half]
    expected = [1, -1, int(exponent == 0), 0, 2, -2]
    assert rounding_divide_by_pot(values, exponent).tolist() == expected


@exhaustive
@given(st.data(), st.integers(-31, 30), MULTIPLIER)
def test_multiply_by_quantized_multiplier(data: st.DataObject, shift: int, multiplier: int) -> None:
    bound = INT32_MAX >> max(shift, 0)
    x = data.draw(st.one_of(st.sampled_from([-bound, bound, 0, 1]), st.integers(-bound, bound)))
    got = int(multiply_by_quantized_multiplier(x, multiplier, shift))
    assert got == exact_requantize(x, multiplier, shift)
    real = Fraction(x * multiplier, 1) * Fraction(2) ** (shift - 31)
    assert abs(got - real) <= 1, "two roundings of at most a half each"


def test_arrays_broadcast() -> None:
    x = np.array([[100_000, -100_000]])
    multiplier, shift = np.array([1 << 30, INT32_MAX]), np.array([-3, 2])
    got = multiply_by_quantized_multiplier(x, multiplier, shift)
    assert got.tolist() == [
        [exact_requantize(100_000, 1 << 30, -3), exact_requantize(-100_000, INT32_MAX, 2)]
    ]


@exhaustive
@given(INT32, st.integers(0, 31))
def test_saturating_shift_left(x: int, bits: int) -> None:
    expected = max(INT32_MIN, min(INT32_MAX, x * 2**bits))
    assert int(saturating_shift_left(x, bits)) == expected


@exhaustive
@given(st.floats(2.0**-31, 2.0**30))
def test_quantize_multiplier_is_as_close_as_31_bits_are(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 1 << 30 <= multiplier <= INT32_MAX
    value = Fraction(multiplier) * Fraction(2) ** (shift - 31)
    assert abs(value - Fraction(real)) <= Fraction(real) / 2**31


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.0, (0, 0)),
        (1.0, (1 << 30, 1)),
        (0.5, (1 << 30, 0)),
        (2.0**-32, (1 << 30, -31)),
        (2.0**-33, (0, 0)),
        (1.0 - 2.0**-40, (1 << 30, 1)),
        (0.75, (3 << 29, 0)),
    ],
)
def test_quantize_multiplier_at_its_edges(real: float, expected: tuple[int, int]) -> None:
    assert quantize_multiplier(real) == expected


# Parameters of whole operators


def tensor(shape: tuple[int, ...], scale: float, zero_point: int = 0) -> Tensor:
    return Tensor("t", shape, Quantization((scale,), zero_point))


def graph_of(op: Op, *tensors: Tensor) -> Graph:
    return Graph(tensors, (op,), (0,), (op.output,), "")


@pytest.mark.parametrize("scale", [0.001, 0.02, 0.1, 0.37, 2.5])
@pytest.mark.parametrize("beta", [1.0, 0.25])
def test_softmax_table(scale: float, beta: float) -> None:
    op = Softmax("softmax", (0,), 1, beta)
    table = softmax_exp_table(graph_of(op, tensor((1, 9), scale), tensor((1, 9), 1 / 256)), op)
    expected = np.exp(-beta * scale * np.arange(256))
    assert table.shape == (256,)
    assert table[0] == INT32_MAX
    assert np.all(np.diff(table) <= 0)
    np.testing.assert_allclose(table / 2.0**31, expected, atol=2e-7)


def test_softmax_table_ends_where_nothing_counts() -> None:
    op = Softmax("softmax", (0,), 1, 1.0)
    table = softmax_exp_table(graph_of(op, tensor((1, 9), 1.0), tensor((1, 9), 1 / 256)), op)
    assert table[15] > 0
    assert not table[16:].any(), "exp(-16) is no part of 1/256; TFLite's radius ends there"


@exhaustive
@given(st.integers(1 << 19, INT32_MAX))
def test_reciprocal(total: int) -> None:
    mantissa, bits = (int(part) for part in reciprocal(total))
    assert 0 <= bits <= 11
    assert 1 << 30 <= mantissa + 8 <= (1 << 31) + 7
    exact = 2.0**19 / total
    assert mantissa * 2.0 ** (-31 - bits) == pytest.approx(exact, rel=1e-8)


def test_reciprocal_falls() -> None:
    totals = np.unique(np.geomspace(1 << 19, INT32_MAX, 2000).astype(np.int64))
    mantissa, bits = reciprocal(totals)
    values = mantissa * 2.0 ** (-31.0 - bits)
    assert np.all(np.diff(values) < values[1:] * 1e-8)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (13, 13), (64, 64), (2048, 2048)])
@pytest.mark.parametrize("ratio", [0.01, 0.9, 7.0])
def test_mean_divides_by_the_pixels(size: tuple[int, int], ratio: float) -> None:
    op = Mean("mean", (0,), 1)
    graph = graph_of(op, tensor((1, *size, 3), ratio, -7), tensor((1, 3), 1.0))
    parameters = mean_parameters(graph, op)
    real = parameters.multiplier * 2.0 ** (parameters.shift - 31)
    assert real == pytest.approx(ratio / math.prod(size), rel=2e-9)
    assert parameters.offset == -7 * math.prod(size)
    assert parameters.shift >= -31
    assert 0 < parameters.multiplier <= INT32_MAX


@pytest.mark.parametrize(("first", "second"), [(0.1, 0.1), (0.1, 3.0), (5.0, 1e-9)])
def test_add_rescales_both_inputs_alike(first: float, second: float) -> None:
    op = Add("add", (0, 1), 2, (0, 1), (-128, 127))
    tensors = [tensor((1, 2), scale) for scale in (first, second, 0.2)]
    parameters = add_parameters(graph_of(op, *tensors), op)
    reals = [
        multiplier * 2.0 ** (shift - 31 + 20)
        for multiplier, shift in zip(parameters.multiplier, parameters.shift, strict=True)
    ]
    whole = parameters.output_multiplier * 2.0 ** (parameters.output_shift - 31)
    assert max(parameters.shift) <= 0
    assert [real * whole * 0.2 for real in reals] == pytest.approx([first, second], abs=1e-8)


# The C twin

FUNCTIONS: tuple[Callable[..., object], ...] = (
    doubling_high_mul,
    rounding_divide_by_pot,
    multiply_by_quantized_multiplier,
    saturating_shift_left,
    lambda x, m, limit: rescale(x, RescaleParameters(m << 20, limit)),
    lambda x, low, high: np.clip(x, low, high),
)
"""Mirror: answer() in tests/support/ckernels/arithmetic.c."""


def questions() -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    random = np.random.default_rng(5)
    some = [int(x) for x in random.integers(INT32_MIN, INT32_MAX, 60, endpoint=True)]
    values = [*EDGES, *some]
    rows = [(0, a, b, 0) for a in values for b in values if (a, b) != (INT32_MIN, INT32_MIN)]
    rows += [(1, a, bits, 0) for a in values for bits in range(32)]
    for shift in range(-31, 31):
        bound = INT32_MAX >> max(shift, 0)
        fits = sorted({max(-bound, min(bound, a)) for a in values})
        rows += [(2, a, m, shift) for a in fits for m in (0, 1 << 30, 1518500250, INT32_MAX)]
    rows += [(3, a, bits, 0) for a in values for bits in range(31)]
    rows += [
        (4, a, m, most) for a in values for m in (0, 1, 3 << 28, INT32_MAX) for most in (1, 700)
    ]
    rows += [(5, a, low, high) for a in values for low, high in ((-128, 127), (0, 0), (-5, 99))]
    return np.array(rows, np.int32)


def test_c_equals_python(tmp_path: Path) -> None:
    asked = questions()
    program = tmp_path / "arithmetic"
    compile_c(CKERNELS / "arithmetic.c", "-o", program)
    answers = np.frombuffer(run_command(program, stdin=asked.tobytes()), np.int32)
    arguments = (2, 2, 3, 2, 3, 3)
    for number, function in enumerate(FUNCTIONS):
        mine = asked[:, 0] == number
        columns = asked[mine].T[1 : 1 + arguments[number]].astype(np.int64)
        np.testing.assert_array_equal(answers[mine], function(*columns))
