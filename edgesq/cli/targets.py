"""`edgesq targets`."""

from edgesq.cli import terminal
from edgesq.targets import Target, list_targets


def run() -> None:
    """Print a table of all targets."""
    table = terminal.table(None, ["target", "core", "what it is"], ["flash", "RAM"])
    for target in list_targets():
        sizes = (_size(target, "flash"), _size(target, "ram"))
        table.add_row(target.name, target.cpu, target.description, *sizes)
    terminal.out.print(table)


def _size(target: Target, memory: str) -> str:
    region = target.region(memory)
    return f"{region.bytes // 1024:,} KiB" if region else "-"
