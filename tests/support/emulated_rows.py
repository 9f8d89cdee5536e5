"""Decode many coded images by an emulated board's decoder: rows, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.project import compile_firmware, lay_out
from edgesq.resources import resource
from edgesq.targets import load_target
from support.emulated_cases import start_and_read
from support.paths import SUPPORT

MAIN = SUPPORT / "firmware_rows" / "main.c"
DECODER = ("rows.c", "rows.h")
_TOLD = 4
"""Words behind an image: whole rows, whether bytes follow, ticks, bytes written outside."""


@dataclass(frozen=True)
class Record:
    """Bytes that are decoded as an image.

    Attributes:
        content: the bytes.
        shape: H, W, C.
        piece: bytes at a time.
    """

    content: bytes
    shape: tuple[int, int, int]
    piece: int


@dataclass(frozen=True)
class Decoded:
    """What a decoder made of a record.

    Attributes:
        image: int8 [H, W, C]; 0 in rows that did not become whole.
        rows: that became whole.
        has_more: whether the bytes go on behind the image.
        instructions: on a board.
    """

    image: NDArray[np.int8]
    rows: int
    has_more: bool
    instructions: int = 0


def run_rows(folder: Path, target_name: str, records: Sequence[Record]) -> list[Decoded]:
    """Compile a firmware with the records, run it, and hold that it wrote nothing outside."""
    target = load_target(target_name)
    lay_out(folder / "firmware", target, {})
    app = folder / "firmware" / "app"
    for path in app.iterdir():
        path.unlink()
    for name in DECODER:
        (app / name).write_text((resource("firmware") / "app" / name).read_text())
    (app / "main.c").write_text(MAIN.read_text())
    (app / "records.h").write_text(_header(records))
    (app / "records.c").write_text(_table(records))
    compile_firmware(folder / "firmware", target, warnings_are_errors=True)
    sizes = [int(np.prod(record.shape)) + 4 * _TOLD for record in records]
    output = np.frombuffer(start_and_read(folder, target, sum(sizes)), np.int8)
    per_tick = target.instructions_per_tick or 1
    decoded = []
    for record, part in zip(records, np.split(output, np.cumsum(sizes)[:-1]), strict=True):
        image, told = np.split(part, [-4 * _TOLD])
        rows, more, ticks, outside = np.frombuffer(told.tobytes(), "<u4").tolist()
        assert outside == 0
        decoded.append(
            Decoded(image.reshape(record.shape), rows, bool(more), round(ticks * per_tick))
        )
    return decoded


def _header(records: Sequence[Record]) -> str:
    return f"""#include <stdint.h>
#define ESQ_RECORDS {len(records)}u
#define ESQ_RECORDS_ROW_MAX {max(record.shape[1] * record.shape[2] for record in records)}u
struct esq_record {{
    const uint8_t *content;
    uint32_t n_bytes;
    uint32_t piece;
    uint16_t height, width, channels;
}};
extern const struct esq_record esq_records[ESQ_RECORDS];
"""


def _table(records: Sequence[Record]) -> str:
    lines, rows = ['#include "records.h"'], []
    for index, record in enumerate(records):
        values = ",".join(map(str, record.content or b"\0"))
        lines.append(f"static const uint8_t content_{index}[] = {{{values}}};")
        shape = ", ".join(map(str, record.shape))
        rows.append(f"    {{content_{index}, {len(record.content)}u, {record.piece}u, {shape}}},")
    return "\n".join([*lines, "const struct esq_record esq_records[] = {", *rows, "};", ""])
