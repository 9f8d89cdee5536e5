"""Flash of whole images beside ST Edge AI's, of networks of its model zoo."""

from collections.abc import Callable
from typing import Any

from rich.table import Table

from bench import models, tables
from bench.measure import measure
from edgesq.cli import terminal
from edgesq.formats.tflite import read_graph
from edgesq.plan import plan_for
from edgesq.targets import load_target
from support import st_networks

BOARD = "mps2-an500"
_KIB = 1024

_Figures = tuple[Callable[[], bytes], float, float]

NETWORKS: dict[str, _Figures] = {
    "FD-MobileNet 0.25 128": (st_networks.fd_mobilenet_128, 158.3, 152),
    "MobileNet v1 0.25 96": (st_networks.mobilenet_v1_96, 250.7, 245),
    "MobileNet v2 0.35 128": (st_networks.mobilenet_v2_128, 471.2, 465),
    "SqueezeNet v1.1 128": (st_networks.squeezenet_v1_1_128, 762.5, 745),
    "ResNet-8": (st_networks.resnet8_32, 113.0, 98),
}
"""By name: the network, ST Edge AI Core 3.0.0's flash in KiB (read in its model zoo), and ours to
reach."""


def flash_beside() -> list[dict[str, Any]]:
    """Measure all networks, print the table, and return its rows."""
    rows = [_row(name, *figures) for name, figures in NETWORKS.items()]
    tables.OUT.print(flash_table(rows))
    return rows


def flash_table(rows: list[dict[str, Any]]) -> Table:
    """Return the rows of `flash_beside`; a goal that is missed names by how much."""
    columns = ["flash KiB", "goal", "ST", "arena", "instructions", "differing"]
    table = terminal.table(f"flash of whole images on {BOARD}", ["network"], columns)
    for row in rows:
        missed = row["flash_bytes"] / _KIB - row["goal_kib"]
        goal = f"{row['goal_kib']}" + (f", missed by {missed:.1f}" if missed > 0 else "")
        table.add_row(
            row["network"],
            f"{row['flash_bytes'] / _KIB:.1f}",
            goal,
            f"{row['st_kib']}",
            f"{row['arena_bytes']:,}",
            f"{row['instructions']:,}",
            f"{row['differing_values']:,}",
        )
    return table


def _row(name: str, build: Callable[[], bytes], st_kib: float, goal_kib: float) -> dict[str, Any]:
    content, target = build(), load_target(BOARD)
    plan = plan_for(read_graph(content), target).plan
    got = measure(content, models.noise(content), plan, target, by_operator=False)
    return {
        "network": name,
        "flash_bytes": got.flash_bytes,
        "goal_kib": goal_kib,
        "st_kib": st_kib,
        "arena_bytes": got.arena_bytes,
        "instructions": got.report.device.instructions or 0,
        "differing_values": got.report.result.differing_values,
    }
