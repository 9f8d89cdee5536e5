"""The page of results: the tables of bench.json as Markdown, beside what was measured earlier."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from bench import (
    accuracy,
    compressed,
    cycles,
    decoder,
    estimates,
    fronts,
    imagenet,
    scalar,
    speed,
    streamed,
    tables,
    values,
    zoo,
)
from support.crun import run_command
from support.paths import ROOT

PAGE = ROOT / "docs" / "results" / "bench.md"
MEASURED = ("edgesq", "firmware", "targets")
"""Folders that decide about the figures; a commit of documents alone is no other state."""

_HEADING = re.compile(r"^## (.+)\n", re.M)
_ZOO = (
    "Each is planned as `edgesq export` does without options, for the emulated Cortex-M7 and M55. "
    "Accuracy is given where the weights are trained and the images at hand: the demo's on its 599 "
    "held-out digits; for ImageNet see below. Milliseconds are not given: nothing was measured on "
    "silicon."
)
_SCALAR = (
    "TFLM is TensorFlow Lite Micro with CMSIS-NN on the same core; an empty cell means that it was "
    "not measured; v1.0 at 32 does not fit there. The demo on M0+ is that core's code, run by an "
    "emulated M7. Flash per weight is what packing makes of each byte."
)
_FRONTS = (
    "Where there is a limit, of the arena, the plan is the fastest that the planner finds within "
    "it. `More` is counted from bands of one row, in which nothing is computed twice. The arena "
    "holds the newest rows of the image; whole RAM is the linker's, with stack and link. "
    "msf-CNN's figures hold neither image nor firmware, and count multiplications."
)
OPERATORS_OF = "squeezenet_v1.1_1000c_224"


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        title: its heading, by which a later run finds and replaces it.
        command: what measures it.
        parts: tables and paragraphs in their order.
    """

    title: str
    command: str
    parts: Sequence[Table | str]


def write_page(results: dict[str, Any], path: Path = PAGE) -> None:
    """Put what was measured into the page; sections that were not measured stay as they are.

    Args:
        results: as in bench.json, `measured` included.
        path: the page, which must exist.
    """
    page = path.read_text()
    for section in sections(results):
        page = replaced(page, section, results["measured"])
    path.write_text(page)


def state() -> str:
    """Return the last commit of what is measured, with "-dirty" where that was changed since."""
    last = run_command("git", "-C", ROOT, "log", "-1", "--format=%h", "--", *MEASURED)
    changed = run_command("git", "-C", ROOT, "status", "--porcelain", "--", *MEASURED)
    return last.decode().strip() + ("-dirty" if changed else "")


def replaced(page: str, section: Section, measured: str) -> str:
    """Return a page with a section in the place of the one of its title, or at the end.

    Args:
        page: Markdown with one `##` heading for each section.
        section: the new text.
        measured: the commit it was measured on.
    """
    parts = [part if isinstance(part, str) else markdown(part) for part in section.parts]
    origin = f"Measured at commit {measured} by `{section.command}`."
    body = "\n\n".join((f"## {section.title}", origin, *parts)) + "\n"
    head, *rest = _HEADING.split(page)
    texts = dict(zip(rest[::2], rest[1::2], strict=True))
    old = {title: f"## {title}\n{text.rstrip()}\n" for title, text in texts.items()}
    return "\n".join([head.rstrip() + "\n", *(old | {section.title: body}).values()])


def markdown(table: Table) -> str:
    """Return a table of the terminal as Markdown, without its colours.

    Columns to the right stay there; the title becomes a line above.
    """
    columns = [[_plain(column.header), *map(_plain, column.cells)] for column in table.columns]
    header, *rows = zip(*columns, strict=True)
    marks = ["---:" if column.justify == "right" else "---" for column in table.columns]
    lines = [f"| {' | '.join(cells)} |" for cells in (header, marks, *rows)]
    title = [f"{_plain(table.title)}:", ""] if table.title else []
    return "\n".join([*title, *lines])


def _plain(cell: object) -> str:
    text = cell.plain if isinstance(cell, Text) else Text.from_markup(str(cell)).plain
    return text.replace("|", "\\|").replace("\n", " ").strip()


def sections(results: dict[str, Any]) -> list[Section]:
    """Return the sections of what was measured, and of nothing else."""
    found = [*_boards(results), *_networks(results), *_compressed(results)]
    if "zoo" in results:
        table = zoo.zoo_table(results["zoo"])
        found.append(Section("All networks", _bench("--zoo"), [table, _ZOO]))
    if "decoder" in results:
        rows = [decoder.decoder_table(results["decoder"])]
        found.append(Section("Codes of compressed weights", _bench("--decoder"), rows))
    if "values" in results:
        title = "Each operator"
        parts = [values.values_table(results["values"]), values.networks_table(results["classes"])]
        found.append(Section(title, _bench("--values"), parts))
    if "scalar" in results:
        table = scalar.scalar_table(results["scalar"])
        found.append(Section("Cores without an extension", _bench("--scalar"), [table, _SCALAR]))
    if "speed" in results:
        found.append(Section("For speed", _bench("--speed"), [speed.speed_table(results["speed"])]))
    if "estimates" in results:
        parts = [estimates.estimates_table(results["estimates"])]
        found.append(Section("Estimated instructions", _bench("--estimates"), parts))
    if "fronts" in results:
        front = fronts.fronts_table(results["fronts"])
        title = "RAM against instructions"
        found.append(Section(title, _bench("--fronts"), [front, _FRONTS, fronts.msf_table()]))
    if "cycles" in results:
        parts = [cycles.cycles_table(results["cycles"])]
        found.append(Section("Cycles per instruction, on paper", _bench("--cycles"), parts))
    return found


def _bench(option: str) -> str:
    return f"make bench BENCH={option}"


def _boards(results: dict[str, Any]) -> list[Section]:
    """Return a section for each board, so that a run of some boards leaves the others."""
    found: list[Section] = []
    boards = results.get("boards", [])
    for name in dict.fromkeys(row["target"] for row in boards):
        rows = [row for row in boards if row["target"] == name]
        parts: list[Table | str] = [tables.board_table(rows)]
        if name in results["code"]:
            code = sum(sum(one.values()) for one in results["code"][name].values())
            parts.append(f"Code of all these networks, the C library included: {code:,} B.")
        found.append(Section(f"Networks on {name}", "make bench", parts))
    rows = [row for row in boards if row["network"] == OPERATORS_OF]
    if rows:
        parts = [tables.operator_table(rows)]
        found.append(Section("Where the instructions go", "make bench", parts))
    return found


def _networks(results: dict[str, Any]) -> list[Section]:
    found = []
    if results.get("bands"):
        table = tables.bands_table(results["bands"])
        found.append(Section("Bands of one row against whole maps", "make bench", [table]))
    if results.get("imagenet"):
        line = imagenet.imagenet_line(results["imagenet"])
        found.append(Section("ImageNet weights in int8", "make bench", [line]))
    for name in dict.fromkeys(row["network"] for row in results.get("accuracy", [])):
        rows = [row for row in results["accuracy"] if row["network"] == name]
        table = accuracy.accuracy_table(rows)
        found.append(Section(f"Repair of SqueezeNet {name}", _bench("--accuracy"), [table]))
    if results.get("audit"):
        table = accuracy.audit_table(results["audit"])
        found.append(Section("Audit of calibration sets", _bench("--accuracy"), [table]))
    return found


def _compressed(results: dict[str, Any]) -> list[Section]:
    found: list[Section] = []
    if results.get("compressed"):
        rows = results["compressed"]
        parts = [compressed.loss_table(rows), *map(compressed.curve_table, rows)]
        found.append(Section("Compressed SqueezeNets", _bench("--compressed"), parts))
    if results.get("streamed"):
        got = results["streamed"]
        table, line = streamed.boards_table(got["boards"]), streamed.small_board_line(got)
        title = "Compressed SqueezeNets on boards"
        found.append(Section(title, _bench("--compressed"), [table, line]))
    return found
