"""What `make bench` prints. Tables take the rows of bench.json, so that both say the same."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.code import Code
from edgesq.cli import terminal

OUT = Console(width=150, highlight=False)
COLUMNS = (
    "arena",
    "RAM",
    "goal",
    "TFLM arena",
    "stack",
    "code+tables",
    "instructions",
    "per MAC",
    "TFLM",
    "differing",
)

Row = dict[str, Any]


def board_table(rows: Sequence[Row]) -> Table:
    """Return all networks on one board."""
    first = rows[0]
    table = terminal.table(
        f"whole firmware on {first['target']}, {first['core']}, {first['kernels']} kernels",
        ["network"],
        COLUMNS,
    )
    for row in rows:
        table.add_row(
            _short(row["network"]),
            f"{row['arena_bytes']:,}",
            against(row["ram_bytes"], row["ram_goal_bytes"]),
            number(row["ram_goal_bytes"]),
            number(row["tflm_arena_bytes"]),
            number(row["report"]["device"]["stack_bytes"]),
            f"{row['code_bytes']:,}",
            f"{row['instructions']:,}",
            f"{row['instructions_per_mac']:.3f}",
            number(row["tflm_instructions"]),
            against(row["report"]["result"]["differing_values"], 0),
        )
    return table


def operator_table(rows: Sequence[Row]) -> Table:
    """Return one network operator by operator, a column of instructions for each board."""
    table = terminal.table(
        f"{_short(rows[0]['network'])}: instructions, and per MAC",
        ["operator", "layer"],
        ["MACs", *(column for row in rows for column in (row["core"], "per MAC"))],
    )
    for index, operator in enumerate(rows[0]["operators"]):
        counts = [row["operators"][index]["instructions"] for row in rows]
        macs = operator["macs"]
        table.add_row(
            operator["kind"],
            operator["name"],
            number(macs or None),
            *(cell for count in counts for cell in _cost(count, macs)),
        )
    macs = rows[0]["macs"]
    for name, key in (("all", "instructions"), ("TFLM + CMSIS-NN", "tflm_instructions")):
        cells = [cell for row in rows for cell in _cost(row[key], macs)]
        if any(cells):
            table.add_row(name, "", number(macs), *cells, style="bold")
    return table


def _cost(instructions: int | None, macs: int) -> tuple[str, str]:
    """Return instructions, and how many that is per MAC."""
    if instructions is None:
        return "", ""
    return f"{instructions:,}", f"{instructions / macs:.3f}" if macs else ""


def bands_table(rows: Sequence[Row]) -> Table:
    """Return what bands of one row cost against whole maps; the goal is 3 % at most."""
    columns = ["bands of one row", "whole maps", "cost"]
    table = terminal.table("instructions on mps2-an500 at equal kernels", ["network"], columns)
    for row in rows:
        cells = (f"{row['rows']:,}", f"{row['whole maps']:,}", f"{row['cost']:+.2%}")
        table.add_row(_short(row["network"]), *cells)
    return table


def code_table(codes: dict[str, Code], *, functions: bool) -> Table:
    """Return bytes of code by source, a column for each board.

    Args:
        codes: board to what its images hold, all networks together.
        functions: a row for each function too.
    """
    table = terminal.table("bytes of code, of all networks together", ["source"], list(codes))
    sources = sorted({source for code in codes.values() for source in code})
    for source in sources:
        found = [code.get(source, {}) for code in codes.values()]
        table.add_row(source, *(number(sum(one.values()) or None) for one in found))
        for name in sorted({name for one in found for name in one} if functions else ()):
            table.add_row(f"  {name}", *(number(one.get(name)) for one in found))
    totals = (sum(sum(one.values()) for one in code.values()) for code in codes.values())
    table.add_row("all", *(f"{total:,}" for total in totals), style="bold")
    return table


def against(value: int, goal: int | None) -> str:
    """Return a number, green where it reaches its goal and red where it does not."""
    if goal is None:
        return f"{value:,}"
    return f"[{'green' if value <= goal else 'red'}]{value:,}[/]"


def number(value: int | None) -> str:
    """Return a number with its thousands set off, "" for none."""
    return "" if value is None else f"{value:,}"


def _short(name: str) -> str:
    return name.removeprefix("squeezenet_")
