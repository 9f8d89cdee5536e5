"""A long run of verify on the host board: its memory, and Ctrl-C in the middle of it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from edgesq.flash import flash, stop
from edgesq.project import compile_firmware
from edgesq.targets import load_target
from soak.figure import Figure
from support.builds import light_build
from support.networks import Network

SHAPE = (32, 32, 3)
FEW, MANY = 200, 2_000
MAX_GROWTH = 2 << 20
"""Bytes; the images that the longer run has more are 5.5 MB."""

TIMES = (
    *("device.us", "device.us_p95", "run.seconds", "link.bytes_per_s", "link.line_share"),
    *("link.port", "link.retries", "boards"),
)
"""What two runs on this computer need not share."""


def run(seconds: float) -> list[Figure]:
    """Run 200 and 2,000 images, and 2,000 that are interrupted and resumed."""
    host = load_target("host")
    with tempfile.TemporaryDirectory(prefix="edgesq-longrun-") as scratch:
        build = Path(scratch) / "build"
        images = np.random.default_rng(0).integers(-128, 128, (MANY, *SHAPE), np.int8)
        light_build(build, "host", _network(), images)
        compile_firmware(build / "firmware", host)
        flash(build, host)
        try:
            return _measure(build, Path(scratch), seconds)
        finally:
            stop(build)


def _network() -> bytes:
    net = Network(SHAPE, (1 / 255, -128))
    return net.build(net.softmax(net.mean(net.conv(net.input, 5, (3, 3), (2, 2)))))


def _measure(build: Path, scratch: Path, seconds: float) -> list[Figure]:
    runs = [_verify(build, count, scratch / f"{count}.json") for count in (FEW, MANY)]
    peaks, walls = zip(*runs, strict=True)
    whole = json.loads((scratch / f"{MANY}.json").read_text())
    middle = walls[1] - whole["run"]["seconds"] / 2
    parts, resumed = _interrupted(build, scratch / "resumed.json", middle, seconds)
    one, other = _flat(whole), _flat(resumed)
    differing = [key for key in one if key not in TIMES and one[key] != other[key]]
    growth = peaks[1] - peaks[0]
    return [
        Figure(f"peak memory, {FEW} images, bytes", peaks[0]),
        Figure(f"peak memory, {MANY:,} images, bytes", peaks[1]),
        Figure("growth, bytes", growth, f"at most {MAX_GROWTH:,}", growth <= MAX_GROWTH),
        Figure("images equal", whole["result"]["exact_images"], f"{MANY:,}", _is_whole(whole)),
        Figure("seconds of streaming", round(whole["run"]["seconds"], 1)),
        Figure("images after each Ctrl-C", ", ".join(map(str, parts)), "some", len(parts) > 0),
        Figure("images in the end", resumed["run"]["images"], f"{MANY:,}", _is_whole(resumed)),
        Figure("figures unlike the whole run's", ", ".join(differing), "none", not differing),
    ]


def _flat(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report's values by their places, as in "run.seconds"."""
    groups = {key: value for key, value in report.items() if isinstance(value, dict)}
    inner = {f"{key}.{name}": one for key, group in groups.items() for name, one in group.items()}
    return {key: value for key, value in report.items() if key not in groups} | inner


def _is_whole(report: dict[str, Any]) -> bool:
    return bool(report["run"]["complete"]) and report["result"]["exact_images"] == MANY


def _start(build: Path, count: int, path: Path, *more: str) -> subprocess.Popen[bytes]:
    command = ["-m", "edgesq", "verify", "--build", str(build), "--count", str(count)]
    return subprocess.Popen(
        [sys.executable, *command, "--json", str(path), *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def _verify(build: Path, count: int, path: Path) -> tuple[int, float]:
    """Run the command; return its peak memory in bytes, and the seconds it took."""
    started = time.monotonic()
    process = _start(build, count, path)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"verify ended with {process.returncode}")
    return int(usage.ru_maxrss) * 1024, time.monotonic() - started


def _interrupted(
    build: Path, path: Path, after: float, seconds: float
) -> tuple[list[int], dict[str, Any]]:
    """Interrupt runs `after` seconds until one comes to the end; return images done by then."""
    parts: list[int] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        process = _start(build, MANY, path, "--resume")
        try:
            process.wait(after if len(parts) < 3 else deadline - time.monotonic())
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        if process.wait() == 0:
            return parts, json.loads(path.read_text())
        if path.exists():
            parts.append(int(json.loads(path.read_text())["run"]["images"]))
    raise RuntimeError(f"not done after {seconds:.0f} s: {parts}")
