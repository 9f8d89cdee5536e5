"""`edgesq inspect`."""

from pathlib import Path

from rich.table import Table

from edgesq.cli import terminal
from edgesq.cli.tables import parity_table, size_table
from edgesq.graph import Graph
from edgesq.plan import Plan, make_plan


def run(build: Path) -> None:
    """Print a build's sizes, its operators with their memory, and its parity table."""
    from edgesq.export import TFLITE, read_report
    from edgesq.formats.tflite import read_graph

    report = read_report(build)
    graph = read_graph((build / TFLITE).read_bytes(), str(build / TFLITE))
    plan = make_plan(graph)
    terminal.out.print(size_table(report))
    terminal.out.print(_operators(graph, plan))
    step, items = plan.peak()
    held = ", ".join(
        f"{short_name(item.name)} {item.bytes:,} B"
        for item in sorted(items, key=lambda item: -item.bytes)[:4]
    )
    terminal.out.print(
        f"Arena {plan.arena_bytes:,} B; fullest at step {step} of {len(plan.steps)}: {held}, ...",
        soft_wrap=True,
    )
    terminal.out.print(parity_table(report))
    terminal.out.print(f"model sha256 {report['model_sha256']}", soft_wrap=True)


def _operators(graph: Graph, plan: Plan) -> Table:
    table = terminal.table(
        "operators, in bands of rows",
        ["operator", "layer"],
        ["output", "rows kept", "ring bytes", "MACs", "weights"],
    )
    shared: set[int] = set()
    for item in plan.ops:
        slot = plan.slots[item.output]
        assert slot is not None
        ring = plan.rings[slot.storage]
        table.add_row(
            item.op.kind,
            short_name(item.op.name),
            f"{slot.height}x{slot.width}x{slot.channels}",
            str(ring.ring_rows),
            "shared" if slot.storage in shared else f"{ring.bytes:,}",
            f"{graph.macs(item.op):,}",
            f"{graph.op_weights_bytes(item.op):,}",
        )
        shared.add(slot.storage)
    return table


def short_name(name: str) -> str:
    """Return the layer's own part of a converter's long tensor name."""
    parts = name.split(";")[0].split("/")
    return (parts[-2] if len(parts) > 1 else parts[-1]).removesuffix("_1")
