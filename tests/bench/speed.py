"""SqueezeNets planned for speed: what RAM beyond one row of each operator buys."""

from typing import Any

from rich.table import Table

from bench import models, tables
from bench.measure import measure
from edgesq.choices import Goal
from edgesq.cli import terminal
from edgesq.formats.tflite import read_graph
from edgesq.plan import plan_for
from edgesq.targets import load_target

BOARD = "mps2-an500"

CASES = (
    ("squeezenet_v1.1_10c_96", None, 31.0),
    ("squeezenet_v1.1_1000c_224", None, 245.0),
    ("squeezenet_v1.1_1000c_224", 102_400, None),
    ("squeezenet_v1.0_10c_224", 163_840, 490.0),
)
"""Network, most bytes of RAM for the whole firmware, and millions of instructions to reach."""


def speed() -> list[dict[str, Any]]:
    """Measure all cases, print the table, and return its rows."""
    networks = {network.name: network for network in models.shared_networks()}
    rows = [_row(networks[name], limit, goal) for name, limit, goal in CASES]
    tables.OUT.print(speed_table(rows))
    return rows


def speed_table(rows: list[dict[str, Any]]) -> Table:
    """Return the rows of `speed`."""
    columns = ["--ram-limit", "arena", "RAM", "instructions", "goal", "differing"]
    table = terminal.table(f"planned for speed on {BOARD}", ["network"], columns)
    for row in rows:
        limit, goal = row["limit_bytes"], row["goal_millions"]
        table.add_row(
            row["network"],
            f"{limit:,}" if limit else "",
            f"{row['arena_bytes']:,}",
            f"{row['ram_bytes']:,}",
            f"{row['instructions']:,}",
            f"{goal:.1f} M" if goal else "",
            f"{row['differing_values']:,}",
        )
    return table


def _row(network: models.Network, limit: int | None, goal: float | None) -> dict[str, Any]:
    target = load_target(BOARD)
    plan = plan_for(read_graph(network.tflite), target, Goal.SPEED, limit).plan
    got = measure(network.tflite, network.images, plan, target, by_operator=False)
    return {
        "network": network.name,
        "limit_bytes": limit,
        "goal_millions": goal,
        "arena_bytes": got.arena_bytes,
        "ram_bytes": got.ram_bytes,
        "instructions": got.report.device.instructions or 0,
        "differing_values": got.report.result.differing_values,
    }
