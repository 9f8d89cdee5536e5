"""`edgesq compare-runtimes`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgesq.cli import terminal
from edgesq.records import plain
from edgesq.targets import load_target

if TYPE_CHECKING:
    from edgesq.verify.runtimes import RuntimeRow


def run(model: Path | None, target: str, tflm_dir: Path | None, json: Path | None) -> None:
    """Measure both runtimes and show them side by side; exit 1 where one computes other values."""
    from edgesq.builds import check_tree, load_content
    from edgesq.verify.runtimes import Runtimes, compare_runtimes

    board = load_target(target)
    terminal.check_json(json)
    check_tree(board, tflm_dir)
    with terminal.stages(3) as on_stage:
        content = load_content(model, on_stage)
        rows = compare_runtimes(content, board, tflm_dir, on_stage)
    if not terminal.is_stdout(json):
        _show(rows, f"{model.name if model else 'demo'} on {board.name}")
    if json is not None:
        terminal.write_json(plain(Runtimes(target=board.name, runtimes=rows)), json)
    if any(row.differing for row in rows):
        raise typer.Exit(terminal.EXIT_DIFFERENT)


def _show(rows: "Sequence[RuntimeRow]", title: str) -> None:
    columns = ["RAM", "of it arena", "flash", "instructions per image", "values that differ"]
    table = terminal.table(title, ["runtime"], columns)
    for row in rows:
        counts = (row.ram_bytes, row.arena_bytes, row.flash_bytes, row.instructions, row.differing)
        cells = ("-" if count is None else f"{count:,}" for count in counts)
        table.add_row(row.runtime, *cells)
    terminal.out.print(table)
    for row in rows:
        if row.note:
            terminal.say(f"{row.runtime}: {row.note}")
