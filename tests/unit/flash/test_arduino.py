"""Sketches and a pretended arduino-cli: what is read, run, shown, refused and recognised.

What arduino-cli says was taken from its sources, 1.5.
"""

import json
from pathlib import Path

import pytest

from edgesq.builds.report import write_report
from edgesq.errors import EdgesqError, ToolError
from edgesq.flash import Wish, arduino, foreign_run, system_of
from edgesq.flash.foreign_run import Put
from edgesq.formats.tflite import read_graph
from support.builds import done, edgesq
from support.cases import NETWORKS
from support.fake_tools import Bench, Says
from support.reports import report_of

FQBN = "STMicroelectronics:stm32:Disco:pnum=B_L475E_IOT01A"
PORT = "/dev/ttyACM0"
CASES = [
    ("Error during Upload: Missing FQBN (Fully Qualified Board Name)", "--fqbn VENDOR"),
    ("Error during Upload: Platform 'a:b' not found: not installed", "core install"),
    ("Error during Upload: Unknown FQBN: board x not found", "board listall"),
    ("Error during Upload: Compiled sketch not found in /x", "arduino-cli compile"),
    ("Failed uploading: no upload port provided", "no board found .*--probe"),
    ("can't open device /dev/ttyACM0: Permission denied", "dialout"),
    ("A programmer is required to upload", "--programmer NAME"),
    ("Can't open sketch: no valid sketch found in /x: missing /x/x.ino", "main file"),
    ("Failed uploading: uploading error: exit status 1", "code 1: Failed uploading"),
]


def sketch(folder: Path, settings: str = "") -> Path:
    """Write a sketch, as `verify` of an export is one, and return its folder."""
    folder.mkdir(parents=True)
    (folder / f"{folder.name}.ino").write_text("void setup() {}\nvoid loop() {}\n")
    if settings:
        (folder / "sketch.yaml").write_text(settings)
    return folder


def built(folder: Path, source: Path, **changes: object) -> Path:
    """Write a folder as `arduino-cli compile --build-path` leaves it, and return it."""
    folder.mkdir(parents=True)
    table = {"fqbn": FQBN, "sketchLocation": str(source), **changes}
    (folder / "build.options.json").write_text(json.dumps(table))
    (folder / f"{source.name}.ino.bin").write_bytes(b"firmware")
    return folder


def program(folder: Path, wish: Wish) -> Put:
    return foreign_run.put(folder, arduino.read(folder, wish), lambda _: None)


def test_a_sketch_is_uploaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, monkeypatch)
    bench.put("arduino-cli", [Says("upload")])
    write_report(tmp_path, report_of("stm32f405", read_graph(NETWORKS["fire"]())))
    folder = sketch(
        tmp_path / "arduino" / "verify", f"default_fqbn: {FQBN}\ndefault_port: {PORT}\n"
    )
    assert system_of(folder) is arduino.SYSTEM
    assert arduino.read(folder, Wish()).board == FQBN
    put = program(folder, Wish(options=("--verify",)))
    assert (put.export, put.ports, put.is_compared) == (tmp_path, (PORT,), False)
    put = program(folder, Wish(probe="/dev/ttyACM1"))
    assert put.ports == ("/dev/ttyACM1",)
    upload = ["arduino-cli", "upload", str(folder)]
    assert bench.calls() == [[*upload, "--verify"], [*upload, "--port", "/dev/ttyACM1"]]


def test_what_was_built_says_board_and_sketch(tmp_path: Path) -> None:
    source = sketch(tmp_path / "verify")
    folder = built(tmp_path / "out", source)
    assert system_of(folder) is arduino.SYSTEM
    said = arduino.read(folder, Wish(options=("--fqbn", "a:b:c")))
    assert (said.board, said.sources, said.ports) == (FQBN, (source,), None)
    command = ("arduino-cli", "upload", "--input-dir", str(folder), "--fqbn", FQBN)
    assert foreign_run.commands(said) == [(*command, "--fqbn", "a:b:c")]
    shown = done("flash", "--build", folder, "--dry-run")
    assert shown.strip() == " ".join(command)


@pytest.mark.parametrize(
    "changes", [{"fqbn": "--upload-property"}, {"fqbn": None}, {"sketchLocation": 3}]
)
def test_what_was_built_is_believed_in_nothing(tmp_path: Path, changes: dict[str, object]) -> None:
    folder = built(tmp_path / "out", tmp_path / "verify", **changes)
    with pytest.raises(EdgesqError, match="does not say what was built"):
        arduino.read(folder, Wish())


def test_a_folder_without_firmware(tmp_path: Path) -> None:
    folder = built(tmp_path / "out", tmp_path / "verify")
    (folder / "verify.ino.bin").write_bytes(b"")
    with pytest.raises(ToolError, match=r"is not built \(`arduino-cli compile"):
        arduino.read(folder, Wish())


def test_other_folders_are_none(tmp_path: Path) -> None:
    (tmp_path / "other.ino").write_text("")
    assert system_of(tmp_path) is None
    assert system_of(tmp_path / "not there") is None


@pytest.mark.parametrize(("output", "message"), CASES)
def test_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, message: str
) -> None:
    Bench(tmp_path, monkeypatch).put("arduino-cli", [Says("upload", output, 1)])
    with pytest.raises(EdgesqError, match=message):
        program(sketch(tmp_path / "verify"), Wish())


def test_arduino_cli_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Bench(tmp_path, monkeypatch)
    with pytest.raises(ToolError, match="arduino-cli is not installed"):
        program(sketch(tmp_path / "verify"), Wish())


def test_what_has_no_meaning(tmp_path: Path) -> None:
    folder = sketch(tmp_path / "verify")
    for options in (("--stop",), ("--tcp",), ("--target", "pico"), ("--runner", "openocd")):
        result = edgesq("flash", "--build", folder, *options)
        assert result.returncode == 2
        assert f"{options[0]} is not for a project of Arduino" in result.stderr


def test_a_port_is_the_users_then_the_sketchs(tmp_path: Path) -> None:
    folder = sketch(tmp_path / "a", f"default_port: '{PORT}'  # on my desk\n")
    assert arduino.read(folder, Wish()).ports == (PORT,)
    assert arduino.read(folder, Wish(options=("--port", "/dev/x"))).ports == ("/dev/x",)
    (folder / "sketch.yaml").write_text("default_port: x" + " " * 99_000 + "y\v\n")
    assert arduino.read(folder, Wish()).ports is None


def test_a_link_to_nothing_is_not_built(tmp_path: Path) -> None:
    folder = built(tmp_path / "out", sketch(tmp_path / "a"))
    (folder / "a.ino.bin").unlink()
    (folder / "a.ino.bin").symlink_to("nothing")
    with pytest.raises(ToolError, match="is not built"):
        arduino.read(folder, Wish())
