"""The board's parser against 10 million inputs of libFuzzer, guided by coverage."""

import os
import re
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from edgesq.integers import ceil_div
from soak.figure import Figure
from support import fuzzing

EXECUTIONS = 10_000_000
COMPILE_S = 30
"""What is left of a part's time for compilers and for the inputs that are replayed."""


def run(seconds: float) -> list[Figure]:
    """Fuzz for at most `seconds`, on every core but at most 4."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="edgesq-fuzz-") as scratch:
        folder = Path(scratch)
        program = fuzzing.build_fuzzer(folder)
        left = seconds - COMPILE_S - (time.monotonic() - begun)
        return [
            *fuzz(program, [*fuzzing.corpus(), *fuzzing.seeds()], left, EXECUTIONS),
            Figure("inputs kept in tests/fuzz/corpus.txt", len(fuzzing.corpus())),
            *_reached(folder / "coverage"),
        ]


def fuzz(program: Path, seeds: list[bytes], seconds: float, executions: int) -> list[Figure]:
    """Run a fuzzer from some inputs on, beside it; say how far it came and what it found."""
    folder, workers = program.parent, min(4, os.cpu_count() or 1)
    inputs = folder / "inputs"
    fuzzing.unpack(inputs, seeds)
    before = _processor_seconds()
    logs = _fuzz(program, inputs, workers, seconds, executions)
    spent = _processor_seconds() - before
    found = [
        path.read_bytes()
        for kind in ("crash", "timeout", "leak", "oom")
        for path in sorted(folder.glob(f"{kind}-*"))
    ]
    done = sum(map(_executions, logs))
    return [
        Figure("executions", done, f"at least {executions:,}", done >= executions),
        Figure("executions per second of processor time", round(done / spent)),
        Figure("crashes, broken rules, hangs", len(found), "0", not found),
        *(Figure("input that does it", one.hex(), "", False) for one in found),
    ]


def _fuzz(program: Path, inputs: Path, workers: int, seconds: float, executions: int) -> list[str]:
    """Run the fuzzer on a shared folder of inputs; return what each worker said at its end."""
    options = [
        "-max_len=256",
        "-print_final_stats=1",
        "-reload=1",
        f"-runs={ceil_div(executions, workers)}",
    ]
    command = [str(program), *options, f"-max_total_time={max(1, int(seconds))}", str(inputs)]
    running = []
    for number in range(workers):
        log = (program.parent / f"log{number}").open("wb")
        running.append(
            subprocess.Popen(
                [*command, f"-seed={number + 1}"], cwd=program.parent, stdout=log, stderr=log
            )
        )
    try:
        for process in running:
            process.wait(seconds + COMPILE_S)
    finally:
        for process in running:
            process.kill()
            process.wait()
    return [(program.parent / f"log{k}").read_text(errors="replace") for k in range(workers)]


def _executions(log: str) -> int:
    found = re.search(r"stat::number_of_executed_units: *(\d+)", log)
    return int(found[1]) if found else 0


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reached(folder: Path) -> list[Figure]:
    """Say how much of the firmware's link the inputs that are kept reach."""
    folder.mkdir()
    return [
        Figure(f"lines of {name} reached by the inputs kept, of {total}", reached)
        for name, (reached, total) in fuzzing.lines_reached(folder).items()
    ]
