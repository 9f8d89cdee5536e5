"""The link for as long as it takes: how full the line is, and 1,000 images over the worst one."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgesq.link.client import Client
from edgesq.link.transport import open_port
from edgesq.project import compile_firmware, firmware_path
from edgesq.targets import load_target
from edgesq.verify import VerifyOptions, verify
from soak.figure import Figure
from support.boards import STUB_BYTES, compile_stub, stub_values
from support.builds import done, light_build
from support.networks import Network
from support.photographs import PHOTOGRAPHS, photographs
from support.wire_tool import Faults, Wire

LINE_SHARE = 0.95
LINES = ((115_200, 8), (921_600, 48))
"""Rates, and how many images of 96x96 take about 20 s at each where no byte can be saved."""

PHOTOGRAPHS_SHARE, PHOTOGRAPHS_BAUD, PHOTOGRAPHS_COUNT = 2.1, 921_600, 30
"""Of 224x224: image bytes for each byte that the line carries, rate, and how many take 20 s."""

WORST = Faults(seed=11, rate=1 / 1000, delay=1 / 100_000)
IMAGES, WRONG_IMAGES = 1000, 100
RESET_BYTES, VANISH_BYTES = 60_000, 150_000
"""Bytes to the board between two resets, and between two losses of the port."""


def run(seconds: float) -> list[Figure]:
    """Measure everything; it takes about 100 of the `seconds` there are."""
    assert seconds >= 100
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shares = [
            _share(folder / str(baud), baud, _noise((96, 96, 3), count), LINE_SHARE)
            for baud, count in LINES
        ]
        if PHOTOGRAPHS.exists():
            some = photographs(PHOTOGRAPHS_COUNT)
            shares.append(_share(folder / "coded", PHOTOGRAPHS_BAUD, some, PHOTOGRAPHS_SHARE))
        return [*shares, *_worst(folder), *_wrong(folder)]


def _share(folder: Path, baud: int, images: NDArray[np.int8], least: float) -> Figure:
    """Have `verify` stream over a line that passes `baud` bits per second, 10 to a byte."""
    build, command = _board(folder, images)
    report = folder / "verify.json"
    with _undisturbed(), Wire(command, folder, has_rate=True) as wire:
        done("verify", "--build", build, "--port", wire.port, "--baud", str(baud), "--json", report)
    fields = json.loads(report.read_text())
    link = fields["link"]
    assert (fields["result"]["exact_images"], link["baud"]) == (len(images), baud)
    share = link["line_share"]
    height, width = images.shape[1:3]
    return Figure(
        f"image bytes for each byte that {baud:,} baud carry, {height}x{width}, by verify",
        round(share, 4),
        f"at least {least}",
        share >= least,
    )


def _noise(shape: tuple[int, int, int], count: int) -> NDArray[np.int8]:
    return np.random.default_rng(1).integers(-128, 128, (count, *shape)).astype(np.int8)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let line, board and host run before other programs, where that is allowed: a UART does."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


def _worst(folder: Path) -> list[Figure]:
    """Verify many images over a line with every fault at once."""
    build, command = _board(folder / "worst", _noise((20, 16, 3), IMAGES))
    with Wire(command, folder, WORST) as wire:
        for n_bytes in range(RESET_BYTES, 100 * RESET_BYTES, RESET_BYTES):
            wire.at(n_bytes, wire.reset)
        for n_bytes in range(VANISH_BYTES, 100 * VANISH_BYTES, VANISH_BYTES):
            wire.at(n_bytes, lambda: wire.vanish(0.3))
        report = verify(VerifyOptions(build, ports=(wire.port,)))
        faults = wire.to_board.faults + wire.to_host.faults
        events = wire.resets + wire.returns
    exact, link = report.result.exact_images, report.link
    right = report.run.images == exact == IMAGES
    return [
        Figure("images over the worst line: equal bit for bit", exact, f"{IMAGES:,}", right),
        Figure("bytes damaged, both ways", faults, "at least 10,000", faults >= 10_000),
        Figure("boards reset, ports away and back", events, "at least 20", events >= 20),
        Figure("retries and sessions begun again, as reported", link.retries + link.resets),
    ]  # fmt: skip


def _wrong(folder: Path) -> list[Figure]:
    """Stream over the same line to a board that computes one value of some images wrong."""
    program = compile_stub("host", folder / "wrong" / "board", "-DESQ_STUB_WRONG=1")
    chance = np.random.default_rng(3)
    sent = [chance.bytes(STUB_BYTES) for _ in range(WRONG_IMAGES)]
    expected = [stub_values(image)[0] for image in sent]
    wrong = [index for index, output in enumerate(expected) if output[0] % 8 == 0]
    with Wire([str(program)], folder, WORST) as wire, open_port(wire.port) as transport:
        for n_bytes in range(RESET_BYTES, 100 * RESET_BYTES, RESET_BYTES):
            wire.at(n_bytes, wire.reset)
        got = [inference.outputs[0] for inference in Client(transport).stream(sent)]
    differing = [
        index
        for index, (values, right) in enumerate(zip(got, expected, strict=True))
        for _ in np.flatnonzero(values != right)
    ]
    return [
        Figure("values that a faulty board computed wrong, and that were found, once each",
               len(differing), f"{len(wrong)}", differing == wrong)
    ]  # fmt: skip


def _board(folder: Path, images: NDArray[np.int8]) -> tuple[Path, list[str]]:
    """Build a small network for the host; return the BUILD folder and the board's command."""
    net = Network(images.shape[1:], (1 / 255, -128), 0)
    content = net.build(net.softmax(net.mean(net.conv(net.input, 7, (3, 3), (2, 2)))))
    target = load_target("host")
    build = light_build(folder, target.name, content, images)
    compile_firmware(build / "firmware", target, warnings_are_errors=True)
    return build, [str(firmware_path(build / "firmware", target))]
