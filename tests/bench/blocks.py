"""How often each block of a firmware's code runs on an emulated board, and its instructions."""

import bisect
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgesq.builds import TFLITE, VERIFY_IMAGES
from edgesq.codegen import generate
from edgesq.flash import flash, stop
from edgesq.formats.tflite import read_graph
from edgesq.graph import Int8Array
from edgesq.plan import plan_for
from edgesq.project import compile_firmware, firmware_path, lay_out
from edgesq.targets import Target
from edgesq.verify import VerifyOptions, verify
from support.crun import run_command

OBJDUMP = "llvm-objdump-19"
"""Binutils' own does not know MVE in an image with other cores' attributes."""

_PLUGIN = Path(__file__).with_name("blocks_plugin.c")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*)$", re.M)
_PLACED = re.compile(r"^ \.text\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.M)
_LINKED = "Linker script and memory map"
_RUNTIME = re.compile(r"\.dir/src/|/lib(?:gcc|c)\w*\.a")
"""Objects of the network's runtime and the libraries it calls; the rest is link and port."""


@dataclass(frozen=True)
class Block:
    """Instructions that run one after the other.

    Attributes:
        runs: how often, in all.
        text: the instructions, as llvm-objdump prints them.
        falls_through: how often what follows it in memory was run.
    """

    runs: int
    text: tuple[str, ...]
    falls_through: int


def blocks_of(content: bytes, images: Int8Array, target: Target) -> list[Block]:
    """Run one network on an emulated board and return the blocks of the runtime that ran.

    Args:
        content: a .tflite.
        images: int8 [1, H, W, C].
        target: the board, one with QEMU.
    """
    graph = read_graph(content)
    with tempfile.TemporaryDirectory(prefix="edgesq-bench-") as scratch:
        build = Path(scratch)
        counts = build / "blocks"
        board = replace(target, qemu_args=(*target.qemu_args, *_plugin(build, counts)))
        plan = plan_for(graph, target).plan
        lay_out(build / "firmware", target, generate(graph, plan, target.kernels))
        compile_firmware(build / "firmware", target)
        (build / TFLITE).write_bytes(content)
        np.savez(build / VERIFY_IMAGES, input=images)
        flash(build, board, runner="qemu")
        try:
            verify(VerifyOptions(build))
        finally:
            stop(build)
        return list(_blocks(build / "firmware", counts, target))


def _plugin(build: Path, counts: Path) -> tuple[str, ...]:
    """Compile the plugin; return QEMU's options for it."""
    library = build / "blocks.so"
    run_command("gcc", "-O2", "-shared", "-fPIC", "-o", library, _PLUGIN)
    return "-plugin", f"{library},out={counts}"


def _blocks(firmware: Path, counts: Path, target: Target) -> Iterator[Block]:
    code = _instructions(firmware_path(firmware, target), target.cpu)
    addresses = sorted(code)
    runtime = _Runtime(firmware / "build" / "edgesq.map")
    rows = [line.split() for line in counts.read_text().splitlines()]
    found = [(int(address, 16), int(size), int(runs)) for address, size, runs in rows]
    entered: Counter[int] = Counter()
    for address, _, runs in found:
        entered[address] += runs
    for address, size, runs in found:
        if address in runtime:
            first = bisect.bisect_left(addresses, address)
            inside = addresses[first : first + size + 1]
            text = tuple(code[one] for one in inside[:size])
            yield Block(runs, text, entered[inside[-1]] if len(inside) > size else 0)


def _instructions(image: Path, cpu: str) -> dict[int, str]:
    """Return the disassembled instructions by address."""
    options = ("-d", "--no-show-raw-insn", "--no-print-imm-hex", f"--mcpu={cpu}")
    listing = subprocess.run(
        [OBJDUMP, *options, image], capture_output=True, text=True, check=True
    ).stdout
    plain = listing.replace("\t", " ")
    return {int(at, 16): text.strip() for at, text in _INSTRUCTION.findall(plain)}


class _Runtime:
    """The addresses of the runtime's code, from the linker's map."""

    def __init__(self, path: Path) -> None:
        _, _, linked = path.read_text().partition(_LINKED)
        self.spans = sorted(
            (int(start, 16), int(size, 16))
            for start, size, file in _PLACED.findall(linked)
            if _RUNTIME.search(file)
        )

    def __contains__(self, address: int) -> bool:
        place = bisect.bisect(self.spans, (address, 1 << 32)) - 1
        return place >= 0 and address < sum(self.spans[place])
