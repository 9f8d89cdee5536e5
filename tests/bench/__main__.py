"""`make bench`: print the tables, write them as JSON and into docs/results/bench.md."""

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import models, page, tables
from bench.accuracy import accuracy
from bench.code import Code, merged
from bench.compressed import print_compressed
from bench.cycles import cycles
from bench.decoder import print_decoder
from bench.estimates import estimates
from bench.flash import flash_beside
from bench.fronts import fronts
from bench.imagenet import imagenet
from bench.measure import measure
from bench.pace import print_pace
from bench.scalar import scalar
from bench.speed import speed
from bench.streamed import print_streamed
from bench.values import values
from bench.zoo import zoo
from edgesq.cli import terminal
from edgesq.formats.tflite import read_graph
from edgesq.plan import Bands, PlanRequest, make_plan
from edgesq.targets import list_targets, load_target
from support.paths import SHARED

BOARDS = ("mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547")
EMULATED = sorted(target.name for target in list_targets() if target.machine and not target.board)


def main() -> None:
    """Measure what was asked for."""
    options = _options()
    if options.page:
        _write_page(json.loads(options.json.read_text()))
        return
    _write(_parts(options) or _all(options), options.json)


def _parts(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the parts that were asked for; nothing where none was."""
    results: dict[str, Any] = {}
    if options.accuracy:
        results |= accuracy(options.accuracy)
    if options.compressed:
        results |= _compressed()
    if options.values:
        results |= values()
    if options.estimates:
        results |= estimates()
    if options.cycles:
        results |= cycles()
    if options.scalar:
        results["scalar"] = scalar()
    if options.decoder:
        results["decoder"] = print_decoder()
    if options.pace:
        results["pace"] = print_pace(options.targets)
    if options.zoo:
        results["zoo"] = zoo()
    if options.flash:
        results["flash"] = flash_beside()
    if options.fronts:
        results["fronts"] = fronts()
    if options.speed:
        results["speed"] = speed()
    return results


def _all(options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything but the parts that take long."""
    results: dict[str, Any] = {}
    networks = [models.demo()]
    if SHARED.is_dir():
        networks = [*models.shared_networks(), models.bypass_224(), models.mobilenet_96()]
    else:
        terminal.err.print(f"{SHARED} is not there: only the demo model is measured")
    codes = {name: _board(networks, name, results) for name in options.targets}
    tables.OUT.print(tables.code_table(codes, functions=options.functions))
    results["code"] = codes
    results["decoder"] = print_decoder()
    results["zoo"] = zoo()
    results["scalar"] = scalar()
    if options.operators:
        for network in networks:
            rows = [row for row in results["boards"] if row["network"] == network.name]
            tables.OUT.print(tables.operator_table(rows))
    if SHARED.is_dir():
        _board([models.plain_224()], "stm32f405", results)
        results["bands"] = [_bands(network) for network in networks if _is_banded(network)]
        tables.OUT.print(tables.bands_table(results["bands"]))
        if not options.skip_imagenet:
            results |= {"imagenet": imagenet(), **_compressed()}
    return results


def _compressed() -> dict[str, Any]:
    return {"compressed": print_compressed(), "streamed": print_streamed()}


def _write(results: dict[str, Any], path: Path) -> None:
    """Write the figures, and the page where they are the figures of all networks."""
    results["measured"] = page.state()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    terminal.err.print(f"wrote {path}")
    if SHARED.is_dir():
        _write_page(results)


def _write_page(results: dict[str, Any]) -> None:
    page.write_page(results)
    terminal.err.print(f"wrote {page.PAGE}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--targets", nargs="+", default=BOARDS, choices=EMULATED)
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    parser.add_argument(
        "--page", action="store_true", help="only write the page again, from --json"
    )
    parser.add_argument("--skip-imagenet", action="store_true")
    parser.add_argument("--compressed", action="store_true", help="only the compressed networks")
    parser.add_argument("--decoder", action="store_true", help="only the decoder of weights")
    parser.add_argument("--values", action="store_true", help="only each operator")
    parser.add_argument("--estimates", action="store_true", help="only what plan estimates")
    parser.add_argument("--cycles", action="store_true", help="only cycles, by the manuals")
    parser.add_argument("--scalar", action="store_true", help="only cores without an extension")
    parser.add_argument("--zoo", action="store_true", help="only the table of all networks")
    parser.add_argument("--flash", action="store_true", help="only flash beside ST Edge AI's")
    parser.add_argument("--fronts", action="store_true", help="only RAM against instructions")
    parser.add_argument("--speed", action="store_true", help="only plans for speed, on M7")
    parser.add_argument("--pace", action="store_true", help="only rates of the link, and of verify")
    parser.add_argument("--operators", action="store_true", help="print operator by operator")
    parser.add_argument("--functions", action="store_true", help="print function by function")
    parser.add_argument(
        "--accuracy",
        nargs="*",
        choices=("v1.1", "v1.0"),
        help="measure only what int8 costs on ImageNet weights, and the audit",
    )
    options = parser.parse_args()
    if options.accuracy == []:
        options.accuracy = ["v1.1", "v1.0"]
    return options


def _board(networks: Sequence[models.Network], name: str, results: dict[str, Any]) -> Code:
    """Measure all networks on a board, add rows to `results`, return the code of their images."""
    target = load_target(name)
    rows, codes = [], []
    for network in networks:
        graph = read_graph(network.tflite)
        got = measure(
            network.tflite,
            network.images,
            make_plan(graph, PlanRequest(target.kernels)),
            target,
        )
        codes.append(got.code)
        instructions = got.report.device.instructions or 0
        fields = dataclasses.asdict(got)
        del fields["code"]  # results["code"] has it, once for each board
        rows.append(
            {
                "network": network.name,
                "target": name,
                "core": target.cpu,
                "kernels": target.kernels,
                "macs": graph.total_macs,
                "instructions": instructions,
                "instructions_per_mac": instructions / graph.total_macs,
                "tflm_instructions": (network.tflm_instructions or {}).get(target.cpu),
                "tflm_arena_bytes": network.tflm_arena_bytes,
                "ram_goal_bytes": network.ram_goal_bytes,
                **fields,
            }
        )
    tables.OUT.print(tables.board_table(rows))
    results.setdefault("boards", []).extend(rows)
    return merged(codes)


def _is_banded(network: models.Network) -> bool:
    return network.name in ("squeezenet_v1.1_10c_96", "squeezenet_v1.1_1000c_224")


def _bands(network: models.Network) -> dict[str, Any]:
    """Measure what bands of one row cost against whole maps, at equal kernels."""
    graph, target = read_graph(network.tflite), load_target("mps2-an500")
    counts = {}
    for name, bands in (("rows", 1), ("whole maps", max(slot.hwc[0] for slot in graph.tensors))):
        plan = make_plan(graph, PlanRequest(target.kernels), Bands(bands))
        got = measure(network.tflite, network.images, plan, target)
        counts[name] = got.report.device.instructions or 0
    cost = counts["rows"] / counts["whole maps"] - 1
    return {"network": network.name, **counts, "cost": cost}


if __name__ == "__main__":
    main()
