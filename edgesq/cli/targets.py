"""`edgesq targets`."""

from pathlib import Path
from typing import Any

from rich.table import Table

from edgesq.choices import Goal
from edgesq.cli import terminal
from edgesq.cli.documents import SCHEMA, fit_facts, target_facts
from edgesq.graph import Graph
from edgesq.plan import PlanRequest, choose
from edgesq.targets import list_targets


def run(model: Path | None, json: Path | None) -> None:
    """Print all targets, or which of them a model fits."""
    terminal.check_json(json)
    document: dict[str, Any] = {"schema": SCHEMA}
    if model is None:
        document["targets"] = [target_facts(target) for target in list_targets()]
    else:
        from edgesq.export import load_graph

        with terminal.stages(1) as on_stage:
            graph = load_graph(model, on_stage)
        document |= {"model": str(model), "targets": _fits(graph)}
    if not terminal.is_stdout(json):
        terminal.out.print(_table(document) if model is None else _fits_table(document, model))
    if json is not None:
        terminal.write_json(document, json)


def _table(document: dict[str, Any]) -> Table:
    table = terminal.table(None, ["target", "core", "what it is", "state"], ["flash", "RAM"])
    for row in document["targets"]:
        sizes = (_size(row["flash_bytes"]), _size(row["ram_bytes"]))
        table.add_row(row["name"], row["cpu"], row["description"], row["state"], *sizes)
    return table


def _size(size: int | None) -> str:
    return "-" if size is None else f"{size // 1024:,} KiB"


def _fits(graph: Graph) -> list[dict[str, Any]]:
    targets = [target for target in list_targets() if target.is_planned]
    families = {target.kernels for target in targets}
    plans = {kernels: choose(graph, PlanRequest(kernels, Goal.RAM)).plan for kernels in families}
    return [fit_facts(graph, plans[target.kernels], target) for target in targets]


def _fits_table(document: dict[str, Any], model: Path) -> Table:
    table = terminal.table(
        f"{model.name}, smallest plan", ["target", "fits"], ["flash to spare", "RAM to spare"]
    )
    for row in document["targets"]:
        spare = (row["flash_to_spare_bytes"], row["ram_to_spare_bytes"])
        table.add_row(
            row["name"],
            terminal.styled("yes", "green") if row["fits"] else terminal.styled("no", "red"),
            *("no limit" if left is None else f"{left:,}" for left in spare),
        )
    return table
