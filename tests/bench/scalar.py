"""Networks on cores without an extension: scalar kernels beside portable ones, and the goals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.table import Table

from bench import models, tables
from bench.measure import Measurement, measure
from edgesq.cli import terminal
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph, Int8Array
from edgesq.kernels.flash import extra_weights_bytes
from edgesq.kernels.kernel import PORTABLE
from edgesq.kernels.scalar.family import NAME
from edgesq.plan import PlanRequest, make_plan
from edgesq.targets import Target, load_target
from support.paths import SHARED

ARENA_SHARE, FLASH_SHARE = 1.10, 1.02
"""Goals: the arena beside the portable plan's, bytes of packed weights beside the model's."""

_SEED = 7
_ARMV6M = ("-mcpu=cortex-m0plus", "-mthumb", "-mfloat-abi=soft")
_COLUMNS = (
    "instructions",
    "per MAC",
    "goal",
    "portable",
    "TFLM",
    "arena",
    "of portable's",
    "stack",
    "flash per weight",
    "differing",
)


@dataclass(frozen=True)
class Row:
    """One network on one core.

    Attributes:
        network: its name.
        core: what counts its instructions.
        target: the board that is emulated.
        load: returns the .tflite and an image.
        goal: instructions per image, or where it is small per multiply-accumulate.
        tflm_instructions: TensorFlow Lite Micro 90b983c with CMSIS-NN 99f736a, kernels -O2,
            measured in QEMU; None where it was not, or does not fit.
        flags: of another core whose code the board runs.
    """

    network: str
    core: str
    target: str
    load: Callable[[], tuple[bytes, Int8Array]]
    goal: float
    tflm_instructions: int | None = None
    flags: tuple[str, ...] = ()


def _public(name: str) -> Callable[[], tuple[bytes, Int8Array]]:
    def load() -> tuple[bytes, Int8Array]:
        content = (SHARED / "models" / "public" / f"{name}.tflite").read_bytes()
        graph = read_graph(content)
        shape = (1, *graph.tensors[graph.input].hwc)
        return content, np.random.default_rng(_SEED).integers(-128, 128, shape, np.int8)

    return load


def _squeezenet(name: str) -> Callable[[], tuple[bytes, Int8Array]]:
    def load() -> tuple[bytes, Int8Array]:
        path = SHARED / "models" / f"{name}.tflite"
        with np.load(path.with_suffix(".npz")) as archive:
            return path.read_bytes(), archive["input"][:1]

    return load


def _demo() -> tuple[bytes, Int8Array]:
    network = models.demo()
    return network.tflite, network.images[:1]


_RESNET8 = _public("mlperf_ic_resnet8_int8")

SHARED_ROWS = (
    Row("ResNet-8", "Cortex-M3", "netduino2", _RESNET8, 25e6, 41_800_000),
    Row("DS-CNN KWS", "Cortex-M3", "netduino2", _public("mlperf_kws_dscnn_int8"), 7e6, 10_530_000),
    Row("v1.0 at 32", "Cortex-M3", "netduino2", _squeezenet("squeezenet_v1.0_10c_32"), 18e6),
    Row("ResNet-8", "Cortex-M0", "microbit", _RESNET8, 45e6),
    Row("v1.1 at 96", "RV32IMC", "riscv32-virt", _squeezenet("squeezenet_v1.1_10c_96"), 3.0),
)
"""Of models that are not in the repository."""

DEMO_ROW = Row("demo", "Cortex-M0+", "mps2-an500", _demo, 10e6, None, _ARMV6M)
"""No emulated M0 has the flash: an M7 runs the same code."""


def scalar() -> list[dict[str, Any]]:
    """Measure and print the table."""
    if not SHARED.is_dir():
        terminal.err.print(f"{SHARED} is not there: only the demo is measured")
    wanted = [*(SHARED_ROWS if SHARED.is_dir() else ()), DEMO_ROW]
    rows = []
    for row in wanted:
        terminal.err.print(f"{row.network} on {row.core}")
        rows.append(_measured(row))
    tables.OUT.print(scalar_table(rows))
    return rows


def scalar_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a row for each network and core."""
    table = terminal.table("scalar kernels", ["network", "core"], _COLUMNS)
    for row in rows:
        macs, arena = row["macs"], row["arena_bytes"] / row["portable_arena_bytes"]
        table.add_row(
            row["network"],
            row["core"],
            tables.against(row["instructions"], row["goal"]),
            f"{row['instructions'] / macs:.2f}",
            f"{row['goal']:,}",
            f"{row['portable_instructions']:,}",
            tables.number(row["tflm_instructions"]),
            f"{row['arena_bytes']:,}",
            f"{arena:.3f}",
            f"{row['stack_bytes']:,}",
            f"{row['flash_per_weight']:.4f}",
            tables.against(row["differing"], 0),
        )
    return table


def _measured(row: Row) -> dict[str, Any]:
    content, image = row.load()
    graph = read_graph(content)
    ours, theirs = (_run(row, content, graph, image, kernels) for kernels in (NAME, PORTABLE))
    weights = graph.weights_bytes
    plan = make_plan(graph, PlanRequest(NAME))
    goal = row.goal if row.goal > graph.total_macs else row.goal * graph.total_macs
    return {
        "network": row.network,
        "core": row.core,
        "board": row.target,
        "macs": graph.total_macs,
        "instructions": ours.report.device.instructions,
        "portable_instructions": theirs.report.device.instructions,
        "goal": round(goal),
        "tflm_instructions": row.tflm_instructions,
        "arena_bytes": ours.arena_bytes,
        "portable_arena_bytes": theirs.arena_bytes,
        "stack_bytes": ours.report.device.stack_bytes,
        "flash_per_weight": 1 + extra_weights_bytes(graph, plan.ops, NAME) / weights,
        "differing": ours.report.result.differing_values + theirs.report.result.differing_values,
    }


def _run(row: Row, content: bytes, graph: Graph, image: Int8Array, kernels: str) -> Measurement:
    plan = make_plan(graph, PlanRequest(kernels))
    return measure(content, image, plan, _target(row, kernels), by_operator=False)


def _target(row: Row, kernels: str) -> Target:
    target = load_target(row.target)
    flags = row.flags or target.compiler_flags
    return replace(target, kernels=kernels, compiler_flags=flags)
