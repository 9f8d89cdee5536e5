"""`edgesq plan`, and the tables of a plan that `inspect` shows too."""

import tempfile
from pathlib import Path

from rich.table import Table

from edgesq.cli import terminal
from edgesq.errors import MissingToolError
from edgesq.graph import Graph
from edgesq.plan import Candidate, Goal, Plan, curve
from edgesq.project import Sizes, needs, plan_for
from edgesq.targets import Target, load_target

_LARGEST = 6


def run(
    model: Path | None, target: str, goal: Goal, ram_limit: int | None, picture: Path | None
) -> None:
    """Plan a model for a target and show what it takes."""
    from edgesq.export import draw_curve, load_graph

    board = load_target(target)
    with terminal.stages(3) as on_stage:
        graph = load_graph(model, on_stage)
        on_stage("plan")
        chosen = plan_for(graph, board, goal, ram_limit)
        on_stage(f"compile for {board.name}")
        sizes = _measure(graph, chosen.plan, board)
    terminal.out.print(operator_table(graph, chosen.plan))
    print_peak(chosen.plan)
    terminal.out.print(_image_table(graph, chosen, board, sizes))
    candidates = curve(graph, board.kernels)
    terminal.out.print(_curve_table(candidates))
    if picture is not None:
        draw_curve(candidates, chosen, picture)
        terminal.out.print(f"Wrote {picture}", soft_wrap=True)


def _measure(graph: Graph, plan: Plan, target: Target) -> Sizes | None:
    """Compile the image and return the linker's sizes; None where there is no way to."""
    if target.is_library:
        return None
    from edgesq.codegen import generate
    from edgesq.project import compile_firmware, lay_out

    with tempfile.TemporaryDirectory(prefix="edgesq-") as scratch:
        lay_out(Path(scratch), target, generate(graph, plan, target.kernels))
        try:
            return compile_firmware(Path(scratch), target)
        except MissingToolError:
            return None


def operator_table(graph: Graph, plan: Plan) -> Table:
    """Return a plan operator by operator."""
    table = terminal.table(
        "operators, in bands of rows",
        ["operator", "layer"],
        ["output", "band", "rows kept", "ring bytes", "MACs", "weights"],
    )
    shown: set[int] = set()
    for item in plan.ops:
        slot = plan.slots[item.output]
        assert slot is not None
        ring = plan.rings[slot.storage]
        table.add_row(
            " > ".join(op.kind for op in item.ops),
            " > ".join(op.name for op in item.ops),
            f"{slot.height}x{slot.width}x{slot.channels}",
            str(item.band_units),
            str(ring.ring_rows),
            "shared" if slot.storage in shown else f"{ring.bytes:,}",
            f"{sum(graph.macs(op) for op in item.ops):,}",
            f"{sum(graph.op_weights_bytes(op) for op in item.ops):,}",
        )
        shown.add(slot.storage)
    return table


def print_peak(plan: Plan) -> None:
    """Print where an arena is fullest, and what fills it."""
    step, items = plan.peak()
    largest = sorted(items, key=lambda item: -item.bytes)
    held = ", ".join(f"{item.name} {item.bytes:,}" for item in largest[:_LARGEST])
    rest = sum(item.bytes for item in largest[_LARGEST:])
    more = f", {len(largest) - _LARGEST} more {rest:,}" if rest else ""
    terminal.out.print(
        f"Arena {plan.arena_bytes:,} B, fullest at step {step} of {len(plan.steps)}: {held}{more}",
        soft_wrap=True,
    )


def _image_table(graph: Graph, chosen: Candidate, target: Target, sizes: Sizes | None) -> Table:
    how = "from the linker" if sizes else "at most (not compiled)"
    table = terminal.table(f"whole image on {target.name}, {how}", ["memory"], ["needed", "there"])
    bounds = needs(graph, chosen.plan, target)
    measured = {"flash": sizes.flash_bytes, "ram": sizes.ram_bytes} if sizes else bounds
    for memory in ("flash", "ram"):
        region = target.region(memory)
        there = f"{region.bytes:,}" if region else "no limit"
        table.add_row(memory, f"{measured[memory]:,}", there)
    return table


def _curve_table(candidates: list[Candidate]) -> Table:
    table = terminal.table(
        "RAM against speed, one band height for all operators",
        [],
        ["band", "arena", "instructions, estimated", "against whole maps"],
    )
    whole = candidates[-1].instructions
    for candidate in candidates:
        band = max(candidate.bands.values(), default=1)
        table.add_row(
            str(band) if candidate is not candidates[-1] else "whole maps",
            f"{candidate.plan.arena_bytes:,}",
            f"{candidate.instructions:,.0f}",
            f"{candidate.instructions / whole - 1:+.2%}",
        )
    return table
