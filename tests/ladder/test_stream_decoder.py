"""The decoder in C under sanitizers: what export wrote, and anything else."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.compress import PADDING, encode
from edgesq.resources import resource
from support import fuzzing
from support.crun import compile_c, run_command
from support.emulated_streams import ENDS, Record, run_streams
from support.paths import CKERNELS

CARRIES = 0x80
ROUNDS, ON_BOARD, FUZZED = 1500, 400, 5000
BITS = (8, 9, 10, 11)

Int8 = NDArray[np.int8]


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("streams") / "streams"
    source = resource("firmware") / "src" / "esq_stream.c"
    compile_c("-O1", source, CKERNELS / "streams.c", "-o", program)
    return program


def record(
    rng: np.random.Generator, content: bytes, words: int, carries: int, has_masks: bool
) -> Record:
    """Return a stream with any table and any number of words at a time."""
    return Record(
        content, words, int(rng.integers(1, 256)), int(rng.choice(BITS)), carries, has_masks
    )


def decoded(decoder: Path, records: list[Record]) -> NDArray[np.uint32]:
    """Return the words of all records, by streams.c."""
    fed = [
        struct.pack(
            "<II4B",
            len(one.content) - PADDING,
            one.words,
            one.table_bits,
            one.carries,
            one.piece,
            one.has_masks,
        )
        + one.content
        for one in records
    ]
    return np.frombuffer(run_command(decoder, stdin=b"".join(fed)), np.uint32)


def layer(rng: np.random.Generator) -> Int8:
    """Weights of any spread, any part of them zero, a multiple of four."""
    count = 4 * int(rng.integers(1, 300))
    spread = 10 ** rng.uniform(-1, 2)
    weights = np.clip(np.round(rng.normal(0, spread, count)), -128, 127).astype(np.int8)
    weights[rng.random(count) < rng.choice([0, 0.5, 0.9, 1])] = 0
    return weights


def damaged(rng: np.random.Generator, stream: bytes, number: int) -> bytes:
    """Return a stream with wrong bits, cut, filled with noise, or with a wrong header."""
    content = bytearray(stream)
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
    return bytes(content)


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
        weights, masks = layer(rng), bool(rng.integers(2))
        content = encode(weights, min(BITS), masks).content
        records.append(record(rng, content, weights.size // 4, carries, masks))
        expected.append(as_words(weights, carries))
    assert np.array_equal(decoded(decoder, records), np.concatenate(expected))


def damaged_records(rng: np.random.Generator, count: int, most_words: int) -> list[Record]:
    """Return streams, three of four damaged, asked for any number of words."""
    records = []
    for number in range(count):
        content = encode(layer(rng), masks=bool(rng.integers(2))).content
        content = damaged(rng, content, number // 4) if number % 4 else content
        words, carries = int(rng.integers(1, most_words)), CARRIES * int(rng.integers(2))
        records.append(record(rng, content, words, carries, bool(rng.integers(2))))
    return records


def test_nothing_is_touched_beyond_its_memory_whatever_a_stream_says(decoder: Path) -> None:
    """Sanitizers watch."""
    records = damaged_records(np.random.default_rng(7), ROUNDS, 1200)
    assert len(decoded(decoder, records)) == sum(one.words for one in records)


@pytest.mark.emulated
@pytest.mark.parametrize("board", sorted(ENDS))
def test_a_board_decodes_as_the_portable_decoder_does(
    board: str, decoder: Path, tmp_path: Path
) -> None:
    """Damaged streams too. A read beyond the padding is a fault, a write beyond the end shows."""
    records = damaged_records(np.random.default_rng(11), ON_BOARD, 300)
    found = run_streams(tmp_path, board, records)
    words = np.concatenate([one.words for one in found])
    assert np.array_equal(words, decoded(decoder, records))


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    return fuzzing.build_streams(folder, "gcc", fuzzing.REPLAY)


def test_a_slice_of_the_fuzzer_breaks_no_rule(replay: Path) -> None:
    """`make soak SOAK=streams` goes on from the same inputs."""
    seeds = fuzzing.stream_seeds()
    fuzzing.replay(replay, seeds)
    fuzzing.replay(replay, fuzzing.mutated(seeds, FUZZED, 1))


MISSING_CHECKS = {
    "as many words as are wanted": ("left / ESQ_WORD_BITS", "left"),
    "a table of masks where there is no room": (" && streamed->masks", ""),
    "lengths from beyond the stream": ("at_most(left, (header[2] + 2u) / 2u)", "header[2] / 2u"),
    "masks from beyond the stream": ("at_most(left, ESQ_MASKS / 2u)", "ESQ_MASKS / 2u"),
    "a mask from beyond the stream": (
        "if (decoder->place >= decoder->end) {\n        return 0;\n    }\n    const uint32_t bits",
        "const uint32_t bits",
    ),
    "a code longer than the table": ("length == 0 || length > code->longest", "length == 0"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", MISSING_CHECKS)
def test_the_slice_finds_a_missing_check(what: str, tmp_path: Path) -> None:
    program = fuzzing.build_streams(tmp_path, "gcc", fuzzing.REPLAY, (), *MISSING_CHECKS[what])
    seeds = fuzzing.stream_seeds()
    with pytest.raises(AssertionError, match=r"rule: |runtime error: |AddressSanitizer"):
        fuzzing.replay(program, [*seeds, *fuzzing.mutated(seeds, FUZZED, 1)])
