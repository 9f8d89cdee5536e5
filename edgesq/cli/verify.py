"""`edgesq verify`."""

from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from edgesq.cli import terminal
from edgesq.errors import EdgesqError
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, VerifyReport, verify


def run(
    build: Path,
    port: str | None,
    images: Path | None,
    count: int | None,
    json: Path | None,
    timeout: float,
) -> None:
    """Stream, compare, show; exit 1 where a value differs."""
    from edgesq.export import read_report

    if json is not None and (json.is_dir() or not json.absolute().parent.is_dir()):
        raise EdgesqError(
            "is no file in a folder that is there", where=str(json), hint="see --json"
        )
    report = read_report(build)
    target = load_target(report["target"])
    options = VerifyOptions(build, port, images, count, timeout=timeout, usb_ids=target.usb_ids)
    with terminal.counter("verify") as on_progress:
        result = verify(options, on_progress)
    if json is not None:
        result.write_json(json)
    source = report["verify_images"] if images is None else str(images)
    terminal.out.print(_table(result, source))
    for warning in result.warnings:
        terminal.out.print(f"[yellow]It could be faster[/]: {escape(warning)}.", soft_wrap=True)
    if not result.is_exact:
        terminal.out.print("[bold red]The board differs from the host.[/]")
        raise typer.Exit(terminal.EXIT_DIFFERENT)
    terminal.out.print(
        f"[bold green]0 differing values[/]: {result.board} computes exactly what "
        f"{result.expected_by} does.",
        soft_wrap=True,
    )


def _table(result: VerifyReport, source: str) -> Table:
    table = terminal.table(f"{result.board} against {result.expected_by}", ["what"], ["value"])
    instructions, stack = result.device_instructions, result.device_stack_bytes
    rows = {
        f"images ({source})": f"{result.images:,}",
        "images equal bit for bit": f"{result.bit_exact_images:,}",
        "values that differ": f"{result.differing_values:,} of {result.values:,}",
        "largest difference": f"{result.max_abs_lsb} LSB",
        "same top-1 as the host": f"{result.top1_agreement:.1%}",
        "accuracy": "no labels" if result.accuracy is None else f"{result.accuracy:.1%}",
        "instructions per image": "cannot count" if instructions is None else f"{instructions:,}",
        "time per image on the board": f"{result.device_us / 1000:,.1f} ms",
        "deepest stack": "cannot tell" if stack is None else f"{stack:,} B",
        "kernels": result.kernels,
        "compiled by": result.build,
        "core": f"{result.core} at {result.clock_hz / 1e6:g} MHz" if result.core else "no Cortex-M",
        "link": f"{result.link_bytes_per_s:,.0f} B/s, {result.retries} retries",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
