"""What `edgesq verify --layers` and `--profile` show."""

from collections.abc import Sequence

from rich.table import Table

from edgesq.cli import terminal
from edgesq.verify import VerifyReport
from edgesq.verify.layers import LayerDifference, Layers
from edgesq.verify.profile import OperatorProfile


def print_inside(report: VerifyReport) -> None:
    """Print what was looked at inside the board."""
    if report.profile is not None:
        terminal.out.print(profile_table(report.profile))
    if report.layers is not None:
        print_layers(report.layers)


def print_layers(layers: Layers) -> None:
    """Print whether every operator's output is the host's, or what the first wrong one is like."""
    if layers.difference is None:
        rest = f", {layers.images:,} images: every output has the CRC-32 of the host's."
        terminal.say(terminal.styled(f"{layers.operators} operators", "bold green"), rest)
        return
    terminal.out.print(difference_table(layers.difference, layers))
    cause = terminal.styled(f"Likely cause: {layers.difference.cause.value}", "bold red")
    terminal.say(cause, f": {layers.difference.detail}.")


def difference_table(found: LayerDifference, layers: Layers) -> Table:
    """Return the first operator that differs."""
    table = terminal.table("the first operator that differs", ["what"], ["value"])
    place = (
        "none when it was run again" if found.first_index is None else str(list(found.first_index))
    )
    rows = {
        "operator": f"{found.name}, {found.kind}, number {found.operator} of {layers.operators}",
        "runs": found.function,
        "in image": str(found.image),
        "values that differ": f"{found.differing:,} of {found.values:,}",
        "largest difference": f"{found.max_abs_lsb} LSB",
        "first at [y, x, channel]": place,
    }
    if found.first_index is not None:
        rows |= {"  expected": str(found.expected), "  got": str(found.got)}
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def profile_table(operators: Sequence[OperatorProfile]) -> Table:
    """Return what every operator takes."""
    counts = operators[0].instructions is not None
    what, per_mac = ("instructions", "per MAC") if counts else ("microseconds", "ns per MAC")
    table = terminal.table(
        "operators on the board, medians", ["operator", "layer"], ["MACs", what, "share", per_mac]
    )
    costs = [float(operator.instructions or 0) if counts else operator.us for operator in operators]
    for operator, cost in zip(operators, costs, strict=True):
        cells = _cells(operator.macs, cost, operator.share, counts)
        table.add_row(operator.kind, operator.name, *cells)
    macs = sum(operator.macs for operator in operators)
    table.add_row("all", "", *_cells(macs, sum(costs), 1.0, counts), style="bold")
    return table


def _cells(macs: int, cost: float, share: float, counts: bool) -> tuple[str, str, str, str]:
    if not macs:
        return "", f"{cost:,.0f}", f"{share:.1%}", ""
    per_mac = cost / macs if counts else 1000 * cost / macs
    return f"{macs:,}", f"{cost:,.0f}", f"{share:.1%}", f"{per_mac:.3f}"
