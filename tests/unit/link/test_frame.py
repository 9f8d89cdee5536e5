"""Frames as pure bytes, and the C codec against Python's."""

import random
import re
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgesq.integers import ceil_div
from edgesq.link import frame
from edgesq.link.frame import AckStatus, Decoder, Frame, FrameType
from edgesq.link.info import _INFO_HEAD, Optimisation, unpack_info
from edgesq.resources import resource
from edgesq.targets import load_target
from support.boards import SANITIZERS, STUB, compile_c

settings.register_profile("link", deadline=None)  # the machine may be busy
settings.load_profile("link")

types = st.sampled_from(FrameType)
frames = st.builds(
    Frame,
    types.map(int),
    st.integers(0, 255),
    st.integers(0, 65535),
    st.binary(max_size=496)
    | st.integers(0, 496).map(bytes)
    | st.integers(0, 496).map(b"x".__mul__),
)


def wire(one: Frame) -> bytes:
    return frame.encode(FrameType(one.type), one.seq, one.tag, one.payload)


# --- frames as pure bytes ---


def test_numbers_are_those_of_the_header() -> None:
    header = (resource("firmware") / "app" / "frame.h").read_text()
    for prefix, enum in (("ESQ_FRAME_", FrameType), ("ESQ_ACK_", AckStatus)):
        block = re.search(
            rf"enum esq_{'frame_type' if enum is FrameType else 'ack_status'} {{(.*?)}}",
            header,
            re.S,
        )
        assert block
        numbers = {n: int(v, 0) for n, v in re.findall(rf"{prefix}(\w+) = (\w+)", block[1])}
        assert numbers == {member.name: member.value for member in enum}
    info = (resource("firmware") / "app" / "info.h").read_text()
    for level in Optimisation:
        assert f"ESQ_{level.name} = {level.value}," in info
    widest = load_target("host").defines["ESQ_FRAME_PAYLOAD_MAX"]
    assert int(widest.rstrip("u")) == frame.MAX_PAYLOAD
    for name, value in (("PROTOCOL_VERSION", frame.PROTOCOL_VERSION), ("FRAME_HEAD_BYTES", 4)):
        assert re.search(rf"#define ESQ_{name} {value}\b", header)


def test_a_frame_is_what_the_specification_says() -> None:
    body = bytes([0x02, 7]) + struct.pack("<H", 0x1234) + b"\x00\x05"
    body += struct.pack("<I", zlib.crc32(body))
    encoded = frame.encode(FrameType.DATA, 7, 0x1234, b"\x00\x05")
    assert encoded[-1] == 0
    assert encoded[0] == 5
    assert encoded[1:5] == body[:4]
    assert frame.cobs_decode(encoded[:-1]) == body
    assert zlib.crc32(b"123456789") == 0xCBF43926


@pytest.mark.parametrize("size", [0, 1, 253, 254, 255, 507, 508, 509])
def test_cobs_boundaries(size: int) -> None:
    for body in (b"\1" * size, b"\0" * size, b"\1" * size + b"\0", b"\0" + b"\1" * size):
        encoded = frame.cobs_encode(body)
        assert 0 not in encoded
        assert len(encoded) <= len(body) + max(1, ceil_div(len(body), 254))
        assert frame.cobs_decode(encoded) == body


@given(st.lists(frames, max_size=6), st.lists(st.integers(1, 700), max_size=40))
def test_round_trip_in_any_pieces(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(map(wire, sent))
    decoder = Decoder()
    got: list[Frame] = []
    for cut in cuts:
        got += decoder.feed(stream[:cut])
        stream = stream[cut:]
    got += decoder.feed(stream)
    assert got == sent
    assert decoder.damaged == 0


@given(st.lists(st.tuples(st.binary(max_size=1500), frames), max_size=5))
def test_frames_survive_garbage_between_them(parts: list[tuple[bytes, Frame]]) -> None:
    stream = b"".join(garbage + b"\0" + wire(one) for garbage, one in parts)
    assert list(Decoder().feed(stream)) == [one for _, one in parts]


@given(frames, st.data())
def test_a_damaged_frame_is_never_taken(one: Frame, data: st.DataObject) -> None:
    damaged = bytearray(wire(one))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] ^= data.draw(st.integers(1, 255))
    got = list(Decoder().feed(bytes(damaged) + b"\0"))
    assert got in ([], [one])
    assert got == [] or bytes(damaged) == wire(one)


@given(st.integers(1, 60), frames)
def test_a_line_without_delimiters_fills_no_memory(n: int, one: Frame) -> None:
    decoder = Decoder()
    for _ in range(n):
        assert list(decoder.feed(b"\1" * 500)) == []
        assert len(decoder._pending) < 2 * (frame.MAX_PAYLOAD + 8) + 500
    assert list(decoder.feed(b"\0" + wire(one))) == [one]
    assert decoder.damaged == 1


@given(st.binary(max_size=200))
def test_payloads_of_a_hostile_board(payload: bytes) -> None:
    info = unpack_info(payload)
    assert info is None or info.input_bytes > 0
    frame.unpack_ack(payload)
    frame.unpack_result(payload)


@pytest.mark.parametrize(
    ("flag", "behind", "damaged_op", "takes_coded", "core"),
    [
        *((0, b"", None, False, 0), (0, b"\2\0", None, False, 0), (0, b"\1", None, True, 0)),
        *((0, b"\1\1", None, True, 1), (0, b"\xff\xff\1", None, True, 255)),
        *((0x80, b"", None, False, 0), (0x80, b"\2", None, False, 0)),
        *((0x80, b"\2\1", 258, False, 0), (0x80, b"\2\1\0", 258, False, 0)),
        *((0x80, b"\2\1\1", 258, True, 0), (0x80, b"\2\1\0\1", 258, False, 1)),
    ],
)
def test_the_last_fields_may_be_missing(
    flag: int, behind: bytes, damaged_op: int | None, takes_coded: bool, core: int
) -> None:
    """Boards of the same protocol version did not always send them."""
    head = (2, 4, 496, 1024, bytes(32), 1, 1, 1, 1, 1, 0, 300, 2 | flag, 1)
    texts = b"".join(bytes([len(text)]) + text for text in (b"dsp", b"board", b"gcc"))
    info = unpack_info(_INFO_HEAD.pack(*head) + bytes([1, 0, 0, 0]) + texts + behind)
    assert info is not None
    assert (info.damaged, info.damaged_op) == (bool(flag), damaged_op)
    assert (info.takes_coded, info.core) == (takes_coded, core)


@pytest.mark.parametrize(
    ("behind", "inputs"),
    [
        (b"\0\0\2\3\0\4\0\5\0\6\0\7\0\10\0", ((3, 4, 5), (6, 7, 8))),
        (b"\0\0\2\3\0\4\0\5\0\6\0\7\0\10", ()),
        (b"\0\0\377\3\0", ()),
    ],
)
def test_several_inputs(behind: bytes, inputs: tuple[tuple[int, int, int], ...]) -> None:
    head = (2, 4, 496, 1024, bytes(32), 6, 7, 8, 1, 1, 0, 300, 2, 1)
    texts = b"".join(bytes([len(text)]) + text for text in (b"dsp", b"board", b"gcc"))
    info = unpack_info(_INFO_HEAD.pack(*head) + bytes([1, 0, 0, 0]) + texts + behind)
    assert info is not None
    assert info.inputs == inputs
    assert info.input_bytes == (3 * 4 * 5 if inputs else 0) + 6 * 7 * 8


def test_too_long_a_payload_is_a_bug_of_ours() -> None:
    with pytest.raises(ValueError, match="4097"):
        frame.encode(FrameType.DATA, 0, 0, bytes(frame.MAX_PAYLOAD + 1))


# --- the C codec against Python's ---


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = resource("firmware") / "app"
    sources = [app / "frame.c", app / "crc32.c", STUB / "echo.c"]
    return compile_c(sources, tmp_path_factory.mktemp("echo") / "echo", *SANITIZERS)


def test_c_codec_equals_python(echo: Path) -> None:
    chance = random.Random(7)
    stream = bytearray()
    for _ in range(1500):
        payload = bytes(
            chance.choice((0, chance.randrange(256))) if chance.random() < 0.1 else 1
            for _ in range(chance.choice((0, 1, 5, chance.randrange(497), 246, 247, 496)))
        )
        encoded = bytearray(
            wire(Frame(0x02, chance.randrange(256), chance.randrange(65536), payload))
        )
        if chance.random() < 0.5:
            at = chance.randrange(len(encoded))
            encoded[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        if chance.random() < 0.1:
            encoded = bytearray(chance.randbytes(chance.randrange(2000))) + b"\0"
        stream += encoded
    done = subprocess.run([echo], input=stream, capture_output=True, timeout=60, check=True)
    damaged = wire(Frame(FrameType.ACK, 0, 0, b""))
    expected, decoder = b"", Decoder()
    for piece in bytes(stream).split(b"\0")[:-1]:
        before = decoder.damaged
        expected += b"".join(map(wire, decoder.feed(piece + b"\0")))
        expected += damaged * (decoder.damaged - before)
    assert decoder.damaged > 500
    assert done.stdout == expected
