"""Frames as pure bytes: COBS, CRC-32, and the payloads of protocol version 2.

Mirror: firmware/app/frame.c; the bytes are in firmware/SPEC.md.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from edgesq.integers import ceil_div

PROTOCOL_VERSION = 2
HEAD_BYTES = 4
CRC_BYTES = 4
MIN_PAYLOAD = 64
MAX_PAYLOAD = 4096
_MAX_BODY = HEAD_BYTES + MAX_PAYLOAD + CRC_BYTES
_BLOCK_MAX = 254
_MAX_OBSERVED_BYTES = 1 << 20
_DATA_HEAD = struct.Struct("<II")
_RESULT_GET = struct.Struct("<IIH")
_HELLO = struct.Struct("<BII")
_BAUD = struct.Struct("<I")
_ACK = struct.Struct("<IIB")
_RESULT_HEAD = struct.Struct("<IIIQII")
_OPERATOR = struct.Struct("<H")
_INFO_HEAD = struct.Struct("<BBHI32sHHHIIIHBB")


class FrameType(IntEnum):
    """Type byte of a frame; bit 7 is set in frames from the board."""

    HELLO = 0x01
    DATA = 0x02
    RESULT_GET = 0x03
    TRACE = 0x04
    OPS_GET = 0x05
    ROW_GET = 0x06
    BAUD = 0x07
    CODED = 0x08
    INFO = 0x81
    ACK = 0x82
    RESULT = 0x83
    BUSY = 0x84
    OPS = 0x85
    ROW = 0x86
    BAUD_SET = 0x87


class AckStatus(IntEnum):
    """How the board took a frame."""

    GO = 0
    AGAIN = 1
    DONE = 2
    REFUSED = 3
    HELD = 4
    NO_SESSION = 5


class Optimisation(IntEnum):
    """What the board's compiler optimised for.

    Mirror: firmware/app/info.h (enum esq_optimisation).
    """

    NOT_OPTIMISED = 0
    OPTIMISED_SIZE = 1
    OPTIMISED_SPEED = 2


class CoreKind(IntEnum):
    """Which register says more of a board's core.

    Mirror: firmware/app/info.h (enum esq_core).
    """

    CORTEX_M = 0
    RISCV = 1


@dataclass(frozen=True)
class Frame:
    """One frame whose CRC was right; `type` may be a number that we do not know."""

    type: int
    seq: int
    tag: int
    payload: bytes


@dataclass(frozen=True)
class BoardInfo:
    """What a board reports about itself (INFO).

    Attributes:
        protocol: version it speaks.
        layout: version of its generated data.
        max_payload: bytes in a payload, either way.
        rx_window: wire bytes that may be sent and not answered.
        model_sha256: hex digest of the .tflite it runs.
        input_shape: H, W, C.
        tick_hz: rate of the ticks it counts.
        clock_hz: core clock; 0 where its build does not say.
        cpuid: CPUID register of a Cortex-M, misa of a RISC-V core; 0 elsewhere.
        op_count: operators in its table, which counts what export made of the model's.
        optimisation: what its compiler optimised for, as the compiler says.
        observed_bytes: size of each observed tensor, output first.
        kernels: kernel family.
        board: name of the target it was built for; empty where its build does not say.
        build: compiler, version, and flags where its build says them.
        damaged: whether the weights in its flash are not what export wrote.
        damaged_op: the first operator of its table with such weights, where it says so.
        takes_coded: whether it takes images whose rows are coded.
        keeps_state: whether its model keeps state from image to image.
        core: what `cpuid` is, a CoreKind; other numbers are of cores that we do not know.
    """

    protocol: int
    layout: int
    max_payload: int
    rx_window: int
    model_sha256: str
    input_shape: tuple[int, int, int]
    tick_hz: int
    clock_hz: int
    cpuid: int
    op_count: int
    optimisation: Optimisation
    observed_bytes: tuple[int, ...]
    kernels: str
    board: str
    build: str
    damaged: bool = False
    damaged_op: int | None = None
    takes_coded: bool = False
    keeps_state: bool = False
    core: int = CoreKind.CORTEX_M

    @property
    def input_bytes(self) -> int:
        """Bytes of one image."""
        height, width, channels = self.input_shape
        return height * width * channels


@dataclass(frozen=True)
class Ack:
    """The board's answer to DATA: it wants `image` from `next_offset` on, or is done with it."""

    image: int
    next_offset: int
    status: AckStatus

    @property
    def wanted(self) -> tuple[int, int]:
        """Image and offset of the first byte that the board has not taken."""
        if self.status == AckStatus.DONE:
            return self.image + 1, 0
        return self.image, self.next_offset


@dataclass(frozen=True)
class Result:
    """A piece of the observed tensors of `image`."""

    image: int
    offset: int
    total: int
    ticks: int
    stack_bytes: int
    arena_bytes: int
    values: bytes


def encode(type_: FrameType, seq: int, tag: int, payload: bytes = b"") -> bytes:
    """Return the wire bytes of a frame, delimiter included.

    Args:
        type_: what it is.
        seq: sequence number, taken modulo 256.
        tag: session, 0..65535.
        payload: at most MAX_PAYLOAD bytes.

    Raises:
        ValueError: the payload is too long.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"payload of {len(payload)} bytes, at most {MAX_PAYLOAD} are possible")
    body = struct.pack("<BBH", type_, seq & 0xFF, tag) + payload
    return cobs_encode(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def decode(body: bytes) -> Frame | None:
    """Return the frame in a body that COBS was taken off, None where it is damaged."""
    if not HEAD_BYTES + CRC_BYTES <= len(body) <= _MAX_BODY:
        return None
    covered, crc = body[:-CRC_BYTES], int.from_bytes(body[-CRC_BYTES:], "little")
    if zlib.crc32(covered) != crc:
        return None
    type_, seq, tag = struct.unpack_from("<BBH", covered)
    return Frame(type_, seq, tag, covered[HEAD_BYTES:])


def cobs_encode(body: bytes) -> bytes:
    """Return `body` without zeros."""
    encoded = bytearray()
    pieces = body.split(b"\0")
    for index, piece in enumerate(pieces):
        start = 0
        while len(piece) - start >= _BLOCK_MAX:
            encoded += b"\xff" + piece[start : start + _BLOCK_MAX]
            start += _BLOCK_MAX
        if start == len(piece) > 0 and index == len(pieces) - 1:
            break  # a full block at the end stands for no zero: nothing is left to say
        encoded += bytes([len(piece) - start + 1]) + piece[start:]
    return bytes(encoded)


def cobs_decode(encoded: bytes) -> bytes | None:
    """Return what `cobs_encode` was given, None where a block is cut; `encoded` holds no zero."""
    body = bytearray()
    at = 0
    while at < len(encoded):
        code = encoded[at]
        block = encoded[at + 1 : at + code]
        if len(block) != code - 1:
            return None
        body += block
        at += code
        if code <= _BLOCK_MAX and at < len(encoded):
            body.append(0)
    return bytes(body)


class Decoder:
    """Takes frames out of a stream of bytes.

    Attributes:
        damaged: frames so far that were not whole or whose CRC was wrong.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._pending = bytearray()
        self._overflow = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield every frame that `data` completes."""
        *complete, rest = data.split(b"\0")
        for piece in complete:
            self._append(piece)
            encoded, overflow = bytes(self._pending), self._overflow
            self._pending.clear()
            self._overflow = False
            if not encoded:
                continue
            body = None if overflow else cobs_decode(encoded)
            frame = None if body is None else decode(body)
            if frame is None:
                self.damaged += 1
            else:
                yield frame
        self._append(rest)

    def _append(self, piece: bytes) -> None:
        # A line that never sends a delimiter must not fill the memory.
        if len(self._pending) + len(piece) > 2 * _MAX_BODY:
            self._overflow = True
            piece = piece[:1]
            self._pending.clear()
        self._pending += piece


def pack_hello(before: int, steps: int = 1) -> bytes:
    """Return the payload of HELLO: number of the image before the first, images of a sequence."""
    return _HELLO.pack(PROTOCOL_VERSION, before, steps)


def pack_data(image: int, offset: int, values: bytes) -> bytes:
    """Return the payload of DATA or CODED."""
    return _DATA_HEAD.pack(image, offset) + values


def pack_result_get(image: int, offset: int, most: int) -> bytes:
    """Return the payload of RESULT_GET, which asks for `most` values at most, 0..65535."""
    return _RESULT_GET.pack(image, offset, most)


def pack_baud(baud: int, echo: bytes = b"") -> bytes:
    """Return the payload of BAUD; `echo` comes back as it is."""
    return _BAUD.pack(baud) + echo


def data_room(max_payload: int) -> int:
    """Return how many bytes of an image fit a DATA or CODED frame."""
    return max_payload - _DATA_HEAD.size


def wire_bytes(n_values: int) -> int:
    """Return the most that a DATA frame with `n_values` image bytes takes on the wire."""
    body = HEAD_BYTES + _DATA_HEAD.size + n_values + CRC_BYTES
    return body + ceil_div(body, _BLOCK_MAX) + 1


def echo_room(max_payload: int) -> int:
    """Return how many bytes a BAUD frame can have echoed."""
    return max_payload - _BAUD.size


_DAMAGED = 0x80
"""Bit of INFO's optimization level. Mirror: ESQ_INFO_DAMAGED in firmware/app/info.c."""
_TAKES_CODED, _KEEPS_STATE = 0x01, 0x02
"""Bits of INFO. Mirror: ESQ_INFO_TAKES_CODED, and the next one."""


def protocol_of(payload: bytes) -> int | None:
    """Return the protocol version in an INFO payload, the only field that never moves."""
    return payload[0] if payload else None


def unpack_info(payload: bytes) -> BoardInfo | None:
    """Return what INFO says, None where the payload is not one."""
    if len(payload) < _INFO_HEAD.size:
        return None
    protocol, layout, max_payload, rx_window, sha256, h, w, c, *numbers, optimisation, n = (
        _INFO_HEAD.unpack_from(payload)
    )
    tick_hz, clock_hz, cpuid, op_count = numbers
    damaged, optimisation = bool(optimisation & _DAMAGED), optimisation & ~_DAMAGED
    at = _INFO_HEAD.size
    if len(payload) < at + 4 * n:
        return None
    observed = struct.unpack_from(f"<{n}I", payload, at)
    texts, rest = _unpack_texts(payload[at + 4 * n :])
    is_sane = MIN_PAYLOAD <= max_payload <= MAX_PAYLOAD and h * w * c * n != 0
    is_sane = is_sane and optimisation in Optimisation.__members__.values()
    if texts is None or not is_sane or sum(observed) > _MAX_OBSERVED_BYTES:
        return None
    info = BoardInfo(
        protocol,
        layout,
        max_payload,
        rx_window,
        sha256.hex(),
        (h, w, c),
        tick_hz,
        clock_hz,
        cpuid,
        op_count,
        Optimisation(optimisation),
        observed,
        *texts,
        damaged,
    )
    return _with_end(info, rest)


def _with_end(info: BoardInfo, data: bytes) -> BoardInfo:
    """Return INFO with its last fields, which a board may not send."""
    if info.damaged and len(data) >= _OPERATOR.size:
        info = replace(info, damaged_op=_OPERATOR.unpack_from(data)[0])
        data = data[_OPERATOR.size :]
    says, core = (*data[:2], *bytes(2))[:2]
    coded, state = bool(says & _TAKES_CODED), bool(says & _KEEPS_STATE)
    return replace(info, takes_coded=coded, keeps_state=state, core=core)


def _unpack_texts(data: bytes) -> tuple[tuple[str, str, str] | None, bytes]:
    """Return INFO's texts, and what is behind them."""
    texts = []
    for _ in range(3):
        if not data or len(data) < 1 + data[0]:
            return None, data
        text = data[1 : 1 + data[0]].decode("utf-8", "replace")
        texts.append("".join(one if one.isprintable() else "\ufffd" for one in text))
        data = data[1 + data[0] :]
    return (texts[0], texts[1], texts[2]), data


def unpack_ack(payload: bytes) -> Ack | None:
    """Return what ACK says, None where the payload is not one."""
    if len(payload) != _ACK.size:
        return None
    image, next_offset, status = _ACK.unpack(payload)
    if status not in AckStatus.__members__.values():
        return None
    return Ack(image, next_offset, AckStatus(status))


def unpack_result(payload: bytes) -> Result | None:
    """Return what RESULT says, None where the payload is not one."""
    if len(payload) < _RESULT_HEAD.size:
        return None
    image, offset, total, *numbers = _RESULT_HEAD.unpack_from(payload)
    ticks, stack_bytes, arena_bytes = numbers
    values = payload[_RESULT_HEAD.size :]
    return Result(image, offset, total, ticks, stack_bytes, arena_bytes, values)
