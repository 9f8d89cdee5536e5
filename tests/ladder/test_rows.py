"""The lossless code of rows: numpy = read by the book = C with sanitizers = emulated boards."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgesq.link import rows
from edgesq.resources import resource
from support import coded_rows
from support.crun import compile_c, run_command
from support.emulated_rows import Decoded, Record, run_rows
from support.paths import CKERNELS

Int8 = NDArray[np.int8]

SHAPES = [
    *((7, 9, 3), (5, 64, 3), (4, 33, 1), (3, 10, 4), (6, 1, 3), (2, 1, 40), (1, 700, 1)),
    *((1, 1, 1), (1, 1, 300), (20, 2, 2), (1, 5, 3)),
]
BOARDS = ("microbit", "mps2-an386", "mps2-an500")
MOST_INSTRUCTIONS = {"microbit": 85, "mps2-an386": 60, "mps2-an500": 60}
"""For a value of about 3 bits; firmware/SPEC.md, section 8, has the figures."""


def pictures(shape: tuple[int, int, int], seed: int) -> list[Int8]:
    """Return images of a shape: noise, flat, smooth, wrapping, few values, one far value."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(-128, 128, shape).astype(np.int8)
    steps = rng.normal(0, 3, shape).round()
    far = np.full(shape, -7, np.int8)
    far.reshape(-1)[rng.integers(far.size)] = 120
    return [
        noise,
        np.full(shape, -128, np.int8),
        steps.cumsum(1).astype(np.int64).astype(np.int8),
        steps.cumsum(0).cumsum(1).astype(np.int64).astype(np.int8),
        rng.choice(np.array([-128, 127], np.int8), shape),
        far,
    ]


def smooth(rng: np.random.Generator, shape: tuple[int, int, int]) -> Int8:
    """Return a picture with edges and noise; its code takes 3 bits a value, as a photograph's."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    base = 60 * np.sin(x / 9) + 40 * np.cos(y / 7) + 50 * ((x // 16 + y // 16) % 2)
    values = base[..., None] / 2 + rng.normal(0, 0.7, shape)
    picture: Int8 = values.round().clip(-128, 127).astype(np.int8)
    return picture


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("rows") / "rows"
    app = resource("firmware") / "app"
    compile_c("-O1", f"-I{app}", app / "rows.c", CKERNELS / "rows.c", "-o", program)
    return program


def decoded(decoder: Path, records: Sequence[Record]) -> list[Decoded]:
    """Return what the C decoder makes of bytes; sanitizers watch."""
    fed = [
        struct.pack("<II3H", len(one.content), one.piece, *one.shape) + one.content
        for one in records
    ]
    output = run_command(decoder, stdin=b"".join(fed))
    found = []
    for record in records:
        size = int(np.prod(record.shape))
        image = np.frombuffer(output[:size], np.int8).reshape(record.shape)
        count, more = struct.unpack_from("<II", output, size)
        output = output[size + 8 :]
        found.append(Decoded(image, count, bool(more)))
    assert output == b""
    return found


def by_the_book(record: Record) -> Decoded:
    return Decoded(*coded_rows.decode(record.content, record.shape))


def same(one: Decoded, other: Decoded) -> bool:
    facts = (one.rows, one.has_more) == (other.rows, other.has_more)
    return facts and np.array_equal(one.image, other.image)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_image_comes_back(shape: tuple[int, int, int], decoder: Path) -> None:
    images = pictures(shape, seed=sum(shape))
    records = [
        Record(rows.encode(image), shape, piece)
        for image in images
        for piece in (1, 7, 488, 100_000)
    ]
    for number, found in enumerate(decoded(decoder, records)):
        assert same(found, Decoded(images[number // 4], shape[0], has_more=False))
        assert same(found, by_the_book(records[number]))


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_any_image_comes_back(decoder: Path, data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 40), st.integers(1, 5)))
    size = int(np.prod(shape))
    few = st.lists(st.integers(-128, 127), min_size=1, max_size=4)
    palette = data.draw(st.just(list(range(-128, 128))) | few)
    values = data.draw(st.lists(st.sampled_from(palette), min_size=size, max_size=size))
    image = np.array(values, np.int8).reshape(shape)
    record = Record(rows.encode(image), shape, data.draw(st.integers(1, 60)))
    (found,) = decoded(decoder, [record])
    assert same(found, Decoded(image, shape[0], has_more=False))


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_some_image(decoder: Path, data: st.DataObject) -> None:
    """Cut ones a part of it; bytes behind it show, and nothing is touched outside."""
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 4)))
    content = data.draw(st.binary(max_size=300) | st.just(b"\xff" * 90) | st.just(b"\xfd" * 90))
    record = Record(content, shape, data.draw(st.integers(1, 60)))
    (found,) = decoded(decoder, [record])
    assert same(found, by_the_book(record))


def damaged(seed: int, count: int) -> list[Record]:
    """Return codes, three of four with wrong bits, cut or continued."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(count):
        shape = SHAPES[number % len(SHAPES)]
        image = pictures(shape, number)[number % 6]
        content = bytearray(rows.encode(image))
        if number % 4 == 1:
            content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
        elif number % 4 == 2:
            content = content[: int(rng.integers(len(content)))]
        elif number % 4 == 3:
            content += rng.bytes(int(rng.integers(1, 9)))
        records.append(Record(bytes(content), shape, int(rng.integers(1, 500))))
    return records


def test_damaged_codes_are_read_as_by_the_book(decoder: Path) -> None:
    records = damaged(seed=3, count=300)
    for record, found in zip(records, decoded(decoder, records), strict=True):
        assert same(found, by_the_book(record))


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS)
def test_a_board_decodes_likewise_and_quickly(board: str, decoder: Path, tmp_path: Path) -> None:
    picture = smooth(np.random.default_rng(1), (48, 64, 3))
    records = [Record(rows.encode(picture), picture.shape, 488), *damaged(seed=5, count=80)]
    found = run_rows(tmp_path, board, records)
    assert all(map(same, found, decoded(decoder, records)))
    assert same(found[0], Decoded(picture, 48, has_more=False))
    assert 2.5 < 8 * len(records[0].content) / picture.size < 3.5
    assert 20 < found[0].instructions / picture.size < MOST_INSTRUCTIONS[board]


def test_where_nothing_can_be_saved_the_code_is_a_little_longer() -> None:
    noise = np.random.default_rng(1).integers(-128, 128, (224, 224, 3)).astype(np.int8)
    assert noise.size < len(rows.encode(noise)) < 1.013 * noise.size


def test_a_flat_image_takes_three_bits_for_32_values() -> None:
    assert len(rows.encode(np.zeros((32, 32, 3), np.int8))) == 32 * 32 * 3 // 32 * 3 // 8
