"""Decode many streams by an emulated board's decoder: words, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.compress import PADDING
from edgesq.project import compile_firmware, lay_out
from edgesq.targets import load_target
from support.emulated_cases import start_and_read
from support.paths import SUPPORT

MAIN = SUPPORT / "firmware_streams" / "main.c"

ENDS = {"mps2-an386": 0x2200_0000, "mps2-an500": 0x6100_0000}
"""By board: where its last memory ends, behind which a read is a fault.

Source: QEMU's hw/arm/mps2.c.
"""

_TOLD = 3
"""Words behind a record's: ticks to begin, ticks to decode, what was written outside."""


@dataclass(frozen=True)
class Record:
    """A stream and how it is decoded.

    Attributes:
        content: with its padding.
        words: to decode.
        piece: words at a time.
        table_bits: index into the table of codes.
        carries: how two weights stand.
        has_masks: whether there is room for a table of masks.
    """

    content: bytes
    words: int
    piece: int
    table_bits: int
    carries: int
    has_masks: bool


@dataclass(frozen=True)
class Decoded:
    """What a board made of a record.

    Attributes:
        words: uint32.
        begin, decode: instructions for the tables, and for the words.
    """

    words: NDArray[np.uint32]
    begin: int
    decode: int


def run_streams(folder: Path, target_name: str, records: Sequence[Record]) -> list[Decoded]:
    """Compile a firmware with the records, run it, and hold that it wrote nothing outside."""
    target = load_target(target_name)
    lay_out(folder / "firmware", target, {})
    app = folder / "firmware" / "app"
    for path in app.iterdir():
        path.unlink()
    (app / "main.c").write_text(MAIN.read_text())
    (app / "records.h").write_text(_header(records, ENDS[target_name]))
    (app / "records.c").write_text(_table(records))
    compile_firmware(folder / "firmware", target, warnings_are_errors=True)
    sizes = [record.words + _TOLD for record in records]
    output = np.frombuffer(start_and_read(folder, target, 4 * sum(sizes)), "<u4")
    per_tick = target.instructions_per_tick or 1
    decoded = []
    for part in np.split(output, np.cumsum(sizes)[:-1]):
        begin, decode, outside = part[-_TOLD:].tolist()
        assert outside == 0
        decoded.append(Decoded(part[:-_TOLD], round(begin * per_tick), round(decode * per_tick)))
    return decoded


def _header(records: Sequence[Record], end: int) -> str:
    return f"""#include <stdint.h>
#define ESQ_RECORDS {len(records)}u
#define ESQ_RECORDS_MAX_WORDS {max(record.words for record in records)}u
#define ESQ_RECORDS_END {end:#x}u
struct esq_record {{
    const uint8_t *content;
    uint32_t n_bytes;
    uint32_t words;
    uint32_t piece;
    uint8_t table_bits;
    uint8_t carries;
    uint8_t has_masks;
}};
extern const struct esq_record esq_records[ESQ_RECORDS];
"""


def _table(records: Sequence[Record]) -> str:
    lines, rows = ['#include "records.h"'], []
    for index, record in enumerate(records):
        values = ",".join(map(str, record.content))
        lines.append(f"static const uint8_t content_{index}[] = {{{values}}};")
        rows.append(
            f"    {{content_{index}, {len(record.content) - PADDING}u, {record.words}u, "
            f"{record.piece}u, {record.table_bits}, {record.carries}, {int(record.has_masks)}}},"
        )
    return "\n".join([*lines, "const struct esq_record esq_records[] = {", *rows, "};", ""])
