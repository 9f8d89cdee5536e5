"""The verifying example, built by a real Zephyr, in the emulator that Zephyr starts, verified."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgesq.project import Layout
from support.builds import done
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import library, verify_build

ZEPHYR_BASE = os.environ.get("EDGESQ_ZEPHYR_BASE", "")
"""Zephyr's tree; modules that it needs in ZEPHYR_MODULES, its Python packages on the path."""

BOARDS = {"mps2_an385": "scalar", "mps2_an521": "portable", "mps3_an547": "mve"}
"""Boards that Zephyr runs in QEMU, and kernels that their cores have there."""

NETWORK = "every_operator"

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
