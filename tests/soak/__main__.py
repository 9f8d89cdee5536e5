"""`make soak`: run the long checks, print one table, write JSON; exit 1 where a goal is missed."""

import argparse
import dataclasses
import importlib
import importlib.util
import json
import sys
import time
from pathlib import Path

from rich.console import Console

from edgesq.cli import terminal
from soak.figure import Figure

SECONDS = {
    "fuzz": 300.0,
    "streams": 50.0,
    "link": 120.0,
    "longrun": 120.0,
    "graphs": 480.0,
    "tflite": 600.0,
    "onnx": 1_500.0,
    "keras": 900.0,
    "folders": 900.0,
}
"""By part: the most it may take; all together stay below 83 minutes."""

OUT = Console(width=120, highlight=False)


def main() -> None:
    """Run the parts that were asked for."""
    known = [name for name in SECONDS if importlib.util.find_spec(f"soak.{name}")]
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}; all")
    parser.add_argument("--json", type=Path, default=Path("build/soak.json"))
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - set(known)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(known)}")
    results = {name: _run(name) for name in options.parts or known}
    _print(results)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(
        json.dumps(
            {name: [dataclasses.asdict(one) for one in row] for name, row in results.items()},
            indent=2,
        )
        + "\n"
    )
    terminal.err.print(f"wrote {options.json}")
    sys.exit(not all(figure.is_met for figures in results.values() for figure in figures))


def _run(name: str) -> list[Figure]:
    terminal.err.print(f"{name}: at most {SECONDS[name]:.0f} s")
    begun = time.monotonic()
    figures: list[Figure] = importlib.import_module(f"soak.{name}").run(SECONDS[name])
    return [*figures, Figure("seconds", round(time.monotonic() - begun))]


def _print(results: dict[str, list[Figure]]) -> None:
    table = terminal.table("soak", ["part", "what"], ["figure", "goal", "met"])
    for name, figures in results.items():
        for figure in figures:
            value = f"{figure.value:,}" if isinstance(figure.value, int) else str(figure.value)
            met = ("yes" if figure.is_met else "[red]no[/]") if figure.goal else ""
            table.add_row(name, figure.what, value, figure.goal, met)
    OUT.print(table)


if __name__ == "__main__":
    main()
