"""The way from a .tflite to a verified board where there is no termios, pty, fcntl and setsid."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from edgesq.extras import is_installed
from edgesq.project.zig import find_zig
from support.builds import edgesq
from support.cases import NETWORKS
from support.paths import ROOT, SUPPORT

pytestmark = pytest.mark.slow
Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    """Yield what runs edgesq without these modules; the board is stopped at the end."""
    paths = map(str, (SUPPORT / "without_terminals", ROOT))
    env = {"PYTHONPATH": os.pathsep.join(paths)}

    def run(*arguments: str | Path, **more: str) -> CompletedProcess[str]:
        result = edgesq(*arguments, cwd=tmp_path, env={**env, **more})
        assert result.returncode == 0, result.stdout + result.stderr
        return result

    yield run
    edgesq("flash", "--build", "build", "--stop", cwd=tmp_path)


def test_the_modules_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT / "without_terminals"))
    for module in ("fcntl", "pty", "termios"):
        done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True)
        assert b"ModuleNotFoundError" in done.stderr
    script = "import os; print(hasattr(os, 'setsid') or hasattr(os, 'openpty'))"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "False\n"


@pytest.mark.parametrize("board", ["mps2-an386", "host", "qemu"])
def test_a_board_is_verified_over_a_socket(board: str, tmp_path: Path, command: Command) -> None:
    """By Zig and Unicorn, as a process of this computer, and by QEMU."""
    path = tmp_path / "path"
    path.mkdir()
    more = {"PATH": str(path)}
    if board == "qemu":
        board, more = "mps2-an386", {}
        if shutil.which("qemu-system-arm") is None or shutil.which("arm-none-eabi-gcc") is None:
            pytest.skip("qemu-system-arm or arm-none-eabi-gcc is not installed")
    elif find_zig() is None or not is_installed("unicorn"):
        pytest.skip("ziglang or unicorn is not installed")
    content = NETWORKS["every_operator"]()
    (tmp_path / "net.tflite").write_bytes(content)
    command("export", "net.tflite", "--target", board, "--out", "build", **more)
    if not more:  # a plan compiles everything once more, which takes Zig long
        assert "RAM" in command("plan", "net.tflite", "--target", board).stdout
    said = command("flash", "--build", "build", "--dry-run", **more).stdout
    assert board in said or board == "host"
    assert "socket://127.0.0.1:" in command("flash", "--build", "build", **more).stdout
    said = command("verify", "--build", "build", "--count", "3", **more).stdout
    assert "0 differing values" in said
    assert "stopped" in command("flash", "--build", "build", "--stop", **more).stdout
