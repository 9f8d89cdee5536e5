"""The decoder in C under sanitizers: what export wrote, and anything else."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from crun import CKERNELS, compile_c, run_command
from numpy.typing import NDArray

from edgesq.compress import MAX_BITS, PADDING, encode
from edgesq.resources import resource

CARRIES = 0x80
ROUNDS = 1500

Int8 = NDArray[np.int8]


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("streams") / "streams"
    source = resource("firmware") / "src" / "esq_stream.c"
    compile_c("-O1", source, CKERNELS / "streams.c", "-o", program)
    return program


@dataclass(frozen=True)
class Way:
    """How a stream is decoded.

    Attributes:
        bits: index into the table of codes.
        carries: how two weights stand.
        has_masks: whether there is room for a table of masks.
    """

    bits: int
    carries: int
    has_masks: bool

    def record(self, content: bytes, words: int, piece: int) -> bytes:
        """One stream as streams.c reads it; `content` with its padding."""
        ways = (self.bits, self.carries, piece, self.has_masks)
        return struct.pack("<II4B", len(content) - PADDING, words, *ways) + content


def layer(rng: np.random.Generator) -> Int8:
    """Weights of any spread, any part of them zero, a multiple of four."""
    count = 4 * int(rng.integers(1, 300))
    spread = 10 ** rng.uniform(-1, 2)
    weights = np.clip(np.round(rng.normal(0, spread, count)), -128, 127).astype(np.int8)
    weights[rng.random(count) < rng.choice([0, 0.5, 0.9, 1])] = 0
    return weights


def as_words(weights: Int8, carries: int) -> NDArray[np.uint32]:
    """Two weights to a half word: two bytes, or 256 A + B with B first."""
    pairs = weights.reshape(-1, 2).astype(np.int64)
    lower = pairs[:, 0] if carries else pairs[:, 0] & 0xFF
    halves = (256 * pairs[:, 1] + lower) & 0xFFFF
    return (halves[0::2] | halves[1::2] << 16).astype(np.uint32)


@pytest.mark.parametrize("carries", [0, CARRIES])
def test_what_was_encoded_comes_back(decoder: Path, carries: int) -> None:
    rng = np.random.default_rng(carries)
    records, expected = [], []
    for _ in range(ROUNDS // 10):
        weights = layer(rng)
        way = Way(int(rng.choice([9, 10, 11])), carries, bool(rng.integers(2)))
        content = encode(weights, min(way.bits, MAX_BITS), way.has_masks).content
        records.append(way.record(content, weights.size // 4, int(rng.integers(1, 200))))
        expected.append(as_words(weights, carries))
    output = run_command(decoder, stdin=b"".join(records))
    assert np.array_equal(np.frombuffer(output, np.uint32), np.concatenate(expected))


def test_nothing_is_touched_beyond_its_memory_whatever_a_stream_says(decoder: Path) -> None:
    """Flipped, cut, filled with noise, asked for more than it has; sanitizers watch."""
    rng = np.random.default_rng(7)
    records, words = [], 0
    for number in range(ROUNDS):
        content = bytearray(encode(layer(rng), masks=bool(rng.integers(2))).content)
        match number % 4:
            case 0:
                for place in rng.integers(0, len(content) - PADDING, 5):
                    content[place] ^= 1 << int(rng.integers(8))
            case 1:
                content = content[: int(rng.integers(1, len(content) - PADDING)) + PADDING]
            case 2:
                content[:] = rng.integers(0, 256, len(content), np.uint8).tobytes()
            case 3:
                content[int(rng.integers(3))] = int(rng.integers(256))
        count = int(rng.integers(1, 1200))
        carries = CARRIES * int(rng.integers(2))
        way = Way(int(rng.choice([9, 10, 11])), carries, bool(rng.integers(2)))
        records.append(way.record(bytes(content), count, int(rng.integers(1, 256))))
        words += count
    assert len(run_command(decoder, stdin=b"".join(records))) == 4 * words
