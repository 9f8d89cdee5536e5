"""What `edgesq verify --layers` and `--profile` show."""

from edgesq.cli import terminal
from edgesq.verify import VerifyReport, tables
from edgesq.verify.layers import Layers


def print_inside(report: VerifyReport) -> None:
    """Print what was looked at inside the board."""
    if report.profile is not None:
        terminal.print_table(tables.profile(report.profile))
    if report.layers is not None:
        print_layers(report.layers)


def print_layers(layers: Layers) -> None:
    """Print whether every operator's output is the host's, or what the first wrong one is like."""
    if layers.difference is None:
        rest = f", {layers.images:,} images: every output has the CRC-32 of the host's."
        terminal.say(terminal.styled(f"{layers.operators} operators", "bold green"), rest)
        return
    terminal.print_table(tables.difference(layers))
    cause = terminal.styled(f"Likely cause: {layers.difference.cause.value}", "bold red")
    terminal.say(cause, f": {layers.difference.detail}.")
