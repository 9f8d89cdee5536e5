"""`make bench`: print the tables, write them as JSON."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import models
from bench.imagenet import imagenet
from bench.measure import measure
from edgesq.cli import terminal
from edgesq.formats.tflite import read_graph
from edgesq.plan import make_plan
from edgesq.targets import load_target

CORES = {
    "mps2-an386": "cortex-m4",
    "mps2-an500": "cortex-m7",
    "mps3-an547": "cortex-m55",
    "stm32f405": "cortex-m4",
}

BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547")
COLUMNS = (
    "arena",
    "RAM",
    "goal",
    "TFLM arena",
    "stack",
    "code+tables",
    "instructions",
    "per MAC",
    "TFLM",
    "differing",
)

OUT = Console(width=150, highlight=False)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--targets", nargs="+", default=BOARDS, choices=sorted(CORES))
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--skip-imagenet", action="store_true")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    if models.SHARED.is_dir():
        networks = [*models.shared_networks(), models.bypass_224()]
        results["boards"] = [row for target in options.targets for row in _board(networks, target)]
        results["stm32f405"] = _board([models.plain_224()], "stm32f405")
        results["bands"] = [_bands(network) for network in networks if _is_banded(network)]
        results["imagenet"] = None if options.skip_imagenet else imagenet()
    else:
        terminal.err.print(f"{models.SHARED} is not there: only the demo model is measured")
        results["boards"] = [
            row for target in options.targets for row in _board([models.demo()], target)
        ]
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=2) + "\n")
    terminal.err.print(f"wrote {options.json}")


def _board(networks: list[models.Network], name: str) -> list[dict[str, Any]]:
    target = load_target(name)
    table = terminal.table(
        f"whole firmware on {name}, {target.kernels} kernels",
        ["network"],
        COLUMNS,
    )
    rows = []
    for network in networks:
        graph = read_graph(network.tflite)
        got = measure(network.tflite, network.images, make_plan(graph, 1, target.kernels), target)
        tflm = (network.tflm_instructions or {}).get(CORES[name])
        count = got.report.device_instructions or 0
        rows.append({"network": network.name, "target": name, **dataclasses.asdict(got)})
        table.add_row(
            network.name.removeprefix("squeezenet_"),
            f"{got.arena_bytes:,}",
            _against(got.ram_bytes, network.ram_goal_bytes),
            _number(network.ram_goal_bytes),
            _number(network.tflm_arena_bytes),
            _number(got.report.device_stack_bytes),
            f"{got.code_bytes:,}",
            f"{count:,}",
            f"{count / graph.total_macs:.3f}",
            _number(tflm),
            _against(got.report.differing_values, 0),
        )
    OUT.print(table)
    return rows


def _is_banded(network: models.Network) -> bool:
    return network.name in ("squeezenet_v1.1_10c_96", "squeezenet_v1.1_1000c_224")


def _bands(network: models.Network) -> dict[str, Any]:
    """Measure what bands of one row cost against whole maps, at equal kernels."""
    graph, target = read_graph(network.tflite), load_target("mps2-an500")
    counts = {}
    for name, bands in (("rows", 1), ("whole maps", max(slot.hwc[0] for slot in graph.tensors))):
        plan = make_plan(graph, bands, target.kernels)
        got = measure(network.tflite, network.images, plan, target)
        counts[name] = got.report.device_instructions or 0
    cost = counts["rows"] / counts["whole maps"] - 1
    OUT.print(
        f"{network.name}: bands of one row {counts['rows']:,} instructions, whole maps "
        f"{counts['whole maps']:,}: {cost:+.2%} (goal: at most +3 %)"
    )
    return {"network": network.name, **counts, "cost": cost}


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _against(value: int, goal: int | None) -> str:
    if goal is None:
        return f"{value:,}"
    return f"[{'green' if value <= goal else 'red'}]{value:,}[/]"


if __name__ == "__main__":
    main()
