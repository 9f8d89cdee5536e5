"""RAM against instructions: the plans of a network from the least RAM to whole maps, on a board."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from bench import tables
from bench.measure import measure
from edgesq.formats.tflite import read_graph
from edgesq.graph import Graph
from edgesq.plan import Candidate, PlanRequest, choose, curve
from edgesq.targets import load_target
from support import st_networks
from support.paths import SHARED

BOARD = "mps2-an500"

_SEED = 7

MSF_CNN = ((8_560, 1.68), (15_199, 1.38), (25_803, 1.25), (83_133, 1.02))
"""MobileNetV2 0.35 at 144 by msf-CNN: bytes of RAM, and multiplications against none done twice.
Source: github.com/TinyPART/msf-CNN at 9632d3e, msf_CNN_eval_models/result.json. Neither the image
nor firmware, stack and link are in its bytes."""

LIMITS = {
    "MobileNet v2 0.35 144": 25_000,
    "SqueezeNet v1.1 1000c 224": 34_300,
    "SqueezeNet v1.0 10c 224": 53_400,
}
"""Bytes of arenas, for the fastest plans within which there are goals."""

MSF_NETWORK = "MobileNet v2 0.35 144"


@dataclass(frozen=True)
class Point:
    """A plan, run on the board.

    Attributes:
        network: its name.
        arena_bytes: as planned; the newest rows of the image are in it.
        ram_bytes: of the whole firmware, from the linker.
        instructions: counted in the emulator.
        estimated: before that.
        more: of the instructions of bands of one row.
        differing: output values that are not the host's.
        rows: per step where nothing is fused; None below bands of one row.
        fused: operators that run strip by strip.
        whole: maps that are complete before anything reads them.
        limit: bytes of an arena, within which it is the fastest plan that was found; None without.
    """

    network: str
    arena_bytes: int
    ram_bytes: int
    instructions: int
    estimated: int
    more: float
    differing: int
    rows: int | None
    fused: int
    whole: int
    limit: int | None


def fronts() -> list[dict[str, Any]]:
    """Measure all fronts, print them, and return the rows for bench.json."""
    rows = [asdict(point) for name in NETWORKS for point in _front(name)]
    tables.OUT.print(fronts_table(rows))
    return rows


def _front(name: str) -> list[Point]:
    content = NETWORKS[name]()
    graph, target = read_graph(content), load_target(BOARD)
    random = np.random.default_rng(_SEED)
    images = random.integers(-128, 128, (1, *graph.image_shape), np.int8)
    limit = LIMITS.get(name)
    within = PlanRequest(target.kernels, limit_bytes=limit)
    found = []
    for one in [*([choose(graph, within)] if limit else []), *_shown(graph, target.kernels)]:
        got = measure(content, images, one.plan, target, by_operator=False)
        found.append((one, got))
    one_row = next(got for one, got in found if not one.bands.is_below_rows)
    base = one_row.report.device.instructions or 0
    return [
        Point(
            name,
            one.plan.arena_bytes,
            got.ram_bytes,
            got.report.device.instructions or 0,
            round(one.instructions),
            (got.report.device.instructions or 0) / base - 1,
            got.report.result.differing_values,
            None
            if one.bands.is_below_rows
            else max(one.bands.by_height.values(), default=one.bands.rows),
            sum(len(fusion.outputs) for fusion in one.bands.fused or ()),
            len(one.bands.whole or ()),
            one.request.limit_bytes,
        )
        for one, got in found
    ]


def _shown(graph: Graph, kernels: str) -> list[Candidate]:
    """Return plans without those between bands of one row and whole maps, which differ little."""
    candidates = curve(graph, kernels)
    below = [one for one in candidates if one.bands.is_below_rows]
    rows = [one for one in candidates if not one.bands.is_below_rows]
    return [*below, rows[0], rows[-1]]


def fronts_table(rows: list[dict[str, Any]]) -> Table:
    """Return the table of the points."""
    table = Table(title=f"RAM against instructions on {BOARD}")
    table.add_column("network")
    for name in (
        "limit",
        "arena",
        "whole RAM",
        "instructions",
        "more",
        "estimate",
        "fused",
        "held whole",
    ):
        table.add_column(name, justify="right")
    table.add_column("differing", justify="right")
    for row in rows:
        table.add_row(
            row["network"],
            f"{row['limit']:,}" if row["limit"] else "",
            f"{row['arena_bytes']:,}",
            f"{row['ram_bytes']:,}",
            f"{row['instructions']:,}",
            f"{row['more']:+.1%}",
            f"{row['estimated'] / row['instructions'] - 1:+.1%}",
            str(row["fused"] or ""),
            str(row["whole"] or ""),
            str(row["differing"]),
        )
    return table


def msf_table() -> Table:
    """Return msf-CNN's front of the network that both have."""
    table = Table(title=f"msf-CNN, {MSF_NETWORK}, as it publishes")
    table.add_column("RAM", justify="right")
    table.add_column("more multiplications", justify="right")
    for size, times in MSF_CNN:
        table.add_row(f"{size:,}", f"{times - 1:+.0%}")
    return table


def _shared(name: str) -> Callable[[], bytes]:
    return lambda: (SHARED / "models" / f"{name}.tflite").read_bytes()


NETWORKS: dict[str, Callable[[], bytes]] = {
    MSF_NETWORK: st_networks.mobilenet_v2_144,
    "MobileNet v1 0.25 96 (MLPerf VWW)": _shared("public/mlperf_vww_mobilenet_int8"),
    "FOMO on MobileNet v2 0.35 96": st_networks.fomo_96,
    "SqueezeNet v1.1 1000c 224": _shared("squeezenet_v1.1_1000c_224"),
    "SqueezeNet v1.0 10c 224": _shared("squeezenet_v1.0_10c_224"),
}
