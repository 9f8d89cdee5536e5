"""`edgesq targets`."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from edgesq.api.documents import Board, FitsDocument, TargetsDocument
from edgesq.cli import terminal
from edgesq.plan import Fit
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
        from edgesq.api.planning import fits

        with terminal.stages(1) as on_stage:
            document = fits(model, on_stage)
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


def _verdict(row: Fit) -> Text:
    if row.fits:
        return terminal.styled("yes", "green")
    return terminal.styled("perhaps", "yellow") if row.may_fit else terminal.styled("no", "red")


def _fits_table(document: FitsDocument, name: str) -> Table:
    table = terminal.table(
        f"{name}, in bands of one row", ["target", "fits"], ["flash to spare", "RAM to spare"]
    )
    for row in document.targets:
        spare = (row.flash_to_spare_bytes, row.ram_to_spare_bytes)
        table.add_row(
            row.name,
            _verdict(row),
            *("no limit" if left is None else f"{left:,}" for left in spare),
        )
    return table
