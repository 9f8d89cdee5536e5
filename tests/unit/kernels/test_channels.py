"""Bias and multiplier of a channel in a few bits: C under sanitizers takes out what went in."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesq.arithmetic import (
    Int64Array,
    bias_grid,
    conv2d_multipliers,
    multiply_by_quantized_multiplier,
    quantize_multipliers,
)
from edgesq.compress.biases import FRACTION_BITS, stored_bias
from edgesq.kernels.channels import Channels, pack_channels, pack_words, unpack_words
from edgesq.kernels.conv_params import field_bytes
from edgesq.kernels.dsp.endings import short_channels
from edgesq.operators import Conv2D
from support.crun import compile_c, run_command
from support.kernel_cases import conv_graph
from support.paths import CKERNELS


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("channels") / "channels"
    compile_c("-O1", CKERNELS / "channels.c", "-o", program)
    return program


@st.composite
def known_channels(draw: st.DrawFn) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Biases, multipliers and shifts: few multipliers or many, fine biases or coarse, any size."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 40))
    kinds = draw(st.integers(1, 40))
    multipliers = rng.integers(1 << 30, 1 << 31, kinds)
    shifts = -rng.integers(draw(st.integers(0, 15)), 32, kinds)
    which = rng.integers(kinds, size=count)
    most = 1 << draw(st.integers(0, 31))
    bias = rng.integers(-most, most, count)
    grid = bias_grid(shifts[which], draw(st.integers(0, 31)))
    return bias // grid * grid, multipliers[which], shifts[which]


def unpacked(program: Path, channels: Channels) -> Int64Array:
    content = field_bytes(channels.fields, channels.bits)
    numbers = (channels.bits, channels.step_bits, channels.fraction_bits)
    shifts = (channels.shift_bits, channels.first_shift)
    count, steps = len(channels.fields), channels.steps
    head = struct.pack("<3I5B3x", count, len(content), steps.size, *numbers, *shifts)
    output = run_command(program, stdin=head + steps.astype("<u4").tobytes() + content)
    return np.frombuffer(output, "<i4").reshape(-1, 3).astype(np.int64)


@given(known=known_channels())
@settings(deadline=None, max_examples=150)
def test_the_board_takes_out_what_was_put_in(
    program: Path, known: tuple[Int64Array, Int64Array, Int64Array]
) -> None:
    bias, multiplier, shift = known
    channels = pack_channels(bias, multiplier, shift)
    if channels is None:
        steps = len(np.unique(np.stack([multiplier, shift]), axis=1))
        assert steps > 1 or max(-bias.min(), bias.max()) >= 1 << 24
        return
    assert np.array_equal(unpacked(program, channels), np.stack([bias, multiplier, -shift], axis=1))


@st.composite
def own_channels(draw: st.DrawFn) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """Biases, multipliers, shifts and greatest sums: shifts near each other or far apart."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 12))
    first = draw(st.integers(1, 12))
    shifts = -rng.integers(first, first + draw(st.integers(1, 10)), count)
    bias = rng.integers(-(1 << 18), 1 << 18, count)
    high = rng.integers(1, 1 << draw(st.integers(4, 24)), count)
    return bias, rng.integers(1 << 30, 1 << 31, count), shifts, high


@given(known=own_channels())
@settings(deadline=None, max_examples=100)
def test_a_word_gives_the_levels_of_the_multiplier_that_it_stands_for(
    program: Path, known: tuple[Int64Array, Int64Array, Int64Array, Int64Array]
) -> None:
    """On both sides of every step between levels."""
    bias, multiplier, shift, high = known
    channels = pack_words(*known)
    if channels is None:
        assert shift.max() - shift.min() > 3, "two bits hold four shifts, and all of a multiplier"
        return
    found = unpacked(program, channels)
    assert np.array_equal(found[:, 0], bias)
    assert np.array_equal(found[:, 2], -shift)
    assert np.array_equal(found[:, 1], unpack_words(channels)[0])
    halves = np.arange(1, 257)[:, np.newaxis] - 0.5
    near = np.floor(halves * np.ldexp(1.0, 31 - shift) / multiplier).astype(np.int64)
    sums = np.clip(near[..., np.newaxis] + np.arange(-2, 4), 0, high[:, np.newaxis])
    was, now = (
        np.minimum(
            multiply_by_quantized_multiplier(sums, by[:, np.newaxis], shift[:, np.newaxis]), 255
        )
        for by in (multiplier, found[:, 1])
    )
    assert np.array_equal(was, now)


def test_a_multiplier_that_no_word_holds() -> None:
    """Of a channel whose weights have scale 0."""
    one = np.ones(2, np.int64)
    assert pack_words(one, np.array([1 << 30, 0]), -one, one) is None
    assert pack_words(one, one << 30, -one, one) is not None


@pytest.mark.parametrize("bias", [-(1 << 24), (1 << 24) - 1, -1, 0, 1])
def test_the_widest_field(program: Path, bias: int) -> None:
    shift = np.array([-31])
    channels = pack_channels(np.array([bias, 1]), np.full(2, 1 << 30), np.repeat(shift, 2))
    assert channels is not None
    assert unpacked(program, channels)[:, 0].tolist() == [bias, 1]
    assert pack_channels(np.array([1 << 24, 1]), np.full(2, 1 << 30), np.repeat(shift, 2)) is None


def test_left_shifts_and_too_many_multipliers_need_a_table() -> None:
    one = np.ones(300, np.int64)
    assert pack_channels(one, (1 << 30) * one, one) is None
    assert pack_channels(one, (1 << 30) + np.arange(300), -one) is None
    assert pack_channels(one[:256], (1 << 30) + np.arange(256), -one[:256]) is not None


@given(st.integers(0, 2**32), st.floats(-6, 2))
@settings(deadline=None, max_examples=40)
def test_stored_biases_are_near_and_short(seed: int, log10_step: float) -> None:
    """At most 1/32 of an output step off; ones that reach over all outputs take 12 bits or less."""
    graph = conv_graph(0, channels=8, outputs=64, real=0.0005)
    op = graph.ops[0]
    assert isinstance(op, Conv2D)
    rng = np.random.default_rng(seed)
    scales = (10**log10_step * 2.0 ** (rng.integers(0, 8, 64) / 4)).astype(np.float32)
    unit = graph.tensors[op.inputs[0]].scale * scales.astype(np.float64)
    output = graph.tensors[op.output].scale
    real = rng.uniform(-100, 100, 64) * output
    stored = stored_bias(graph, op, scales, real)
    assert (np.abs(stored * unit - real) <= np.maximum(output / 32, unit / 2) * 1.0001).all()
    multiplier, shift = quantize_multipliers(unit / output)
    channels = pack_channels(stored.astype(np.int64), multiplier, shift)
    if (shift <= 0).all():
        assert channels is not None
        assert channels.fraction_bits <= FRACTION_BITS
        assert channels.bits - channels.step_bits <= 12 + 1


def test_a_whole_table_stands_for_what_does_not_fit() -> None:
    """Fields of a real layer hold its own numbers."""
    graph = conv_graph(3, channels=8, outputs=16, real=0.0005)
    op = graph.ops[0]
    assert isinstance(op, Conv2D)
    channels = short_channels(graph, op)
    assert channels is not None
    multiplier, shift = conv2d_multipliers(graph, op)
    if channels.shift_bits:
        assert np.array_equal(unpack_words(channels), [multiplier, shift])
        return
    index = channels.fields & (1 << channels.step_bits) - 1
    assert np.array_equal(channels.steps[index], np.stack([multiplier, -shift], axis=1))
