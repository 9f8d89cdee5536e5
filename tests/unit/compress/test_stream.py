"""Streams of weights: lossless, of the size announced, best codes, damage noticed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgesq.compress import (
    MAX_BITS,
    PADDING,
    code_lengths,
    decode,
    encode,
    has_masks,
    stream_bytes,
)
from edgesq.errors import EdgesqError
from edgesq.integers import ceil_div

COUNTS = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=256).filter(any)


@st.composite
def weights(draw: st.DrawFn) -> NDArray[np.int8]:
    """Weights of any distribution: few or many levels, equally likely or not, some of them zero."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    levels = draw(st.integers(1, 256))
    lowest = draw(st.integers(-128, 128 - levels))
    steepness = draw(st.floats(0, 3))
    chances = np.exp(-steepness * rng.permutation(levels))
    count = draw(st.integers(1, 4000))
    layer = (lowest + rng.choice(levels, count, p=chances / chances.sum())).astype(np.int8)
    return np.where(rng.random(count) < draw(st.sampled_from((0, 0.5, 0.9, 1))), np.int8(0), layer)


@given(weights(), st.sampled_from((None, False, True)), st.sampled_from((8, 9, MAX_BITS)))
@settings(deadline=None)
def test_decoding_gives_back_what_was_encoded(
    layer: NDArray[np.int8], masks: bool | None, most: int
) -> None:
    stream = encode(layer, most, masks)
    assert np.array_equal(decode(stream.content, layer.size), layer)
    assert np.array_equal(decode(stream.content, layer.size // 2), layer[: layer.size // 2])
    assert len(stream.content) == stream_bytes(layer, most, masks)
    assert stream.longest <= MAX_BITS
    assert stream.code_bytes + ceil_div(stream.bits, 8) + PADDING == len(stream.content)


@given(weights())
@settings(deadline=None)
def test_masks_are_taken_where_they_save_enough(layer: NDArray[np.int8]) -> None:
    plain, masked = (stream_bytes(layer, masks=masks) for masks in (False, True))
    assert has_masks(layer) == (masked <= 0.975 * plain)
    assert encode(layer).content == encode(layer, masks=has_masks(layer)).content
    assert stream_bytes(layer) == (masked if has_masks(layer) else plain)


def test_masks_come_near_the_entropy_of_mostly_zeros() -> None:
    rng = np.random.default_rng(2)
    layer = np.round(rng.laplace(0, 2, 50_000)).astype(np.int8)
    layer[rng.random(layer.size) < 0.8] = 0
    chances = np.unique(layer, return_counts=True)[1] / layer.size
    entropy = -(chances * np.log2(chances)).sum() * layer.size / 8
    assert has_masks(layer)
    assert (
        entropy
        < stream_bytes(layer)
        < entropy * 1.03
        < entropy * 1.1
        < stream_bytes(layer, masks=False)
    )


@given(COUNTS)
def test_code_lengths_make_a_complete_code(counts: list[int]) -> None:
    lengths = code_lengths(np.array(counts, np.int64), MAX_BITS)
    assert [bool(length) for length in lengths] == [bool(count) for count in counts]
    used = lengths[lengths > 0]
    assert used.max() <= MAX_BITS
    if len(used) > 1:
        assert (2.0 ** -used.astype(float)).sum() == 1


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=7), st.integers(3, 5))
@settings(deadline=None)
def test_no_other_code_is_shorter(counts: list[int], most: int) -> None:
    best = _shortest(sorted(counts, reverse=True), most)
    assert int(np.array(counts) @ code_lengths(np.array(counts), most)) == best


def _shortest(counts: list[int], most: int) -> int:
    """Try all lengths, shortest first for the commonest, that Kraft's inequality allows."""

    def after(index: int, least: int, room: float) -> float:
        if index == len(counts):
            return 0
        return min(
            (
                counts[index] * length + after(index + 1, length, room - 0.5**length)
                for length in range(least, most + 1)
                if room >= 0.5**length
            ),
            default=math.inf,
        )

    return int(after(0, 1, 1.0))


def test_a_stream_is_near_the_entropy() -> None:
    layer = np.round(np.random.default_rng(1).normal(0, 2, 50_000)).astype(np.int8)
    chances = np.unique(layer, return_counts=True)[1] / layer.size
    entropy = -(chances * np.log2(chances)).sum() * layer.size / 8
    assert entropy < stream_bytes(layer) < entropy * 1.03


def test_a_stream_cut_short_is_refused() -> None:
    content = encode(np.arange(-20, 20, dtype=np.int8)).content
    with pytest.raises(EdgesqError, match="damaged behind"):
        decode(content[: -PADDING - 2] + bytes(PADDING), 40)


def test_bits_that_are_no_code_are_refused() -> None:
    stream = encode(np.zeros(100, np.int8))
    codes = len(stream.content) - stream.code_bytes - PADDING
    with pytest.raises(EdgesqError, match="damaged behind 0 of 100"):
        decode(stream.content[: stream.code_bytes] + b"\xff" * codes + bytes(PADDING), 100)
