"""Cycles per instruction of a core, on paper: from the tables of its manual, or LLVM's model.

Nothing here ran on silicon. How often each block runs is counted in QEMU; what it takes is added up
from the cycles that the core's technical reference manual gives for each instruction. Cortex-M7 and
M55 issue two at a time, of which their manuals give no table: LLVM's model of them stands for that.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from bench import models, tables
from bench.blocks import OBJDUMP, Block, blocks_of
from edgesq.cli import terminal
from edgesq.errors import EdgesqError
from edgesq.formats.tflite import read_graph
from edgesq.project import board_time
from edgesq.targets import load_target
from support.paths import SHARED

MCA = "llvm-mca-19"
BOARDS = ("microbit", "netduino2", "stm32f405", "mps2-an500", "mps3-an547")

_COVERED = 0.995
"""Part of all instructions whose blocks LLVM's model is asked for."""

_ROUNDS = 50


@dataclass(frozen=True)
class Manual:
    """Cycles of instructions that take more than one, by a core's technical reference manual.

    Attributes:
        load, store: of one register.
        follows: of a load right behind a load or store, where they overlap.
        each: added for every register of LDM, STM, PUSH and POP.
        taken: of a branch.
        call: of BL.
        leave: added where a load writes the program counter.
        accumulate, long, long_accumulate: of MLA, SMULL and SMLAL.
    """

    load: int
    store: int
    follows: int
    taken: int
    call: int
    leave: int
    accumulate: int = 1
    long: int = 1
    long_accumulate: int = 1
    each: int = 1


MANUALS = {
    "cortex-m0": Manual(load=2, store=2, follows=2, taken=3, call=4, leave=3),
    "cortex-m0plus": Manual(load=2, store=2, follows=2, taken=2, call=3, leave=2),
    "cortex-m3": Manual(2, 1, 1, 3, 3, 3, accumulate=2, long=4, long_accumulate=5),
    "cortex-m4": Manual(2, 1, 1, 3, 3, 3),
    "cortex-m33": Manual(2, 1, 1, 3, 3, 3),
}
"""Source: the tables of instruction timings in the manuals of Cortex-M0 (DDI 0432), M0+ (DDI 0484),
M3 (DDI 0337) and M4 (DDI 0439), with multipliers of one cycle, no wait states, a refill of two
cycles where the manual says one to three, and SMULL and SMLAL in the middle of 3 to 5 and 4 to 7.
The M33's manual has no table: it is taken for an M4."""

_TRIPLES = {"cortex-m7": "thumbv7em-none-eabi", "cortex-m55": "thumbv8.1m.main-none-eabi"}

_CONDITIONAL = re.compile(r"(?:b(?:eq|ne|[hlcm][sio]|[cm]c|[pv][lcs]|[gl][et]|cc|vs)|cbn?z)\b")
_DIVISION = 8


def cycles_per_instruction(blocks: Sequence[Block], cpu: str) -> float:
    """Return what an instruction takes on average, each block as often as it runs."""
    if cpu in MANUALS:
        total = sum(one.runs * len(one.text) for one in blocks)
        return sum(_by_manual(one, MANUALS[cpu]) for one in blocks) / total
    return _by_model(blocks, cpu)


def _by_manual(block: Block, manual: Manual) -> float:
    before = ""
    cycles = 0
    for text in block.text:
        cycles += _instruction(text, before, manual)
        before = text
    taken = 0
    if _CONDITIONAL.match(block.text[-1]):
        taken = max(0, block.runs - block.falls_through)
    return block.runs * cycles + taken * (manual.taken - 1)


def _instruction(text: str, before: str, manual: Manual) -> int:
    """Return the cycles of an instruction; of a conditional branch as if it were not taken."""
    name = text.split()[0].partition(".")[0]
    if _CONDITIONAL.match(text):
        return 1
    for matches, cycles in _KINDS:
        if matches(name):
            return cycles(text, before, manual)
    return 1


def _registers(text: str) -> int:
    """Return how many registers a list in braces has."""
    count = 0
    for part in text[text.index("{") + 1 : text.index("}")].split(","):
        first, _, last = part.strip().partition("-")
        count += int(last[1:]) - int(first[1:]) + 1 if last else 1
    return count


def _several(text: str, _: str, manual: Manual) -> int:
    leaves = manual.leave if "pc}" in text and not text.startswith(("stm", "push")) else 0
    return 1 + manual.each * _registers(text) + leaves


def _load(text: str, before: str, manual: Manual) -> int:
    overlaps = before.startswith(("ldr", "str")) and not before.startswith(("ldrd", "strd"))
    leaves = manual.leave if text.split()[1] == "pc," else 0
    return (manual.follows if overlaps else manual.load) + leaves


_KINDS: tuple[tuple[Callable[[str], bool], Callable[[str, str, Manual], int]], ...] = (
    (
        lambda name: name[:3] in ("ldm", "stm", "pop", "pus") or name[:4] in ("vpop", "vpus"),
        _several,
    ),
    (lambda name: name in ("ldrd", "strd"), lambda *_: 3),
    (lambda name: name.startswith("ldr"), _load),
    (lambda name: name.startswith("str"), lambda _, __, manual: manual.store),
    (lambda name: name in ("mla", "mls"), lambda _, __, manual: manual.accumulate),
    (lambda name: name in ("smull", "umull"), lambda _, __, manual: manual.long),
    (lambda name: name in ("smlal", "umlal"), lambda _, __, manual: manual.long_accumulate),
    (lambda name: name in ("sdiv", "udiv"), lambda *_: _DIVISION),
    (lambda name: name == "bl", lambda _, __, manual: manual.call),
    (lambda name: name in ("b", "bx", "blx", "tbb", "tbh"), lambda _, __, manual: manual.taken),
)


def _by_model(blocks: Sequence[Block], cpu: str) -> float:
    """Return what LLVM's model of a core says of the blocks that run most, each as a loop."""
    total = sum(one.runs * len(one.text) for one in blocks)
    hot: list[Block] = []
    count = 0
    for block in sorted(blocks, key=lambda one: -one.runs * len(one.text)):
        if count < _COVERED * total:
            hot.append(block)
            count += block.runs * len(block.text)
    rates = _modelled([one.text for one in hot], cpu)
    known = [(block, cycles) for block, cycles in zip(hot, rates, strict=True) if cycles]
    covered = sum(block.runs * len(block.text) for block, _ in known)
    return sum(block.runs * cycles for block, cycles in known) / covered


def _modelled(texts: Sequence[Sequence[str]], cpu: str) -> list[float | None]:
    """Return the cycles of blocks; None where the model does not take one by itself."""
    source = "\n".join(
        f"# LLVM-MCA-BEGIN {number}\n" + "\n".join(map(_assembler, text)) + "\n# LLVM-MCA-END"
        for number, text in enumerate(texts)
    )
    options = (f"-iterations={_ROUNDS}", "--json", "-skip-unsupported-instructions=lack-sched")
    ended = subprocess.run(
        [MCA, f"-mtriple={_TRIPLES[cpu]}", f"-mcpu={cpu}", *options],
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode and len(texts) > 1:  # one that cannot stand alone: each by itself
        return [cycles for text in texts for cycles in _modelled([text], cpu)]
    if ended.returncode:
        return [None]
    regions = json.loads(ended.stdout)["CodeRegions"]
    return [one["SummaryView"]["TotalCycles"] / _ROUNDS for one in regions]


def _assembler(text: str) -> str:
    """Return a disassembled instruction as an assembler takes it: no width, a label as target."""
    name, _, rest = text.partition(" ")
    target = re.sub(r"(?:0x[0-9a-f]+)? *<.*$", ".Lt", rest)
    return f"{re.sub(r'[.][nw]$', '', name)} {target}"


def networks() -> dict[str, bytes]:
    """Return the networks that are measured: those that fit the smallest board, and larger ones."""
    found = {models.DEMO: models.demo().tflite}
    if SHARED.is_dir():
        for path in sorted((SHARED / "models" / "public").glob("mlperf*.tflite")):
            found[path.stem] = path.read_bytes()
    return found


def cycles() -> dict[str, Any]:
    """Measure and print cycles per instruction of every core; nothing where tools are missing."""
    missing = [tool for tool in (MCA, OBJDUMP) if shutil.which(tool) is None]
    if missing:
        terminal.err.print(f"not measured: {' and '.join(missing)} not installed (apt: llvm-19)")
        return {}
    rows = []
    for name, content in networks().items():
        graph = read_graph(content)
        noise = np.random.default_rng(7).integers(-128, 128, (1, *graph.tensors[graph.input].hwc))
        for board in BOARDS:
            target = load_target(board)
            terminal.err.print(f"{name} on {board}")
            try:
                blocks = blocks_of(content, noise.astype(np.int8), target)
            except EdgesqError as error:
                terminal.err.print(f"not measured: {error}")
                continue
            rate = cycles_per_instruction(blocks, target.cpu)
            rows.append({"network": name, "board": board, "cycles_per_instruction": rate})
    tables.OUT.print(cycles_table(rows))
    return {"cycles": rows}


def cycles_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return cycles per instruction, a row for each network and board, beside the estimate's."""
    title = "cycles per instruction, on paper"
    table = terminal.table(title, ["network", "board", "core", "kernels"], ["cycles", "estimate"])
    for row in rows:
        target = load_target(row["board"])
        time = board_time(1_000_000, target)
        said = "" if time is None else f"{time.cycles / 1e6:.2f}"
        rate = f"{row['cycles_per_instruction']:.3f}"
        table.add_row(row["network"], target.name, target.cpu, target.kernels, rate, said)
    return table
