"""Boards for tests: the firmware around a pretended engine, and a line that damages bytes."""

import random
import string
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.flash.process import spawn, start_time, stop_process
from edgesq.link.transport import Transport, open_port
from edgesq.resources import resource
from edgesq.targets import load_target
from support.paths import SUPPORT

MOST_OF_THE_STACK = 0.6
"""What an image may take; the rest is for interrupts and for what a user adds."""

STUB = SUPPORT / "firmware_stub"
STUB_SHAPE = (20, 25, 3)
STUB_BYTES = 1500
WIDE = ("ESQ_FRAME_PAYLOAD_MAX", "ESQ_RX_BYTES")
STRICT = (
    *("-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"),
    *("-ffunction-sections", "-fdata-sections"),
)
SANITIZERS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def stub_values(image: bytes) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return what the pretended engine computes (firmware_stub/engine.c)."""
    value = 1
    for byte in image:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    output = [(value >> place) & 0xFF for place in range(10)]
    logits = []
    for _ in range(1000):
        value = (value * 1664525 + 1013904223) & 0xFFFFFFFF
        logits.append(value >> 24)
    return np.array(output, np.uint8).view(np.int8), np.array(logits, np.uint8).view(np.int8)


def compile_c(sources: Sequence[Path], out: Path, *flags: str, compiler: str = "gcc") -> Path:
    """Compile without a single warning."""
    firmware = resource("firmware")
    includes = [f"-I{folder}" for folder in (firmware / "include", firmware / "app", STUB)]
    command = [compiler, *STRICT, *flags, *includes, *map(str, sources), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return out


AS_A_PROCESS = tuple(f"-D{k}={v}" for k, v in load_target("host").defines.items() if k in WIDE)
"""Flags for `compile_stub` that give target `host` the long frames that it has for users."""


def compile_stub(target_name: str, out: Path, *flags: str) -> Path:
    """Compile the firmware of a target around the pretended engine.

    Target `host` stands for a board here: frames and ring are as long as on a UART.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    target, firmware = load_target(target_name), resource("firmware")
    sources = [*sorted((firmware / "app").glob("*.c")), STUB / "engine.c"]
    defines = {k: v for k, v in target.defines.items() if k not in WIDE}
    options = [*target.compiler_flags, *(f"-D{k}={v}" for k, v in defines.items()), *flags]
    for folder in target.port_folders:
        sources += sorted((firmware / "ports" / folder).glob("*.[cS]"))
        options.append(f"-I{firmware / 'ports' / folder}")
    if target.memory:
        numbers: dict[str, int] = {"stack_bytes": target.stack_bytes}
        for region in target.memory:
            numbers[f"{region.name}_origin"] = region.origin
            numbers[f"{region.name}_bytes"] = region.bytes
        template = string.Template((firmware / "template" / "link.ld.in").read_text())
        script = out.with_suffix(".ld")
        script.write_text(template.substitute(numbers))
        options += ["-nostartfiles", f"-T{script}", "-Wl,--gc-sections,--fatal-warnings"]
    return compile_c(sources, out, *options, compiler=target.compiler)


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[tuple[int, str]]:
    """Run a board; yield its pid and port."""
    pid, port = spawn(command, log)
    started = start_time(pid)
    try:
        yield pid, port
    finally:
        if started is not None:
            stop_process(pid, started)


class BadLine(Transport):
    """Damages bytes on their way, as a seeded mix of faults.

    Args:
        port: device path.
        seed: of the faults.
        rate: faults per byte, each way.
        kinds: "flip", "drop", "double", "insert", "cut" (drops the rest of a read or write).
    """

    def __init__(self, port: str, seed: int, rate: float, kinds: Sequence[str]) -> None:
        super().__init__(port, open_port(port)._serial, 5.0)
        self._random = random.Random(seed)
        self._rate = rate
        self._kinds = kinds
        self._cut = False
        self.faults = 0

    def __enter__(self) -> "BadLine":
        return self

    def read(self, timeout: float) -> bytes:
        return self._damage(super().read(timeout))

    def write(self, data: bytes) -> None:
        super().write(self._damage(data))

    def _damage(self, data: bytes) -> bytes:
        damaged = bytearray()
        self._cut = False
        for byte in data:
            if self._cut:
                continue
            if self._random.random() < self._rate:
                self.faults += 1
                damaged += self._fault(byte)
            else:
                damaged.append(byte)
        return bytes(damaged)

    def _fault(self, byte: int) -> bytes:
        kind = self._random.choice(self._kinds)
        self._cut = kind == "cut"
        return {
            "flip": bytes([byte ^ (1 << self._random.randrange(8))]),
            "double": bytes([byte, byte]),
            "insert": bytes([self._random.randrange(256), byte]),
        }.get(kind, b"")
