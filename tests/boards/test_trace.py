"""What a board says of its operators: ticks, CRCs and holds, over good and bad lines."""

import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import BoardError
from edgesq.link import frame
from edgesq.link.client import Client
from edgesq.link.frame import Ack, AckStatus, FrameType
from edgesq.link.trace import (
    NO_OP,
    OUTPUT,
    HeldImage,
    OperatorTrace,
    Tracer,
    unpack_ops,
    unpack_row,
)
from edgesq.link.transport import open_port
from support.boards import SANITIZERS, STUB_BYTES, BadLine, compile_stub, running, stub_values
from support.link_partners import INFO, Actor, Raw
from support.wire_tool import Wire

pytest_plugins = ("support.link_partners",)

ROWS = 20
TRACED = 1
"""The stub's operator that has an output: the first, third and fifth byte of each image row."""
OPERATORS = 90


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("stub") / "board"
    return compile_stub("host", program, *SANITIZERS, f"-DESQ_MODEL_OP_COUNT={OPERATORS}u")


@pytest.fixture
def port(firmware: Path, tmp_path: Path) -> Iterator[str]:
    log = tmp_path / "log"
    with running([str(firmware)], log) as (_, port):
        yield port
    assert log.read_text() == ""  # the sanitizers have nothing to say


def image(seed: int) -> bytes:
    return random.Random(seed).randbytes(STUB_BYTES)


def traced_rows(content: bytes) -> list[bytes]:
    return [content[start : start + 5 : 2] for start in range(0, STUB_BYTES, 75)]


def check_crcs(tracer: Tracer, seed: int) -> None:
    content = image(seed)
    inference, operators = tracer.infer(content, with_crc=True)
    assert all(map(np.array_equal, inference.outputs, stub_values(content)))
    assert len(operators) == OPERATORS
    assert operators[TRACED].crc == zlib.crc32(b"".join(traced_rows(content)))
    assert {operator.crc for operator in operators if operator != operators[TRACED]} == {0}


def check_holds(tracer: Tracer, seed: int) -> None:
    content = image(seed)
    held = tracer.hold(content, TRACED)
    for number, expected in enumerate(traced_rows(content)):
        assert held.go_on()
        values, row = held.row(OUTPUT, number)
        assert values.tobytes() == expected
        assert (row.hold, row.op, row.complete) == (number + 1, TRACED, number + 1)
    assert not held.go_on()


def test_ticks_of_operators_add_up(port: str) -> None:
    with open_port(port) as transport:
        inference, operators = Tracer(Client(transport)).infer(image(1))
    assert sum(operator.ticks for operator in operators) == inference.ticks
    # The stub takes steps 3, 2 and 1 for each row.
    assert all(operator.ticks == 0 for operator in operators[4:])
    assert {operator.crc for operator in operators} == {0}


def test_crcs_of_outputs(port: str) -> None:
    with open_port(port) as transport:
        tracer = Tracer(Client(transport))
        check_crcs(tracer, 2)
        assert {operator.crc for operator in tracer.infer(image(2))[1]} == {0}


def test_holds_after_each_step(port: str) -> None:
    with open_port(port) as transport:
        client = Client(transport)
        check_holds(Tracer(client), 3)
        assert all(
            map(np.array_equal, Tracer(client).infer(image(4))[0].outputs, stub_values(image(4)))
        )


def test_a_board_that_forgot_the_session(port: str) -> None:
    with open_port(port) as transport:
        tracer = Tracer(Client(transport))
        check_crcs(tracer, 3)
        assert Raw(transport).ask(FrameType.HELLO, b"\2") is not None
        check_crcs(tracer, 4)


@pytest.mark.parametrize("times", [1, 4, 5])
def test_a_board_that_forgets_a_hold(port: str, times: int) -> None:
    """Each time it is begun again; a board that never gets through is given up."""
    with open_port(port) as transport:
        tracer = Tracer(Client(transport))
        begun: list[HeldImage] = []

        def rows(held: HeldImage) -> list[bytes]:
            begun.append(held)
            got: list[bytes] = []
            while held.go_on():
                got.append(held.row(OUTPUT, len(got))[0].tobytes())
                if len(got) == 7 and len(begun) <= times:
                    assert Raw(transport).ask(FrameType.HELLO, b"\2") is not None
            return got

        if times == 5:
            with pytest.raises(BoardError, match=r"the session broke 5 times .*watchdog"):
                tracer.held(image(8), TRACED, rows)
        else:
            assert tracer.held(image(8), TRACED, rows) == traced_rows(image(8))
        assert len(begun) == min(times + 1, 5)
        check_crcs(tracer, 9)


@pytest.mark.parametrize("happens", ["reset", "vanish"])
def test_a_board_that_goes_and_comes_back(firmware: Path, tmp_path: Path, happens: str) -> None:
    with Wire([str(firmware)], tmp_path) as wire, open_port(wire.port) as transport:
        tracer = Tracer(Client(transport))
        begun: list[HeldImage] = []
        check_crcs(tracer, 1)

        def rows(held: HeldImage) -> list[bytes]:
            begun.append(held)
            got: list[bytes] = []
            while held.go_on():
                got.append(held.row(OUTPUT, len(got))[0].tobytes())
                if len(got) == 5 and len(begun) == 1:
                    wire.soon(wire.reset if happens == "reset" else lambda: wire.vanish(0.1))
            return got

        assert tracer.held(image(2), TRACED, rows) == traced_rows(image(2))
        assert (len(begun), wire.resets + wire.returns) == (2, 1)
        wire.soon(wire.reset if happens == "reset" else lambda: wire.vanish(0.1))
        check_crcs(tracer, 3)


def test_a_held_image_can_be_left(port: str) -> None:
    with open_port(port) as transport:
        tracer = Tracer(Client(transport))
        assert tracer.hold(image(5), TRACED).go_on()
        check_crcs(tracer, 6)
        assert tracer.hold(image(5), TRACED).go_on()
        check_holds(Tracer(Client(transport)), 7)


@pytest.mark.parametrize(
    "kinds", [("flip",), ("drop",), ("flip", "drop", "double", "insert", "cut")]
)
def test_bad_lines(port: str, kinds: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.link.session._ASK_PATIENT_S", 0.05)
    with BadLine(port, seed=5, rate=1 / 1000, kinds=kinds) as line:
        tracer = Tracer(Client(line))
        for seed in range(4):
            check_crcs(tracer, seed)
            check_holds(tracer, seed)
        assert line.faults > 5


def test_no_such_operator_or_row(port: str) -> None:
    with open_port(port) as transport:
        tracer = Tracer(Client(transport))
        with pytest.raises(BoardError, match="refuses TRACE"):
            tracer.hold(image(1), OPERATORS)
        held = tracer.hold(image(1), TRACED)
        assert held.go_on()
        for which, row in ((OUTPUT, ROWS), (1, 0), (255, 0xFFFF)):
            with pytest.raises(BoardError, match="refuses ROW_GET"):
                held.row(which, row)
        with pytest.raises(ValueError, match="3 bytes, the board takes 1500"):
            tracer.hold(b"abc", TRACED)


# --- the board's answers, frame by frame ---


@pytest.fixture
def raw(port: str) -> Iterator[Raw]:
    with open_port(port) as transport:
        speaker = Raw(transport)
        assert speaker.ask(FrameType.HELLO, b"\2") is not None
        yield speaker


def row_get(number: int, go_on: int, image_number: int = 1, which: int = 0, row: int = 0) -> bytes:
    return struct.pack("<IBHIB", image_number, which, row, number, go_on)


def test_a_repeated_go_on_ends_no_other_hold(raw: Raw) -> None:
    assert raw.ack(FrameType.TRACE, struct.pack("<BH", 0, TRACED)) == Ack(0, 0, AckStatus.DONE)
    data = frame.pack_data(1, 0, bytes(400))
    assert raw.ack(FrameType.DATA, data) == Ack(1, 75, AckStatus.HELD)
    assert raw.ack(FrameType.DATA, data) == Ack(1, 75, AckStatus.HELD)
    assert raw.ack(FrameType.DATA, frame.pack_data(1, 400, bytes(9))) == Ack(1, 75, AckStatus.HELD)
    assert raw.ack(FrameType.ROW_GET, row_get(2, 1)) == Ack(1, 75, AckStatus.HELD)
    assert raw.ack(FrameType.ROW_GET, row_get(1, 1, image_number=2)) == Ack(1, 75, AckStatus.AGAIN)
    assert raw.ack(FrameType.ROW_GET, row_get(1, 1)) == Ack(1, 75, AckStatus.GO)
    assert raw.ack(FrameType.ROW_GET, row_get(0, 0)) == Ack(1, 75, AckStatus.REFUSED)
    assert raw.ack(FrameType.DATA, frame.pack_data(1, 75, bytes(80))) == Ack(1, 150, AckStatus.HELD)
    assert raw.ack(FrameType.ROW_GET, row_get(1, 1)) == Ack(1, 150, AckStatus.HELD)
    assert raw.ack(FrameType.OPS_GET, struct.pack("<IH", 1, 0)) == Ack(1, 150, AckStatus.AGAIN)


def test_requests_that_make_no_sense(raw: Raw) -> None:
    refused = Ack(0, 0, AckStatus.REFUSED)
    for request in (b"", b"\0\0", b"\2\xff\xff", struct.pack("<BH", 0, OPERATORS), bytes(4)):
        assert raw.ack(FrameType.TRACE, request) == refused
    for type_, size in ((FrameType.OPS_GET, 6), (FrameType.ROW_GET, 12)):
        assert raw.ack(type_, bytes(size - 1)) == refused
        assert raw.ack(type_, bytes(size + 1)) == refused
    assert raw.ack(FrameType.OPS_GET, bytes(6)) == Ack(1, 0, AckStatus.AGAIN)
    assert raw.ack(FrameType.ROW_GET, bytes(12)) == refused


def test_frames_of_a_hostile_host(raw: Raw) -> None:
    chance = random.Random(17)
    for _ in range(3000):
        type_ = chance.choice((2, 2, 4, 5, 6, 6, 6))
        number = chance.choice((0, 1, 2, 3, 0xFFFF, 0xFFFFFFFF))
        row = chance.choice((0, 1, 19, 20, 0xFFFF))
        offset = chance.choice((0, 1, 3, 4, 75, 0xFFFFFFFF))
        payload = {
            2: struct.pack("<II", chance.choice((1, 2)), chance.choice((0, 75, 150))) + bytes(75),
            4: struct.pack("<BH", chance.choice((0, 1, 1, 255)), chance.choice((1, 1, 5, row))),
            5: struct.pack("<IH", number, row),
            6: row_get(offset, chance.choice((0, 0, 1)), number, chance.choice((0, 1, 255)), row),
        }[type_]
        body = struct.pack("<BBH", type_, 0, 5) + payload
        raw.transport.write(frame.cobs_encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0")
        raw.transport.read(0)
    check_crcs(Tracer(Client(raw.transport)), 6)


# --- what a hostile board may send ---

OPS = struct.pack("<IHHB", 7, 0, 2, 1) + struct.pack("<IQIQ", 5, 6, 7, 1 << 40)
ROW = struct.pack("<IIHBHHHHII", 7, 1, 3, 0, 2, 4, 5, 6, 0, 3) + b"abc"


def test_payloads_that_make_sense() -> None:
    ops, row = unpack_ops(OPS), unpack_row(ROW)
    assert ops is not None
    assert ops.operators == (OperatorTrace(5, 6), OperatorTrace(7, 1 << 40))
    assert (ops.image, ops.first, ops.count, ops.has_crc) == (7, 0, 2, True)
    assert row is not None
    assert (row.image, row.hold, row.op, row.row, row.complete) == (7, 1, 3, 2, 6)
    assert (row.row_bytes, row.values) == (3, b"abc")


@pytest.mark.parametrize(
    "payload",
    [b"", OPS[:9], OPS[:-1], OPS + bytes(12), OPS[:8] + b"\2" + OPS[9:], b"\1" * 496],
)
def test_ops_that_make_no_sense(payload: bytes) -> None:
    assert unpack_ops(payload) is None


@pytest.mark.parametrize("payload", [b"", ROW[:26], ROW + b"d", b"\xff" * 100])
def test_rows_that_make_no_sense(payload: bytes) -> None:
    assert unpack_row(payload) is None


@pytest.mark.parametrize(
    "answer",
    [
        (FrameType.OPS, OPS),
        (FrameType.ROW, ROW),
        (FrameType.ROW, b""),
        (FrameType.ACK, struct.pack("<IIB", 9, 0, AckStatus.AGAIN)),
        (FrameType.ACK, b""),
    ],
)
def test_boards_that_answer_otherwise(
    answer: tuple[FrameType, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgesq.link.session._STUCK", 0.3)
    tracer = Tracer(Client(Actor((FrameType.INFO, INFO), answer), timeout=1))
    with pytest.raises(BoardError, match=r"no progress in 0.3 s"):
        tracer.hold(bytes(12), NO_OP)
