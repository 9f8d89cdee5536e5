"""Frames as pure bytes: COBS, CRC-32, and the payloads of protocol version 2.

Mirror: firmware/app/frame.c; the bytes are in firmware/SPEC.md.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from edgesq.integers import ceil_div

PROTOCOL_VERSION = 2
HEAD_BYTES = 4
CRC_BYTES = 4
MIN_PAYLOAD = 64
MAX_PAYLOAD = 4096
_MAX_BODY = HEAD_BYTES + MAX_PAYLOAD + CRC_BYTES
_BLOCK_MAX = 254
_DATA_HEAD = struct.Struct("<II")
_RESULT_GET = struct.Struct("<IIH")
_HELLO = struct.Struct("<BII")
_BAUD = struct.Struct("<I")
_ACK = struct.Struct("<IIB")
_RESULT_HEAD = struct.Struct("<IIIQII")


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


@dataclass(frozen=True)
class Frame:
    """One frame whose CRC was right; `type` may be a number that we do not know."""

    type: int
    seq: int
    tag: int
    payload: bytes


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
