"""The sections of an ELF file: what a linker put where, whichever linker it was."""

import struct
from dataclasses import dataclass
from pathlib import Path

from edgesq.errors import ToolError

_MAGIC = b"\x7fELF"
_LITTLE_ENDIAN = 1
_HEADERS = {1: ("<I", 32, "<HHH", 46, "<10I"), 2: ("<Q", 40, "<HHH", 58, "<IIQQQQIIQQ")}
"""By class, 32 or 64 bits: form and place of the table's offset, then of its entries' size and
number and the number of the names' section; form of an entry."""

_NOBITS = 8
_WRITE, _ALLOC = 1, 2


@dataclass(frozen=True)
class Section:
    """A part of a program.

    Attributes:
        name: as ".text".
        address: of its first byte when the program runs.
        size: in bytes.
        is_loaded: whether it is there when the program runs.
        is_variable: whether the program may write it.
        content: its bytes; None where it begins as zeros and takes no room in a file.
    """

    name: str
    address: int
    size: int
    is_loaded: bool
    is_variable: bool
    content: bytes | None


def read_sections(path: Path) -> tuple[Section, ...]:
    """Read the table of sections.

    Raises:
        ToolError: it is no little-endian ELF file, or a damaged one.
    """
    content = path.read_bytes()
    form = _HEADERS.get(content[4]) if len(content) > 5 else None
    if not content.startswith(_MAGIC) or form is None or content[5] != _LITTLE_ENDIAN:
        raise ToolError("is no little-endian ELF file", where=str(path), hint="compile again")
    try:
        return _sections(content, *form)
    except (struct.error, IndexError, ValueError) as error:
        raise ToolError("is a damaged ELF file", where=str(path), hint="compile again") from error


def _sections(
    content: bytes, word: str, word_at: int, counts: str, counts_at: int, entry: str
) -> tuple[Section, ...]:
    (table,) = struct.unpack_from(word, content, word_at)
    size, count, names_at = struct.unpack_from(counts, content, counts_at)
    rows = [struct.unpack_from(entry, content, table + size * index) for index in range(count)]
    names = _content(content, rows[names_at])
    return tuple(
        Section(
            name=names[row[0] : names.index(b"\0", row[0])].decode(errors="replace"),
            address=row[3],
            size=row[5],
            is_loaded=bool(row[2] & _ALLOC),
            is_variable=bool(row[2] & _WRITE),
            content=None if row[1] == _NOBITS else _content(content, row),
        )
        for row in rows
    )


def _content(content: bytes, row: tuple[int, ...]) -> bytes:
    return content[row[4] : row[4] + row[5]]
