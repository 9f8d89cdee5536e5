"""How many image bytes boards of this computer take per second, and what verify costs at 224x224.

Seconds are those of this machine as loaded as it is: the load is printed beside them, and processor
time, which depends on it less.
"""

import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.tables import OUT
from edgesq.builds import ensure_compiled
from edgesq.cli import terminal
from edgesq.flash import flash, qemu, stop
from edgesq.link.client import Client
from edgesq.link.transport import open_port
from edgesq.project import firmware_path
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, verify
from support.boards import AS_A_PROCESS, compile_stub, running
from support.builds import light_build
from support.paths import SHARED

_ROW_BYTES = 75
_BYTES = {"host": 15_000_000, "microbit": 60_000}
_MODEL = SHARED / "models" / "squeezenet_v1.1_1000c_224.tflite"
_RUNS = (("host", 0, 20), ("host", None, 20), ("mps2-an500", None, 10))
"""Target, processes that compute what to expect (None: as many as verify takes), and images."""


@dataclass(frozen=True)
class _Board:
    """A board that runs the link around an engine of a few instructions per byte."""

    name: str
    pid: int
    port: str

    def cpu_s(self) -> float:
        """Return the processor time that its process took."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def print_pace(boards: Sequence[str]) -> dict[str, Any]:
    """Print and return the rates of the link alone, and what verify takes for each image."""
    rows = [_link(name) for name in (*boards, "stm32f405", "microbit", "host")]
    table = terminal.table(
        "image bytes (noise, which no code makes shorter) over the link alone",
        ["board"],
        ["KB/s", "ns of its processor per byte", "ns of verify's per byte", "load"],
    )
    for row in rows:
        ours, theirs = row["board_ns"], row["host_ns"]
        table.add_row(
            row["board"],
            f"{row['bytes_per_s'] / 1000:,.1f}",
            f"{ours:,.0f}",
            f"{theirs:,.0f}",
            f"{row['load']:.1f}",
        )
    OUT.print(table)
    runs = [_verify(*run) for run in _RUNS] if SHARED.is_dir() else []
    for run in runs:
        OUT.print(
            f"verify at 224x224 on {run['board']}, {run['processes']} processes: "
            f"{run['seconds']:.2f} s an image, {run['own_cpu_s'] * 1000:.0f} ms of processor in "
            f"the process that talks to the board, load {run['load']:.1f}"
        )
    return {"link": rows, "verify": runs}


def _link(name: str) -> dict[str, Any]:
    target, n_bytes = load_target(name), _BYTES.get(name, 300_000)
    height = min(2000, n_bytes // _ROW_BYTES // 2)
    with tempfile.TemporaryDirectory(prefix="edgesq-bench-") as scratch:
        folder = Path(scratch)
        flags = AS_A_PROCESS if target.is_host else ()
        image = firmware_path(folder / "firmware", target)
        compile_stub(name, image, f"-DESQ_MODEL_INPUT_HEIGHT={height}", *flags)
        command = [str(image)] if target.is_host else qemu.command(folder, target)
        chance = random.Random(1)
        pixels = chance.randbytes(height * _ROW_BYTES)
        count = n_bytes // len(pixels)
        with running(command, folder / "log") as (pid, port), open_port(port) as transport:
            board, client = _Board(name, pid, port), Client(transport)
            client.hello()
            before, own, begun = board.cpu_s(), time.process_time(), time.monotonic()
            ahead = target.is_host
            assert sum(one.retries for one in client.stream([pixels] * count, ahead=ahead)) == 0
            seconds, own_s = time.monotonic() - begun, time.process_time() - own
            spent = board.cpu_s() - before
    sent = count * len(pixels)
    return {
        "board": name,
        "bytes_per_s": sent / seconds,
        "board_ns": spent / sent * 1e9,
        "host_ns": own_s / sent * 1e9,
        "load": os.getloadavg()[0],
    }


def _verify(name: str, processes: int | None, count: int) -> dict[str, Any]:
    target = load_target(name)
    with np.load(_MODEL.with_suffix(".npz")) as archive:
        images = np.resize(archive["input"], (count, *archive["input"].shape[1:]))
    with tempfile.TemporaryDirectory(prefix="edgesq-bench-") as scratch:
        build = light_build(Path(scratch) / "build", name, _MODEL.read_bytes(), images)
        ensure_compiled(build, target, lambda _: None)
        flash(build, target)
        try:
            own, begun = time.process_time(), time.monotonic()
            report = verify(VerifyOptions(build, count=count, processes=processes))
            seconds, own_s = time.monotonic() - begun, time.process_time() - own
        finally:
            stop(build)
    assert report.equal
    return {
        "board": name,
        "processes": "as many as pay" if processes is None else processes,
        "seconds": seconds / count,
        "own_cpu_s": own_s / count,
        "image_bytes_per_s": report.link.pace.image_bytes_per_s,
        "why": report.link.pace.why,
        "load": os.getloadavg()[0],
    }
