"""`edgesq flash` for a real board: what it shows, what it refuses, and its exit codes."""

import os
import shlex
from pathlib import Path

import pytest

from edgesq.formats.tflite import read_graph
from support.builds import done, edgesq, light_build, refused, snapshot, words
from support.cases import NETWORKS
from support.fake_tools import Bench, Says
from support.networks import images

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = NETWORKS["fire"]()
    graph = read_graph(content)
    folder = tmp_path_factory.mktemp("my build")
    pictures = images(graph.tensors[graph.input].hwc)
    return light_build(folder / "build", "stm32f407-discovery", content, pictures)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Bench, dict[str, str]]:
    """Return a bench of pretended programs, and a PATH that has them before the real ones."""
    real = os.environ["PATH"]
    bench = Bench(tmp_path, monkeypatch)
    pretended = os.environ["PATH"]
    monkeypatch.setenv("PATH", real)
    return bench, {"PATH": f"{pretended}:{real}"}


def test_a_dry_run_shows_and_runs_nothing(build: Path, path: tuple[Bench, dict[str, str]]) -> None:
    bench, env = path
    bench.put("openocd", [Says("")])
    arguments = ("flash", "--build", build, "--dry-run", "--probe", "A1")
    said = edgesq(*arguments, env=env)
    assert (said.returncode, words(said.stderr)) == (0, "")
    (line,) = said.stdout.splitlines()
    assert shlex.split(line)[:3] == ["openocd", "-f", "board/stm32f4discovery.cfg"]
    assert "adapter serial A1" in shlex.split(line)
    assert bench.calls() == []
    before = snapshot(build)
    assert edgesq(*arguments, env=env).stdout == said.stdout
    assert snapshot(build) == before


def test_every_runner_of_a_board_can_be_shown(build: Path) -> None:
    for runner, program, lines in (
        *(("openocd", "openocd", 1), ("stflash", "st-info", 4), ("pyocd", "pyocd", 4)),
        *(("jlink", "JLinkExe", 2), ("dfu", "dfu-util", 3), ("gdb", "qemu-system-arm", 1)),
    ):
        said = done("flash", "--build", build, "--dry-run", "--runner", runner).splitlines()
        assert len(said) == lines, runner
        assert Path(shlex.split(said[0])[0]).name == program


def test_a_board_is_flashed(build: Path, path: tuple[Bench, dict[str, str]]) -> None:
    bench, env = path
    bench.put("openocd", [Says("", "edgesq: compared")])
    said = edgesq("flash", "--build", build, "--runner", "openocd", env=env)
    assert (said.returncode, words(said.stderr)) == (0, "")
    lines = said.stdout.splitlines()
    assert lines[0].startswith("openocd -f board/stm32f4discovery.cfg")
    assert lines[1].endswith(": programmed, read back and compared")
    assert lines[-1] == f"verify:  edgesq verify --build {shlex.quote(str(build))} --port DEVICE"


def test_refusals(build: Path, path: tuple[Bench, dict[str, str]]) -> None:
    bench, env = path
    bench.put("openocd", [Says("", "Error: edgesq: the chip says 0x421", 1)])
    flash = ("flash", "--build", build, "--runner")
    refused(3, "another board: its chip says 0x421.*0x413", *flash, "openocd", env=env)
    refused(2, "is not flashed by 'uf2'", *flash, "uf2")
    refused(2, "has no port.*as a library", "flash", "--build", build, "--target", "esp32s3")


def test_the_same_image_runs_in_the_emulator(build: Path) -> None:
    try:
        said = done("flash", "--build", build, "--runner", "gdb")
        assert "runs, serial device /dev/pts/" in said
        assert "0 differing values" in done("verify", "--build", build, "--count", "1")
    finally:
        assert "stopped" in done("flash", "--build", build, "--stop")
