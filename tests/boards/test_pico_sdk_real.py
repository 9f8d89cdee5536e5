"""The Pico SDK itself builds the examples; rp2040py runs them, on the UART and on USB.

PICO_SDK_PATH names the SDK with its submodule TinyUSB. No emulator has an RP2350: built only.
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgesq.extras import is_installed
from edgesq.flash import rp2040
from edgesq.formats.tflite import read_graph
from edgesq.link.client import Client
from edgesq.project import Layout
from edgesq.reference import run_observed
from edgesq.targets import load_target
from support.builds import done
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import Library, library, verify_build

SDK = os.environ.get("PICO_SDK_PATH")
RISCV_COMPILER = "riscv32-unknown-elf-g++"
"""Debian's for riscv64 has no C++ library, and ends in the SDK's irq.c by an error of its own."""
NETWORK = "fire"
pytestmark = [
    pytest.mark.emulated,
    pytest.mark.slow,
    pytest.mark.skipif(not SDK, reason="PICO_SDK_PATH names no Pico SDK"),
]


def exported(folder: Path, board: str, kernels: str) -> Library:
    """Return the SDK's libraries as part of a build folder that `verify` takes."""
    content = NETWORKS[NETWORK]()
    verify_build(folder, content, board)
    return library(folder, Layout.PICO_SDK, content, "person", kernels)


def built(made: Library, example: str, *options: str) -> Path:
    """Build an example as its README says; without picotool, which makes .uf2, there is none."""
    out = made.folder / f"build-{example}"
    without = () if shutil.which("picotool") else ("-DPICO_NO_PICOTOOL=1",)
    run_command("cmake", "-S", made.folder / "examples" / example, "-B", out, *options, *without)
    said = run_command("cmake", "--build", out, "--parallel", "2")
    assert b"warning: " not in said
    return out


@pytest.fixture(scope="module")
def pico(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return an export and the folder in which its verifying example was built."""
    if not is_installed(rp2040.RUNNER.name):
        pytest.skip("rp2040py is not installed")
    folder = tmp_path_factory.mktemp("pico") / "export"
    return folder, built(exported(folder, "pico", "scalar"), "verify", "-DPICO_BOARD=pico")


def test_flashed_and_verified_over_the_uart(pico: tuple[Path, Path]) -> None:
    folder, out = pico
    started = done("flash", "--build", out, "--runner", "rp2040py")
    assert "pico, emulated on this computer, runs" in started
    try:
        done("verify", "--build", folder, "--json", folder / "out.json", "--count", "3")
    finally:
        assert "stopped" in done("flash", "--build", out, "--runner", "rp2040py", "--stop")
    report = json.loads((folder / "out.json").read_text())
    assert (report["result"]["differing_values"], report["link"]["retries"]) == (0, 0)
    assert report["result"]["exact_images"] == 3
    assert (report["device"]["board"], report["device"]["clock_hz"]) == ("pico", 125_000_000)
    assert report["device"]["build"].endswith(" -mcpu=cortex-m0plus -mthumb -O2")


def test_verified_over_usb(pico: tuple[Path, Path]) -> None:
    from support.pico import Pico

    _, out = pico
    board = Pico(out / "verify.elf")
    assert board.run_until(lambda: board.host.is_open)
    assert board.host.device.usb_id == load_target("pico").own_usb_ids[0]
    client = Client(board.transport(board.usb), timeout=60.0)
    assert client.hello().board == "pico"
    graph = read_graph(NETWORKS[NETWORK]())
    random = np.random.default_rng(3)
    for _ in range(3):
        image = random.integers(-128, 128, graph.tensors[graph.input].hwc, np.int8)
        inference = client.infer(image.tobytes())
        expected = run_observed(graph, image[np.newaxis])
        for got, wanted in zip(inference.outputs, expected, strict=True):
            assert np.array_equal(got, wanted.ravel())
        assert inference.retries == 0


@pytest.mark.parametrize("example", ["classify", "verify"])
@pytest.mark.parametrize(
    ("kernels", "options"), [("dsp", ()), ("scalar", ("-DPICO_PLATFORM=rp2350-riscv",))]
)
def test_it_builds_for_rp2350(
    example: str, kernels: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    if options and not shutil.which(RISCV_COMPILER):
        pytest.skip(f"{RISCV_COMPILER} is not installed")
    made = library(tmp_path, Layout.PICO_SDK, NETWORKS[NETWORK](), "person", kernels)
    out = built(made, example, "-DPICO_BOARD=pico2", *options)
    assert (out / f"{example}.elf").is_file()
