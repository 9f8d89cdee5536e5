"""What a compiled firmware puts into flash: read from the ELF, written flat or as UF2."""

import struct
from dataclasses import dataclass
from pathlib import Path

from edgesq.errors import ToolError
from edgesq.files import read_bytes

_ELF = b"\x7fELF\x01\x01"
"""Magic, 32 bits, little-endian."""

_PT_LOAD = 1
_UF2_START, _UF2_SECOND, _UF2_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_UF2_FAMILY_PRESENT = 0x2000
_UF2_PAYLOAD = 256

_MOST_BYTES = 1 << 28
"""From the first address to the last: no flash that code runs from is larger."""


@dataclass(frozen=True)
class Image:
    """The bytes of the flash.

    Attributes:
        origin: address of the first.
        data: all of them; gaps are zero.
        entry: where execution begins.
    """

    origin: int
    data: bytes
    entry: int


def read_image(path: Path) -> Image:
    """Read a 32-bit little-endian ELF file.

    Raises:
        ToolError: it is no such file, or loads nothing.
    """
    content = read_bytes(path)
    try:
        parts, entry = _load_segments(content)
    except struct.error as error:
        raise ToolError("is a damaged ELF file", where=str(path), hint="compile again") from error
    if not parts:
        raise ToolError("is no ELF file of a 32-bit core", where=str(path), hint="compile again")
    origin = min(parts)
    n_bytes = max(at + len(part) for at, part in parts.items()) - origin
    if n_bytes > _MOST_BYTES:
        hint = "compile again"
        raise ToolError(f"its parts lie over {n_bytes:,} B", where=str(path), hint=hint)
    data = bytearray(n_bytes)
    for at, part in parts.items():
        data[at - origin : at - origin + len(part)] = part
    return Image(origin, bytes(data), entry)


def _load_segments(content: bytes) -> tuple[dict[int, bytes], int]:
    """Return what is loaded where (initial values where they lie in flash), and the entry."""
    if not content.startswith(_ELF):
        return {}, 0
    entry, table = struct.unpack_from("<II", content, 24)
    size, count = struct.unpack_from("<HH", content, 42)
    parts: dict[int, bytes] = {}
    for index in range(count):
        kind, offset, _, at, n_bytes = struct.unpack_from("<5I", content, table + index * size)
        if kind == _PT_LOAD and n_bytes:
            parts[at] = content[offset : offset + n_bytes]
    return parts, entry


def uf2(image: Image, family: int) -> bytes:
    """Return `image` as a UF2 file: blocks of 512 bytes, each with its address and the family.

    Source: github.com/microsoft/uf2, README.
    """
    pieces = [image.data[i : i + _UF2_PAYLOAD] for i in range(0, len(image.data), _UF2_PAYLOAD)]
    blocks = []
    for number, piece in enumerate(pieces):
        address = image.origin + number * _UF2_PAYLOAD
        head = struct.pack(
            "<8I",
            *(_UF2_START, _UF2_SECOND, _UF2_FAMILY_PRESENT, address, _UF2_PAYLOAD),
            *(number, len(pieces), family),
        )
        blocks.append(head + piece.ljust(476, b"\0") + struct.pack("<I", _UF2_END))
    return b"".join(blocks)
