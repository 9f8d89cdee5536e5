"""Estimated instructions beside those that the emulated boards count."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from bench import tables
from bench.measure import measure
from edgesq.cli import terminal
from edgesq.formats.tflite import read_graph
from edgesq.plan import plan_for
from edgesq.project import Estimate, estimate
from edgesq.targets import load_target
from support import keras_networks
from support.networks import FINER, RECTIFIED, USUAL, Network
from support.paths import SHARED
from support.tflite_builder import NONE, RELU, SAME

BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547", "netduino2", "riscv32-virt")


def small() -> bytes:
    """Return a network for the smallest board."""
    net = Network((16, 16, 1), RECTIFIED, 3)
    step = net.conv(net.input, 8, (3, 3), (2, 2), SAME, RELU, RECTIFIED)
    for channels, stride in ((8, (1, 1)), (16, (2, 2))):
        step = net.depthwise(step, (3, 3), stride, SAME, RELU, RECTIFIED)
        step = net.conv(step, channels, (1, 1), (1, 1), SAME, RELU, RECTIFIED)
    return net.build(net.softmax(net.dense(net.mean(step, RECTIFIED), 10)))


def mixed() -> bytes:
    """Return depthwise convolutions of every kind, other operators between them."""
    net = Network((24, 24, 8), RECTIFIED, 5)

    def depthwise(step: int, size: int, stride: int, quick: bool, each: int = 1) -> int:
        ends = (RELU, RECTIFIED) if quick else (NONE, USUAL)
        return net.depthwise(step, (size, size), (stride, stride), SAME, *ends, each)

    step = depthwise(net.input, 3, 1, True)
    step = depthwise(depthwise(step, 3, 1, False), 5, 1, True)
    step = depthwise(net.conv(step, 12, quant=RECTIFIED, activation=RELU), 3, 2, True)
    step = depthwise(net.conv(step, 6), 3, 1, True)
    step = net.conv(step, 32, (3, 3), activation=RELU, quant=RECTIFIED)
    step = depthwise(depthwise(step, 3, 2, False), 5, 1, True)
    step = net.add(step, depthwise(step, 3, 1, True), FINER)
    step = net.max_pool(depthwise(step, 3, 1, True, 2), (2, 2), (2, 2))
    step = net.average_pool(depthwise(step, 3, 1, True), (2, 2), (1, 1))
    return net.build(net.softmax(net.dense(net.mean(depthwise(step, 3, 2, True)), 10)))


def networks() -> dict[str, Callable[[], bytes]]:
    """Return what is measured: by name, a function that makes its .tflite."""
    found: dict[str, Callable[[], bytes]] = {
        "mixed": mixed,
        "MobileNet v1 0.25 48": lambda: keras_networks.mobilenet(48),
        "MobileNet v2 0.25 48": lambda: keras_networks.mobilenet_v2(48),
        "MobileNet v3 blocks 32": keras_networks.mobilenet_v3,
        "LeNet": keras_networks.lenet,
        "U-Net": keras_networks.unet,
        "SqueezeNet normalized 48": lambda: keras_networks.squeezenet_normalized(48),
    }
    for path in sorted((SHARED / "models" / "public").glob("*.tflite")):
        found[path.stem] = path.read_bytes
    for name in ("squeezenet_v1.1_10c_96", "squeezenet_v1.0_10c_32"):
        path = SHARED / "models" / f"{name}.tflite"
        if path.is_file():
            found[name] = path.read_bytes
    return found


def compared(content: bytes, board: str) -> tuple[Estimate, int]:
    """Return what a network is estimated to take on an emulated board, and what it takes."""
    graph, target = read_graph(content), load_target(board)
    chosen = plan_for(graph, target)
    noise = np.random.default_rng(7).integers(-128, 128, (1, *graph.tensors[graph.input].hwc))
    got = measure(content, noise.astype(np.int8), chosen.plan, target)
    assert got.report.device.instructions is not None
    return estimate(chosen.instructions, target), got.report.device.instructions


def estimates() -> dict[str, Any]:
    """Measure and print them all."""
    rows = []
    cases = [(name, build, board) for name, build in networks().items() for board in BOARDS]
    for name, build, board in [*cases, ("small", small, "microbit")]:
        terminal.err.print(f"{name} on {board}")
        estimated, counted = compared(build(), board)
        rows.append(
            {
                "network": name,
                "board": board,
                "estimated": estimated.instructions,
                "counted": counted,
            }
        )
    tables.OUT.print(estimates_table(rows))
    return {"estimates": rows}


def estimates_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a row for each network on each board."""
    columns = ["estimated", "counted", "off by"]
    table = terminal.table("estimated and counted instructions", ["network", "board"], columns)
    for row in rows:
        estimated, counted = row["estimated"], row["counted"]
        off = f"{estimated / counted - 1:+.1%}"
        table.add_row(row["network"], row["board"], f"{estimated:,}", f"{counted:,}", off)
    return table
