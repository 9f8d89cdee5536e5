"""Examples, built by a real Zephyr and run in the emulator that Zephyr starts."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edgesq.project import Layout
from support.builds import done
from support.camera import LITTLE, colours, seen
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import classes_of, classified, library, verify_build

ZEPHYR_BASE = os.environ.get("EDGESQ_ZEPHYR_BASE", "")
"""Zephyr's tree; modules that it needs in ZEPHYR_MODULES, its Python packages on the path."""

BOARDS = {"mps2_an385": "scalar", "mps2_an521": "portable", "mps3_an547": "mve"}
"""Boards that Zephyr runs in QEMU, and kernels that their cores have there."""

NETWORK = "every_operator"

BARS = (0x0000, 0x001F, 0xF800, 0xF81F, 0x07E0, 0x07FF, 0xFFE0, 0xFFFF)
"""RGB565 of Zephyr's software generator: eight bars, side by side on 320 x 160 pixels."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.emulated,
    pytest.mark.skipif(not ZEPHYR_BASE, reason="EDGESQ_ZEPHYR_BASE names no Zephyr"),
]


@pytest.fixture(autouse=True)
def workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEPHYR_BASE", ZEPHYR_BASE)
    compiler = shutil.which("arm-none-eabi-gcc")
    if "ZEPHYR_TOOLCHAIN_VARIANT" not in os.environ and compiler:
        monkeypatch.setenv("ZEPHYR_TOOLCHAIN_VARIANT", "gnuarmemb")
        monkeypatch.setenv("GNUARMEMB_TOOLCHAIN_PATH", str(Path(compiler).parent.parent))


def built(export: Path, board: str, kernels: str) -> Path:
    """Write an export with its Zephyr modules, and build its example as `west build` does."""
    verify_build(export, NETWORKS[NETWORK](), "host")
    made = library(export, Layout.ZEPHYR, NETWORKS[NETWORK](), "person", kernels)
    source, build = made.folder / "examples" / "verify", made.folder / "build"
    run_command("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DBOARD={board}")
    run_command("cmake", "--build", build, "--parallel", "2")
    return build


@contextmanager
def flashed(build: Path) -> Iterator[str]:
    """Start the board as a user does, and stop it; yields what was said."""
    yield done("flash", "--build", build)
    assert done("flash", "--build", build, "--stop") == "stopped\n"


@pytest.mark.parametrize(("board", "kernels"), BOARDS.items(), ids=list(BOARDS))
def test_built_flashed_and_verified(tmp_path: Path, board: str, kernels: str) -> None:
    export = tmp_path / "export"
    with flashed(built(export, board, kernels)) as said:
        assert f"{board}, emulated on this computer, runs" in said
        assert f"edgesq verify --build {export}\n" in said
        done("verify", "--build", export, "--json", tmp_path / "out.json")
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["result"]["differing_values"], found["link"]["retries"]) == (0, 0)
    assert found["run"]["images"] == found["result"]["exact_images"] > 0
    assert (found["device"]["board"], found["device"]["kernels"]) == (board, kernels)


def test_the_camera_example(tmp_path: Path) -> None:
    """The camera is the software generator, the network's class that of numpy."""
    made = library(tmp_path, Layout.ZEPHYR, NETWORKS[NETWORK](), "person")
    source, build = made.folder / "examples" / "camera", tmp_path / "build"
    options = ("-DBOARD=mps2_an385", "-DOVERLAY_CONFIG=pretended.conf")
    run_command("cmake", "-G", "Ninja", "-S", source, "-B", build, *options)
    run_command("cmake", "--build", build, "--parallel", "2")
    emulator = ("qemu-system-arm", "-M", "mps2-an385", "-display", "none", "-monitor", "none")
    image = str(build / "zephyr" / "zephyr.elf")
    said = classified([*emulator, "-serial", "stdio", "-kernel", image], tmp_path / "log")
    row = np.repeat(np.array(BARS, "<u2"), 40).view(np.uint8)
    frame = colours(np.tile(row, (160, 1)), 320, LITTLE)
    hwc = made.graph.tensors[made.graph.input].hwc
    assert said.decode() == f"class {classes_of(made.graph, seen(frame, *hwc)[np.newaxis])[0]}"
