"""Instructions of each operator per value or MAC, and of whole networks of newer operators."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.table import Table

from bench import each, tables
from bench.measure import measure
from edgesq.cli import terminal
from edgesq.formats.tflite import read_graph
from edgesq.kernels.kernel import PORTABLE
from edgesq.plan import plan_for
from edgesq.targets import Target, load_target
from support import keras_networks
from support.networks import images

BOARDS = ("netduino2", "mps2-an500", "mps3-an547")
"""Of the networks: they have no room on a microbit."""

_MEASURED = (
    *((board, load_target(board).kernels) for board in ("microbit", *BOARDS)),
    ("mps2-an500", PORTABLE),
)

NETWORKS: dict[str, Callable[[], bytes]] = {
    "ResNet-8": keras_networks.resnet8,
    "MobileNet v2 0.25 48": lambda: keras_networks.mobilenet_v2(48),
    "MobileNet v3 blocks 32": keras_networks.mobilenet_v3,
    "SqueezeNet normalized 48": lambda: keras_networks.squeezenet_normalized(48),
    "dense autoencoder": keras_networks.autoencoder,
}


def values() -> dict[str, Any]:
    """Measure and print both tables."""
    operators = [_values(board, kernels) for board, kernels in _MEASURED]
    tables.OUT.print(values_table(operators))
    classes = [_network(name, board) for name in NETWORKS for board in BOARDS]
    tables.OUT.print(networks_table(classes))
    return {"values": operators, "classes": classes}


def values_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a row for each operator, a column for each board and family of kernels."""
    title = f"instructions, from maps of {each.SIDE} x {each.SIDE} x {each.CHANNELS}"
    columns = ["per", *(f"{row['board']}, {row['kernels']}" for row in rows)]
    table = terminal.table(title, ["operator"], columns)
    for name in rows[0]["operators"]:
        cells = [row["operators"][name] for row in rows]
        table.add_row(name, cells[0]["per"], *(f"{cell['instructions']:.2f}" for cell in cells))
    return table


def networks_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return whole networks of such operators, a row for each board."""
    columns = ["MACs", "instructions", "arena", "RAM", "flash", "differing"]
    table = terminal.table("networks planned as export does", ["network", "board"], columns)
    keys = ("macs", "instructions", "arena_bytes", "ram_bytes", "flash_bytes", "differing_values")
    for row in rows:
        table.add_row(row["network"], row["board"], *(f"{row[key]:,}" for key in keys))
    return table


def _values(board: str, kernels: str) -> dict[str, Any]:
    target = replace(load_target(board), kernels=kernels)
    names, found = list(each.OPERATORS), dict[str, dict[str, Any]]()
    for first in range(0, len(names), each.AT_ONCE):
        terminal.err.print(f"operators from {names[first]} on {board}, {kernels}")
        found |= _group(names[first : first + each.AT_ONCE], target)
    return {"board": board, "kernels": kernels, "operators": found}


def _group(names: Sequence[str], target: Target) -> dict[str, dict[str, Any]]:
    content, values = each.network(names)
    graph = read_graph(content)
    noise = images(graph.tensors[graph.input].hwc, 1)
    got = measure(content, noise, plan_for(graph, target).plan, target)
    assert got.report.result.differing_values == 0
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        own = [one for one in got.operators if one.name.partition("#")[0] == name]
        macs = sum(one.macs for one in own)
        spent = sum(one.instructions for one in own) / (macs or values[name])
        found[name] = {"per": "MAC" if macs else "value", "instructions": round(spent, 3)}
    return found


def _network(name: str, board: str) -> dict[str, Any]:
    terminal.err.print(f"{name} on {board}")
    content, target = NETWORKS[name](), load_target(board)
    graph = read_graph(content)
    shape = graph.tensors[graph.input].hwc
    noise = np.random.default_rng(13).integers(-128, 128, (2, *shape)).astype(np.int8)
    got = measure(content, noise, plan_for(graph, target).plan, target)
    return {
        "network": name,
        "board": board,
        "macs": graph.total_macs,
        "instructions": got.report.device.instructions,
        "differing_values": got.report.result.differing_values,
        "arena_bytes": got.arena_bytes,
        "ram_bytes": got.ram_bytes,
        "flash_bytes": got.flash_bytes,
    }
