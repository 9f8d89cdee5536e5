"""Instructions per value of operators without windows, and of whole networks that have them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.table import Table

from bench import tables
from bench.measure import measure
from edgesq.cli import terminal
from edgesq.formats.tflite import read_graph
from edgesq.plan import PlanRequest, make_plan, plan_for
from edgesq.targets import load_target
from support import keras_networks
from support.networks import FINER, RECTIFIED, USUAL, Network, images

SIDE, CHANNELS = 16, 32
BOARDS = ("netduino2", "mps2-an500", "mps3-an547")
VALUE_BOARDS = ("microbit", *BOARDS)
"""Networks have no room on a microbit."""

NETWORKS: dict[str, Callable[[], bytes]] = {
    "ResNet-8": keras_networks.resnet8,
    "MobileNet v2 0.25 48": lambda: keras_networks.mobilenet_v2(48),
    "MobileNet v3 blocks 32": keras_networks.mobilenet_v3,
    "SqueezeNet normalized 48": lambda: keras_networks.squeezenet_normalized(48),
    "dense autoencoder": keras_networks.autoencoder,
}


def values() -> dict[str, Any]:
    """Measure and print both tables."""
    operators = [_values(name, fast) for name in VALUE_BOARDS for fast in (True, False)]
    tables.OUT.print(values_table(operators))
    classes = [_network(name, board) for name in NETWORKS for board in BOARDS]
    tables.OUT.print(networks_table(classes))
    return {"values": operators, "classes": classes}


def values_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the operators of `_operators`, a column for each board and family of kernels."""
    columns = [f"{row['board']}, {row['kernels']}" for row in rows]
    title = f"instructions per value, maps of {SIDE} x {SIDE} x {CHANNELS}"
    table = terminal.table(title, ["operator"], columns)
    operators = zip(*(row["per_value"].items() for row in rows), strict=True)
    for cells in operators:
        operator = cells[0][0].rpartition(" ")[0]  # the function's name differs by family
        table.add_row(operator, *(f"{count:.2f}" for _, count in cells))
    return table


def networks_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return whole networks of such operators, a row for each board."""
    columns = ["MACs", "instructions", "arena", "RAM", "flash", "differing"]
    table = terminal.table("networks planned as export does", ["network", "board"], columns)
    keys = ("macs", "instructions", "arena_bytes", "ram_bytes", "flash_bytes", "differing_values")
    for row in rows:
        table.add_row(row["network"], row["board"], *(f"{row[key]:,}" for key in keys))
    return table


def _operators() -> bytes:
    """Return a network of one operator of each kind on maps of SIDE x SIDE x CHANNELS."""
    net = Network((SIDE, SIDE, CHANNELS), USUAL)
    one, two = net.unary(net.input, "RELU", RECTIFIED), net.max_pool(net.input, (1, 1), (1, 1))
    product, total = net.binary(one, two, "MUL", FINER), net.binary(one, two, "ADD", USUAL)
    both = net.binary(product, total, "SUB", USUAL)
    gated = net.binary(both, net.mean(both, FINER, keep=True), "MUL", USUAL)
    step = net.by_constant(gated, "ADD", (CHANNELS,), (0.006, 0), USUAL)
    return net.build(net.mean(step))


def _values(board: str, fast: bool) -> dict[str, Any]:
    content, target = _operators(), load_target(board)
    target = target if fast else replace(target, kernels="portable")
    graph = read_graph(content)
    shape = (SIDE, SIDE, CHANNELS)
    got = measure(content, images(shape, 1), make_plan(graph, PlanRequest(target.kernels)), target)
    assert got.report.result.differing_values == 0
    per_value = {
        f"{number}: {one.kind} {one.function}": round(
            one.instructions / (SIDE * SIDE * CHANNELS), 2
        )
        for number, one in enumerate(got.operators)
    }
    return {"board": board, "kernels": target.kernels, "per_value": per_value}


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
