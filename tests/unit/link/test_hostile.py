"""Hostile input: the board's parser against a corpus, the host's against boards that lie."""

import ctypes
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesq.errors import BoardError
from edgesq.link import frame
from edgesq.link.client import Client, Inference
from edgesq.link.frame import Decoder
from edgesq.link.info import unpack_info
from edgesq.link.trace import Tracer, unpack_ops, unpack_row
from edgesq.link.transport import open_port
from edgesq.project.build import STRICT_FLAGS
from edgesq.resources import resource
from support import fuzzing, hostile
from support.crun import run_command

settings.register_profile("hostile", deadline=None)  # the machine may be busy
settings.load_profile("hostile")

PATIENCE_S = 20 * (hostile.BUSY_S + 20)
"""A board that says BUSY, then lets the session break, 20 times: firmware/SPEC.md, section 3."""


# --- the board ---


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fuzzing.build_replay(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.slow
def test_the_corpus_breaks_no_board(replay: Path) -> None:
    fuzzing.replay(replay, fuzzing.corpus())
    fuzzing.replay(replay, fuzzing.seeds())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_slice_of_new_inputs_breaks_no_board(replay: Path, seed: int) -> None:
    inputs = [*fuzzing.corpus(), *fuzzing.seeds()]
    fuzzing.replay(replay, fuzzing.mutated(inputs, 10_000, seed))


@pytest.mark.slow
def test_noise_breaks_no_board(replay: Path) -> None:
    chance = random.Random(3)
    noise = [bytes([chance.randrange(256)]) + chance.randbytes(1500) for _ in range(500)]
    fuzzing.replay(replay, noise)


@pytest.mark.slow
def test_the_corpus_is_small_and_reaches_the_parser(tmp_path: Path) -> None:
    assert fuzzing.CORPUS.stat().st_size < 200_000
    reached = fuzzing.lines_reached(tmp_path)
    assert "link.c" in reached
    for name, (lines, total) in reached.items():
        assert lines >= 0.95 * total, name


MISSING_CHECKS = {
    "an image longer than it is": ("link.c", "is_held && !is_in(link)", "is_held"),
    "a row longer than it is": ("rows.c", "!esq_rows_is_whole(rows)", "1"),
    "values from beyond the channel": ("rows.c", "rows->left < n_channel", "1"),
    "results from beyond their end": ("link.c", "offset > results->n_bytes", "0"),
    "a frame longer than its buffer": ("frame.c", "decoder->n_bytes < ESQ_FRAME_MAX", "1"),
    "operators that are not there": ("trace.c", "first >= trace->op_count", "0"),
    "a row from beyond its end": ("trace.c", "offset > row_bytes", "0"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", MISSING_CHECKS)
def test_the_corpus_finds_a_missing_check(what: str, replay: Path, tmp_path: Path) -> None:
    program = fuzzing.build_changed(replay, tmp_path, *MISSING_CHECKS[what])
    with pytest.raises(AssertionError, match=r"rule: |runtime error: |AddressSanitizer"):
        fuzzing.replay(program, [*fuzzing.corpus(), *fuzzing.seeds()])


def test_no_number_from_the_line_becomes_an_address() -> None:
    """firmware/SPEC.md, section 5: the app makes no pointer from an integer."""
    sources = [*(resource("firmware") / "app").glob("*.c")]
    assert len(sources) > 4
    for path in sources:
        assert not re.search(r"u?intptr_t|\(\w[\w ]*\*\)\s*\(?\s*(esq_get|\d)", path.read_text()), (
            path
        )


def test_a_port_takes_no_rate_that_its_registers_do_not_hold(tmp_path: Path) -> None:
    ports = resource("firmware") / "ports" / "common"
    library = tmp_path / "baud.so"
    include = f"-I{resource('firmware') / 'include'}"
    options = ("-shared", "-fPIC", include, f"-I{ports}")
    run_command("gcc", *STRICT_FLAGS, *options, ports / "baud.c", "-o", library)
    divisor = ctypes.CDLL(str(library)).esq_baud_divisor
    for clock_hz in (8_000_000, 84_000_000, 480_000_000):
        for baud in (0, 1, 300, 9_599, clock_hz // 16 + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            assert divisor(ctypes.c_uint32(clock_hz), ctypes.c_uint32(baud)) == 0
        for baud in (9_600, 115_200, clock_hz // 16):
            assert 16 <= divisor(ctypes.c_uint32(clock_hz), ctypes.c_uint32(baud)) < 1 << 16


# --- the host: bytes ---


@given(st.lists(st.binary(max_size=1200) | st.just(b"\0") | st.just(b"\1" * 700), max_size=30))
def test_bytes_in_any_pieces_raise_nothing_and_stay_within_bounds(pieces: list[bytes]) -> None:
    decoder = Decoder()
    got: list[frame.Frame] = []
    for piece in pieces:
        got += decoder.feed(piece)
        assert len(decoder._pending) <= 2 * frame.MAX_PAYLOAD + 100
    assert sum(len(one.payload) + 10 for one in got) <= sum(map(len, pieces))


@given(st.binary(max_size=540))
def test_payloads_mean_something_or_nothing(payload: bytes) -> None:
    info = unpack_info(payload)
    if info is not None:
        assert frame.MIN_PAYLOAD <= info.max_payload <= frame.MAX_PAYLOAD
        assert sum(info.observed_bytes) <= 1 << 20
        assert all(text.isprintable() for text in (info.kernels, info.board, info.build))
    ops, row = unpack_ops(payload), unpack_row(payload)
    assert ops is None or ops.first + len(ops.operators) <= ops.count
    assert row is None or row.offset + len(row.values) <= row.row_bytes <= 1 << 20
    result = frame.unpack_result(payload)
    assert result is None or len(result.values) < len(payload)


# --- the host: boards that lie ---


def check_bounded(board: hostile.HostileBoard, talk: Callable[[Client], object]) -> object | None:
    """Return what `talk` does, None where it ends in a BoardError; both must come in time."""
    try:
        return talk(Client(board, timeout=5))
    except BoardError:
        return None
    finally:
        assert board.clock.now < PATIENCE_S


def check_outputs(board: hostile.HostileBoard, got: Inference) -> None:
    """Hold that every value was sent for its place in the same session."""
    assert tuple(map(len, got.outputs)) == hostile.OBSERVED
    values = np.concatenate(got.outputs).tobytes()
    for place, value in enumerate(values):
        assert any(
            offset <= place < offset + len(piece) and piece[place - offset] == value
            for _, _, offset, piece in board.sent
        )


def test_a_board_that_does_not_lie_is_believed() -> None:
    with hostile.clock() as clock:
        board = hostile.HostileBoard(clock, [hostile.Move(hostile.HONEST, 0, b"")])
        got = Client(board).infer(hostile.IMAGE)
    assert np.concatenate(got.outputs).tobytes() == hostile.VALUES


@given(st.lists(hostile.moves, max_size=12), st.booleans())
def test_a_lying_board_ends_in_a_result_or_an_error(
    moves: list[hostile.Move], is_endless: bool
) -> None:
    with hostile.clock() as clock:
        board = hostile.HostileBoard(clock, moves, is_endless=is_endless)
        got = check_bounded(board, lambda client: client.infer(hostile.IMAGE))
        assert got is None or isinstance(got, Inference)
        if got is not None:
            check_outputs(board, got)


@given(st.lists(hostile.moves, max_size=12), st.integers(0, 8), st.booleans())
def test_a_lying_board_is_traced_or_given_up(
    moves: list[hostile.Move], op: int, is_held: bool
) -> None:
    def talk(client: Client) -> None:
        tracer = Tracer(client)
        if not is_held:
            tracer.infer(hostile.IMAGE, with_crc=True)
            return
        held = tracer.hold(hostile.IMAGE, op)
        for _ in range(5):
            if not held.go_on():
                return
            held.row(0, 0)

    with hostile.clock() as clock:
        check_bounded(hostile.HostileBoard(clock, moves), talk)


@given(st.binary(max_size=540) | st.binary(max_size=300).map(hostile.INFO.__add__))
def test_an_info_of_any_bytes(info: bytes) -> None:
    with hostile.clock() as clock:
        board = hostile.HostileBoard(clock, [], info=info)
        check_bounded(board, Client.hello)


def test_a_board_that_wants_the_same_bytes_for_ever() -> None:
    go = hostile.Move(frame.FrameType.ACK, 0, bytes(5))
    with hostile.clock() as clock, pytest.raises(BoardError):
        Tracer(Client(hostile.HostileBoard(clock, [go]))).hold(hostile.IMAGE, 1).go_on()
    assert clock.now < PATIENCE_S


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("socket://", "HOST:PORT is needed"),
        ("socket://localhost", "HOST:PORT is needed"),
        ("rfc2217://:4000", "HOST:PORT is needed"),
        ("socket://localhost:99999", "out of range"),
        ("socket://localhost:x", "as 'x'"),
    ],
)
def test_a_url_without_an_address_is_refused_in_plain_words(url: str, said: str) -> None:
    with pytest.raises(BoardError, match=said):
        open_port(url)
