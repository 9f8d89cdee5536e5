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
    table = terminal.table(None, ["target", "core", "what it is", "state"], ["flash", "RAM"])
    for target in list_targets():
        sizes = (_size(target, "flash"), _size(target, "ram"))
        table.add_row(target.name, target.cpu, target.description, _state(target), *sizes)
    return table


def _state(target: Target) -> str:
    """Return how far the firmware of a target has been tried."""
    if target.is_library:
        return "library"
    return "run" if target.is_host or target.is_emulated else "built"


def _size(target: Target, memory: str) -> str:
    region = target.region(memory)
    return f"{region.bytes // 1024:,} KiB" if region else "-"


def _fits(graph: Graph, model: Path) -> Table:
    table = terminal.table(
        f"{model.name}, smallest plan", ["target", "fits"], ["flash to spare", "RAM to spare"]
    )
    targets = [target for target in list_targets() if target.is_planned]
    families = {target.kernels for target in targets}
    plans = {kernels: choose(graph, kernels, Goal.RAM, None).plan for kernels in families}
    for target in targets:
        plan = plans[target.kernels]
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
