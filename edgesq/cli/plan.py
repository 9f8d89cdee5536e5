"""`edgesq plan`, and the tables of a plan that `inspect` shows too."""

from pathlib import Path

from rich.table import Table

from edgesq.api.documents import CurvePoint, PlanDocument, Planned
from edgesq.choices import Goal
from edgesq.cli import terminal
from edgesq.files import check_output
from edgesq.records import plain
from edgesq.targets import load_target

_MAX_ITEMS = 6


def run(
    model: Path | None,
    target: str,
    goal: Goal,
    ram_limit: int | None,
    kernels: str | None,
    picture: Path | None,
    json: Path | None,
) -> None:
    """Plan a model for a target and show what it takes."""
    board = load_target(target)
    check_output(picture, "--picture")
    terminal.check_json(json)
    from edgesq.api.planning import plan_model
    from edgesq.builds import with_kernels

    board = with_kernels(board, kernels)
    with terminal.stages(3) as on_stage:
        document = plan_model(model, board, goal, ram_limit, picture, on_stage)
    if not terminal.is_stdout(json):
        terminal.print_table(document.plan.table)
        print_peak(document.plan)
        print_wide(document)
        terminal.out.print(_image_table(document))
        print_flash(document)
        print_in_ram(document)
        terminal.out.print(_curve_table(document))
        print_doubt(document)
    if picture is not None:
        terminal.say(
            f"Wrote {picture}", to=terminal.err if terminal.is_stdout(json) else terminal.out
        )
    if json is not None:
        terminal.write_json(plain(document), json)


def print_peak(plan: Planned) -> None:
    """Print where an arena is fullest, and what fills it."""
    peak = plan.peak
    largest, others = peak.items[:_MAX_ITEMS], peak.items[_MAX_ITEMS:]
    held = ", ".join(f"{item.name} {item.bytes:,}" for item in largest)
    rest = sum(item.bytes for item in others)
    more = f", {len(others)} more {rest:,}" if rest else ""
    terminal.say(
        f"Arena {plan.arena_bytes:,} B, fullest at step {peak.step} of {peak.steps}: {held}{more}"
    )


def print_wide(document: PlanDocument) -> None:
    """Name the layers whose weights take two bytes each, and why."""
    for row in document.wide_layers:
        words = f"is stored with two bytes per weight, {row.more_bytes:,} B more"
        terminal.say(f"{row.layer} {words}: {row.why}")


def print_flash(document: PlanDocument) -> None:
    """Print what an image's flash consists of."""
    parts = document.flash_parts
    terminal.say(
        f"Flash at most: weights {parts.weights_bytes:,} B, packing adds {parts.growth_bytes:,}, "
        f"tables and parameters {parts.tables_bytes:,}, code {parts.code_bytes:,}"
    )


def print_in_ram(document: PlanDocument) -> None:
    """Say how many weights are in RAM because the flash is slow; nothing where none are."""
    if document.in_ram_operators:
        terminal.say(
            f"Weights in RAM: those of {document.in_ram_operators} of "
            f"{len(document.plan.operators)} operators, with their tables at most "
            f"{document.in_ram_bytes:,} B; start-up copies them from the slow flash"
        )


def _image_table(document: PlanDocument) -> Table:
    how = "from the linker" if document.is_compiled else "at most (not compiled)"
    title = f"whole firmware on {document.target}, {how}"
    table = terminal.table(title, ["memory"], ["needed", "there"])
    for memory, row in (("flash", document.flash), ("ram", document.ram)):
        there = row.there_bytes
        table.add_row(
            memory, f"{row.needed_bytes:,}", "no limit" if there is None else f"{there:,}"
        )
    return table


def print_doubt(document: PlanDocument) -> None:
    """Print what the plan is estimated to take, and how far off that may be."""
    doubt, instructions = document.estimated.doubt, document.estimated.instructions
    known = "as on a Cortex-M3: this core was never measured"
    words = known if doubt is None else f"off by at most {doubt:.0%}"
    terminal.say(f"This plan takes {instructions:,} instructions per image, estimated; {words}")
    if document.estimated.time is not None:
        terminal.say(f"That is {document.estimated.time.words}")
    reads = document.estimated.flash_reads
    if reads is not None:
        what = f"It reads {reads.bytes:,} B of flash past its cache"
        terminal.say(f"{what}: {reads.cycles:,} of the cycles are waits, estimated")


def _bands(point: CurvePoint) -> str:
    """Return the rows per step of all operators, with what is fused and what is held whole."""
    parts = ["whole maps" if point.band_rows is None else str(point.band_rows)]
    if point.fused_operators:
        parts.append(f"{point.fused_operators} fused")
    if point.whole_maps:
        parts.append(f"{point.whole_maps} whole")
    return ", ".join(parts)


def _curve_table(document: PlanDocument) -> Table:
    table = terminal.table(
        "RAM against speed",
        [],
        ["band", "arena", "instructions, estimated", "against whole maps"],
    )
    rows = document.curve
    whole = rows[-1].instructions_estimated
    for row in rows:
        instructions = row.instructions_estimated
        table.add_row(
            _bands(row),
            f"{row.arena_bytes:,}",
            f"{instructions:,}",
            f"{instructions / whole - 1:+.2%}",
        )
    return table
