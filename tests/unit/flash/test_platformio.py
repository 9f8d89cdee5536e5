"""Projects of PlatformIO and a pretended pio: what is read, run, refused and recognised.

What pio says was taken from its sources, 6.2.
"""

from pathlib import Path

import pytest

from edgesq.errors import EdgesqError
from edgesq.flash import Wish, foreign_run, platformio, system_of
from edgesq.project import Layout
from support.cases import NETWORKS
from support.fake_tools import Bench, Says
from support.libraries import library

ONE = "[env:board]\nplatform = ststm32\nboard = nucleo_f767zi ; mine\n"
TWO = f"{ONE}upload_port = /dev/ttyUSB*\n[env:other]\nboard = pico\n"
CASES = [
    ("Error: Please specify `upload_port` for environment or use", "no board found .*--probe"),
    ("avrdude: ser_open(): can't open device: Permission denied", "dialout"),
    ("could not open port /dev/ttyACM0: [Errno 2] No such file", "pio device monitor"),
    ("Error: Unknown environment names 'x'. Valid names are 'board'", "no such environment"),
    ("Error: Unknown board ID 'nucleo'", "pio boards"),
    ("*** [.pio/build/board/port.cpp.o] Error 1", "does not build .*pio run"),
    ("*** [upload] Error 1", r"code 1: \*\*\* \[upload\]"),
]


def project(folder: Path, text: str = ONE) -> Path:
    folder.mkdir(parents=True)
    (folder / "platformio.ini").write_text(text)
    return folder


def command(folder: Path, *words: str) -> list[tuple[str, ...]]:
    return [("pio", "run", "--project-dir", str(folder), "--target", "upload", *words)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_the_example_of_an_export(bench: Bench, tmp_path: Path) -> None:
    """It is a sketch too, but PlatformIO's."""
    made = library(tmp_path, Layout.PLATFORMIO, NETWORKS["fire"](), "person")
    folder = made.folder / "examples" / "verify"
    assert system_of(folder) is platformio.SYSTEM
    bench.put("pio", [Says("upload")])
    built = platformio.read(folder, Wish(probe="/dev/ttyACM0", options=("-v",)))
    assert built.board == "nucleo_f767zi"
    assert foreign_run.put(folder, built, lambda _: None).ports == ("/dev/ttyACM0",)
    (expected,) = command(folder, "--upload-port", "/dev/ttyACM0", "-v")
    assert bench.calls() == [list(expected)]


@pytest.mark.parametrize(
    "options", [("-e", "other"), ("-eother",), ("--environment", "other"), ("--environment=other",)]
)
def test_one_environment_is_named(bench: Bench, tmp_path: Path, options: tuple[str, ...]) -> None:
    bench.put("pio", [Says("upload")])
    folder = project(tmp_path / "my", TWO)
    built = platformio.read(folder, Wish(options=options))
    assert (built.board, built.ports, built.obstacle) == ("pico", None, None)
    assert foreign_run.commands(built) == command(folder, *options)


def test_several_environments_are_not_put_on_one_board(bench: Bench, tmp_path: Path) -> None:
    bench.put("pio", [])
    folder = project(tmp_path / "my", TWO)
    built = platformio.read(folder, Wish())
    assert foreign_run.commands(built) == command(folder)
    with pytest.raises(EdgesqError, match=r"several environments: board, other .*--environment"):
        foreign_run.put(folder, built, lambda _: None)
    assert bench.calls() == []


def test_what_is_taken_where_none_is_named(tmp_path: Path) -> None:
    text = (
        f"[platformio]\ndefault_envs = other\n[env]\nupload_port = /dev/ttyUSB1\n{ONE}[env:other]\n"
    )
    built = platformio.read(project(tmp_path / "my", text), Wish())
    assert (built.board, built.ports, built.obstacle) == ("other", ("/dev/ttyUSB1",), None)


@pytest.mark.parametrize("text", ["board = x\n", "[env:a]\nboard = x\nboard = y\n", "\x00["])
def test_what_is_no_configuration(tmp_path: Path, text: str) -> None:
    with pytest.raises(EdgesqError, match=r"is no configuration: .*pio project config"):
        platformio.read(project(tmp_path / "my", text), Wish())


@pytest.mark.parametrize(("output", "message"), CASES)
def test_failures(bench: Bench, tmp_path: Path, output: str, message: str) -> None:
    bench.put("pio", [Says("upload", output, 1)])
    folder = project(tmp_path / "my")
    with pytest.raises(EdgesqError, match=message):
        foreign_run.put(folder, platformio.read(folder, Wish()), lambda _: None)
