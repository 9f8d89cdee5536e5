"""Every network there is, exported as `edgesq export` plans it: the table that users look at."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import models, tables
from bench.measure import measure
from edgesq.cli import terminal
from edgesq.formats.tflite import ReferenceInterpreter, read_graph
from edgesq.graph import Int8Array
from edgesq.plan import plan_for
from edgesq.targets import load_target
from edgesq.zoo.demo import heldout
from support.paths import SHARED

_WIDTH = 230
BOARDS = ("mps2-an500", "mps3-an547")
PUBLIC_TFLM = {
    "mlperf_ic_resnet8_int8": (65_112, 29_960_000, 4_910_000),
    "mlperf_vww_mobilenet_int8": (114_296, 23_890_000, 6_560_000),
    "mlperf_kws_dscnn_int8": (32_408, 7_600_000, None),
}
"""TensorFlow Lite Micro 90b983c with CMSIS-NN 99f736a, measured in QEMU: RAM of its whole firmware,
instructions on M7 and on M55."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One network.

    Attributes:
        network: its name.
        input: height, width, channels.
        macs: multiply-accumulates per image.
        accuracy: share of images whose class is right; None where the weights are random, or it is
            no classifier of images that are at hand.
        tflm_bytes: RAM of TensorFlow Lite Micro.
        is_whole: whether that is its whole firmware's; else its arena alone.
        boards: by the board's core: RAM, flash, instructions, TensorFlow Lite Micro's instructions,
            and output values that differ.
    """

    network: str
    input: tuple[int, int, int]
    macs: int
    accuracy: float | None
    tflm_bytes: int | None
    is_whole: bool
    boards: dict[str, tuple[int, int, int, int | None, int]]


def zoo() -> list[dict[str, Any]]:
    """Measure all networks, print the table, and return its rows for bench.json."""
    rows = [dataclasses.asdict(_row(network)) for network in networks()]
    Console(width=_WIDTH, highlight=False).print(zoo_table(rows))
    return rows


def networks() -> list[models.Network]:
    """Return the networks of the zoo, and those beside the checkout."""
    found = [models.demo()]
    if SHARED.is_dir():
        found += [*models.shared_networks(), models.bypass_224(), models.mobilenet_96()]
        found += map(_public, sorted((SHARED / "models" / "public").glob("*.tflite")))
    return found


def _public(path: Any) -> models.Network:
    content = path.read_bytes()
    _, on_m7, on_m55 = PUBLIC_TFLM.get(path.stem, (None, None, None))
    counts = {"cortex-m7": on_m7, "cortex-m55": on_m55}
    known = {core: count for core, count in counts.items() if count is not None}
    return models.Network(path.stem, content, models.noise(content), None, known)


def _row(network: models.Network) -> Row:
    graph = read_graph(network.tflite)
    boards = {}
    for name in BOARDS:
        target = load_target(name)
        plan = plan_for(graph, target).plan
        got = measure(network.tflite, network.images, plan, target, by_operator=False)
        boards[target.cpu] = (
            got.ram_bytes,
            got.flash_bytes,
            got.report.device.instructions or 0,
            (network.tflm_instructions or {}).get(target.cpu),
            got.report.result.differing_values,
        )
    whole, *_ = PUBLIC_TFLM.get(network.name, (None,))
    return Row(
        network.name,
        graph.tensors[graph.input].hwc,
        graph.total_macs,
        _demo_accuracy(network.tflite) if network.name == models.DEMO else None,
        whole or network.tflm_arena_bytes,
        whole is not None,
        boards,
    )


def _demo_accuracy(content: bytes) -> float:
    """Return the demo's accuracy on its held-out digits; the board gives the same values."""
    pixels, labels = heldout()
    images: Int8Array = (pixels ^ np.uint8(0x80)).view(np.int8)  # scale 1/255, zero point -128
    output, *_ = ReferenceInterpreter(content).observed(images)
    return float(np.mean(output.argmax(axis=1) == labels))


def zoo_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return all networks, the figures of a board side by side with TensorFlow Lite Micro's."""
    header = ["input", "MACs", "accuracy", "flash, M7", "RAM, M7", "RAM, M55", "TFLM's RAM"]
    header += ["instructions, M7", "TFLM, M7", "instructions, M55", "TFLM, M55", "differing"]
    table = terminal.table("networks as export plans them", ["network"], header)
    for row in rows:
        m7, m55 = (row["boards"][load_target(name).cpu] for name in BOARDS)
        tflm = tables.number(row["tflm_bytes"])
        table.add_row(
            row["network"],
            " x ".join(map(str, row["input"])),
            tables.number(row["macs"]),
            "" if row["accuracy"] is None else f"{row['accuracy']:.1%}",
            tables.number(m7[1]),
            tables.number(m7[0]),
            tables.number(m55[0]),
            tflm if row["is_whole"] or not tflm else f"{tflm} (arena alone)",
            *(tables.number(count) for one in (m7, m55) for count in one[2:4]),
            tables.against(m7[4] + m55[4], 0),
        )
    return table
