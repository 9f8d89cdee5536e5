"""`edgesq targets`."""

from pathlib import Path

from rich.table import Table

from edgesq.cli import terminal
from edgesq.graph import Graph
from edgesq.plan import Goal, choose
from edgesq.project import needs
from edgesq.targets import Target, list_targets


def run(model: Path | None) -> None:
    """Print all targets, or which of them a model fits."""
    if model is None:
        terminal.out.print(_targets())
        return
    from edgesq.export import load_graph

    with terminal.stages(1) as on_stage:
        graph = load_graph(model, on_stage)
    terminal.out.print(_fits(graph, model))


def _targets() -> Table:
    table = terminal.table(None, ["target", "core", "what it is"], ["flash", "RAM"])
    for target in list_targets():
        sizes = (_size(target, "flash"), _size(target, "ram"))
        table.add_row(target.name, target.cpu, target.description, *sizes)
    return table


def _size(target: Target, memory: str) -> str:
    region = target.region(memory)
    return f"{region.bytes // 1024:,} KiB" if region else "-"


def _fits(graph: Graph, model: Path) -> Table:
    table = terminal.table(
        f"{model.name}, smallest plan", ["target", "fits"], ["flash to spare", "RAM to spare"]
    )
    for target in list_targets():
        plan = choose(graph, target.kernels, Goal.RAM, None).plan
        spare = {
            memory: region.bytes - needed
            for memory, needed in needs(graph, plan, target).items()
            if (region := target.region(memory))
        }
        fits = all(left >= 0 for left in spare.values())
        cells = (
            f"{spare[memory]:,}" if memory in spare else "no limit" for memory in ("flash", "ram")
        )
        table.add_row(target.name, "[green]yes[/]" if fits else "[red]no[/]", *cells)
    return table
