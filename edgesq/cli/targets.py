"""`edgesq targets`."""

from pathlib import Path

from rich.table import Table

from edgesq.choices import Goal
from edgesq.cli import terminal
from edgesq.cli.documents import Board, Fit, FitsDocument, TargetsDocument
from edgesq.plan import PlanRequest, choose
from edgesq.records import plain
from edgesq.targets import list_targets


def run(model: Path | None, json: Path | None) -> None:
    """Print all targets, or which of them a model fits."""
    terminal.check_json(json)
    document: TargetsDocument | FitsDocument
    if model is None:
        document = TargetsDocument(targets=tuple(map(Board.of, list_targets())))
        table = _table(document)
    else:
        document = _fits(model)
        table = _fits_table(document, model.name)
    if not terminal.is_stdout(json):
        terminal.out.print(table)
    if json is not None:
        terminal.write_json(plain(document), json)


def _table(document: TargetsDocument) -> Table:
    table = terminal.table(None, ["target", "core", "what it is", "state"], ["flash", "RAM"])
    for row in document.targets:
        sizes = (_size(row.flash_bytes), _size(row.ram_bytes))
        table.add_row(row.name, row.cpu, row.description, row.state, *sizes)
    return table


def _size(size: int | None) -> str:
    return "-" if size is None else f"{size // 1024:,} KiB"


def _fits(model: Path) -> FitsDocument:
    from edgesq.builds import load_graph

    with terminal.stages(1) as on_stage:
        graph = load_graph(model, on_stage)
    targets = [target for target in list_targets() if target.is_planned]
    families = {target.kernels for target in targets}
    plans = {kernels: choose(graph, PlanRequest(kernels, Goal.RAM)).plan for kernels in families}
    rows = (Fit.of(graph, plans[target.kernels], target) for target in targets)
    return FitsDocument(model=str(model), targets=tuple(rows))


def _fits_table(document: FitsDocument, name: str) -> Table:
    table = terminal.table(
        f"{name}, smallest plan", ["target", "fits"], ["flash to spare", "RAM to spare"]
    )
    for row in document.targets:
        spare = (row.flash_to_spare_bytes, row.ram_to_spare_bytes)
        table.add_row(
            row.name,
            terminal.styled("yes", "green") if row.fits else terminal.styled("no", "red"),
            *("no limit" if left is None else f"{left:,}" for left in spare),
        )
    return table
