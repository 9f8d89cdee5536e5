"""`edgesq compare-runtimes`."""

import dataclasses
import json as jsonlib
from pathlib import Path

import typer

from edgesq.cli import terminal
from edgesq.targets import load_target


def run(model: Path | None, target: str, tflm_dir: Path | None, json: Path | None) -> None:
    """Measure both runtimes and show them side by side; exit 1 where one computes other values."""
    from edgesq.export import load_content
    from edgesq.verify.runtimes import RuntimeRow, compare_runtimes

    board = load_target(target)
    with terminal.stages(3) as on_stage:
        content = load_content(model, on_stage)
        rows = compare_runtimes(content, board, tflm_dir, on_stage)
    if json is not None:
        fields = {"target": board.name, "runtimes": [dataclasses.asdict(row) for row in rows]}
        json.write_text(jsonlib.dumps(fields, indent=2) + "\n", encoding="utf-8")

    def line(row: RuntimeRow) -> tuple[str, ...]:
        counts = (row.ram_bytes, row.arena_bytes, row.flash_bytes, row.instructions, row.differing)
        return row.runtime, *("-" if count is None else f"{count:,}" for count in counts)

    columns = ["RAM", "of it arena", "flash", "instructions per image", "values that differ"]
    table = terminal.table(
        f"{model.name if model else 'demo'} on {board.name}", ["runtime"], columns
    )
    for row in rows:
        table.add_row(*line(row))
    terminal.out.print(table)
    for row in rows:
        if row.note:
            terminal.out.print(f"{row.runtime}: {row.note}", soft_wrap=True)
    if any(row.differing for row in rows):
        raise typer.Exit(terminal.EXIT_DIFFERENT)
