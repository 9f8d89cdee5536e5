"""What the two codes of a stream take, in bytes and in instructions on the emulated M7."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from bench.tables import OUT
from edgesq.compress import MAX_BITS, encode, has_masks
from edgesq.graph import Int8Array
from support.emulated_streams import Record, run_streams

BOARD = "mps2-an500"
ZEROS = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
WEIGHTS = 40_000
SPREAD = 2.5
"""Of a Laplace distribution, of which what is not zero has the levels."""

_PIECE = 500
_CARRIES = 0x80


def layer(zeros: float) -> Int8Array:
    """Return weights, int8 [WEIGHTS], of which a share is zero."""
    rng = np.random.default_rng(1)
    levels = np.round(rng.laplace(0, SPREAD, WEIGHTS)).astype(np.int8)
    levels[levels == 0] = 1
    levels[rng.random(WEIGHTS) < zeros] = 0
    return levels


def print_decoder() -> list[dict[str, Any]]:
    """Print and return a row for each share of zeros and each code."""
    cases = [(zeros, masks) for zeros in ZEROS for masks in (False, True)]
    streams = [encode(layer(zeros), masks=masks) for zeros, masks in cases]
    records = [
        Record(stream.content, WEIGHTS // 4, _PIECE, MAX_BITS, _CARRIES, masks)
        for stream, (_, masks) in zip(streams, cases, strict=True)
    ]
    with tempfile.TemporaryDirectory(prefix="edgesq-bench-") as scratch:
        decoded = run_streams(Path(scratch), BOARD, records)
    rows = [
        {
            "zeros": zeros,
            "masks": masks,
            "chosen": masks == has_masks(layer(zeros)),
            "bits_per_weight": 8 * len(stream.content) / WEIGHTS,
            "instructions_per_weight": one.decode / WEIGHTS,
            "table_instructions": one.begin,
        }
        for (zeros, masks), stream, one in zip(cases, streams, decoded, strict=True)
    ]
    OUT.print(decoder_table(rows))
    return rows


def decoder_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return both codes by share of zeros."""
    table = Table(title=f"codes of a stream, {MAX_BITS} bits, {BOARD}", title_justify="left")
    for column in ("zeros", "code", "bits per weight", "instructions per weight", "for its tables"):
        table.add_column(column, justify="left" if column == "code" else "right")
    for row in rows:
        table.add_row(
            f"{row['zeros']:.0%}",
            ("masks" if row["masks"] else "each weight") + (", chosen" if row["chosen"] else ""),
            f"{row['bits_per_weight']:.3f}",
            f"{row['instructions_per_weight']:.2f}",
            f"{row['table_instructions']:,}",
        )
    return table
