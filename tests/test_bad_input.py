"""What cannot be done: one line of error that says what to try, the right code, nothing left."""

import fcntl
import functools
import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builds import (
    COMMAND,
    INVALID,
    check_refusal,
    done,
    edgesq,
    light_build,
    refused,
    snapshot,
)
from networks import Network
from rich.console import Console
from typer.testing import CliRunner

from edgesq.cli import terminal
from edgesq.cli.app import app
from edgesq.resources import resource
from edgesq.zoo.demo import demo_model_path

pytest_plugins = ("build_fixtures",)

CALIBRATION = resource("calibration_data")
BOARD_LIMIT_S = 10.0
"""A board that does not answer is given up by then, with `--timeout 0.5`."""


@dataclass(frozen=True)
class Place:
    """A folder to run commands in, with scratch files kept inside it."""

    folder: Path

    def refused(self, code: int, says: str, *arguments: str | Path) -> None:
        """Run `edgesq`, which must fail so and leave the folder as it was."""
        before = snapshot(self.folder)
        refused(code, says, *arguments, cwd=self.folder, env={"TMPDIR": str(self.folder / "tmp")})
        assert snapshot(self.folder) == before


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "tmp").mkdir()
    return Place(tmp_path)


def convolution(
    shape: tuple[int, int, int], channels: int, kernel: tuple[int, int] = (1, 1)
) -> bytes:
    """Return an int8 .tflite with one operator."""
    network = Network(shape)
    return network.build(network.conv(network.input, channels, kernel))


# Models and images


def test_missing_model(place: Place) -> None:
    refusal = r"none\.keras: no such model file \(check the path\)"
    place.refused(2, refusal, "export", "none.keras", "--calibration", CALIBRATION)


def test_a_file_of_another_kind(place: Place) -> None:
    (place.folder / "model.pt").write_bytes(b"torch")
    place.refused(2, "a .pt file is not a model edgesq reads", "export", "model.pt")


def test_keras_model_without_calibration(place: Place) -> None:
    place.refused(2, r"\(give --calibration FOLDER", "export", demo_model_path())


def test_truncated_tflite(place: Place) -> None:
    place.refused(2, r"truncated\.tflite: .*corrupt", "export", INVALID / "truncated.tflite")


def test_float_tflite(place: Place) -> None:
    place.refused(2, "is not int8 .quantize it fully", "export", INVALID / "float.tflite")


def test_empty_tflite(place: Place) -> None:
    (place.folder / "empty.tflite").touch()
    place.refused(2, r"empty\.tflite: ", "export", "empty.tflite")


@pytest.fixture
def in_process(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Any:
    """Return `Place.refused` for commands that import TensorFlow, which costs seconds once."""

    def run(code: int, says: str, *arguments: str | Path) -> None:
        said = io.StringIO()
        monkeypatch.chdir(place.folder)
        monkeypatch.setattr(tempfile, "tempdir", str(place.folder / "tmp"))
        monkeypatch.setattr(terminal, "err", Console(file=said, highlight=False))
        before = snapshot(place.folder)
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        check_refusal(result.exit_code, result.output, said.getvalue(), code, says)
        assert capfd.readouterr() == ("", "")
        assert snapshot(place.folder) == before

    return run


@pytest.mark.parametrize("name", ["text.keras", "truncated.keras"])
def test_corrupt_keras_model(in_process: Any, name: str) -> None:
    arguments = ("export", INVALID / name, "--calibration", CALIBRATION)
    in_process(2, rf"{name}: is not a complete \.keras archive", *arguments)


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_layers_that_the_runtime_does_not_know_are_named_at_once(in_process: Any) -> None:
    arguments = ("export", INVALID / "unknown_layers.keras", "--calibration", CALIBRATION)
    in_process(2, r"does not know TRANSPOSE_CONV \(.+\), LOGISTIC \(.+\) \(it knows", *arguments)


def test_missing_calibration_folder(in_process: Any) -> None:
    in_process(2, "none: no such image folder", "export", "--calibration", "none")


def test_empty_calibration_folder(place: Place, in_process: Any) -> None:
    (place.folder / "empty").mkdir()
    in_process(2, "empty: no images in this folder .put", "export", "--calibration", "empty")


def test_truncated_image(place: Place, in_process: Any) -> None:
    (place.folder / "images").mkdir()
    shutil.copy(INVALID / "truncated.png", place.folder / "images")
    in_process(2, r"truncated\.png: not a readable image", "export", "--calibration", "images")


# Targets and folders


def test_unknown_target_lists_the_known_ones(place: Place, demo: Path) -> None:
    refusal = "unknown target 'nucleo' .known: alif-e7, cortex-m, esp32s3, host"
    place.refused(2, refusal, "export", "--target", "nucleo")
    place.refused(2, refusal, "flash", "--build", demo, "--target", "nucleo")


@pytest.mark.parametrize("what", ["a folder with files", "a file"])
def test_out_is_no_build_folder(place: Place, what: str) -> None:
    mine = place.folder / "mine"
    if what == "a file":
        mine.write_text("precious")
    else:
        mine.mkdir()
        (mine / "thesis.txt").write_text("precious")
    place.refused(2, "mine: exists and is not a build folder", "export", "--out", "mine")


def test_out_is_below_a_file(place: Place) -> None:
    (place.folder / "file").touch()
    place.refused(
        2, r"file: no folder can be made there \(see --out\)", "export", "--out", "file/b"
    )


def test_out_is_where_we_are(tmp_path: Path) -> None:
    refused(2, r"\.: is where you are now", "export", "--out", ".", cwd=tmp_path)
    assert snapshot(tmp_path) == {}


def test_a_model_with_too_many_weights(place: Place) -> None:
    (place.folder / "big.tflite").write_bytes(convolution((2, 2, 1024), 1100))
    refusal = (
        r"stm32f405: the model needs \d+ B of flash \(1130800 of them are weights\), the board has "
        r"1048576 B \(try fewer channels, or a board with more flash\)"
    )
    place.refused(2, refusal, "export", "big.tflite", "--target", "stm32f405")


def test_a_model_with_too_large_maps(place: Place) -> None:
    (place.folder / "wide.tflite").write_bytes(convolution((4, 4096, 16), 4, (3, 1)))
    refusal = (
        r"stm32f405: the model needs \d+ B of ram \(\d+ of them are the arena, most of it .+\), "
        r"the board has 131072 B \(try a smaller input"
    )
    place.refused(2, refusal, "export", "wide.tflite", "--target", "stm32f405")


def test_a_build_that_does_not_fit_another_target_stays_as_it_was(place: Place) -> None:
    content = convolution((2, 2, 1024), 1100)
    light_build(place.folder / "build", "host", content, np.zeros((1, 2, 2, 1024), np.int8))
    arguments = ("flash", "--build", "build", "--target", "stm32f405")
    place.refused(2, "the model needs .+ of flash", *arguments)


def test_a_build_that_cannot_be_compiled_for_another_target_stays_as_it_was(
    place: Place, demo: Path
) -> None:
    tools = place.folder / "bin"
    tools.mkdir()
    for name in ("cmake", "make"):
        (tools / name).symlink_to(str(shutil.which(name)))
    before = snapshot(demo)
    refused(
        *(2, r"arm-none-eabi-gcc is not installed \(`edgesq doctor` says how to get it\)"),
        *("flash", "--build", demo, "--target", "stm32f405"),
        env={"PATH": str(tools)},
    )
    assert snapshot(demo) == before


@pytest.mark.parametrize("command", ["flash", "verify"])
def test_without_export(place: Place, command: str) -> None:
    place.refused(2, r"build/edgesq: not a build folder \(run `edgesq export` first\)", command)


def test_inspect_without_export(place: Place) -> None:
    place.refused(2, r"none: not a build folder \(run `edgesq export` first\)", "inspect", "none")


@pytest.mark.parametrize("text", ["{", "[]", '{"target": "host"}'])
def test_a_damaged_report(place: Place, demo: Path, text: str) -> None:
    (demo / "report.json").write_text(text)
    for command in ("flash", "verify"):
        place.refused(2, r"report\.json .*\(export again\)", command, "--build", demo)


# Images for verify


def test_images_of_another_size(place: Place, demo: Path) -> None:
    np.savez(place.folder / "small.npz", input=np.zeros((1, 8, 8, 3), np.int8))
    arguments = ("verify", "--build", demo, "--images", "small.npz")
    place.refused(2, r"small\.npz: ", *arguments)


def test_missing_images(place: Place, demo: Path) -> None:
    place.refused(2, r"none\.npz: ", "verify", "--build", demo, "--images", "none.npz")


@pytest.mark.parametrize("option", ["--json", "--junit", "--html"])
@pytest.mark.parametrize("name", ["none/out.json", "tmp"])
def test_a_report_that_cannot_be_written(place: Place, demo: Path, option: str, name: str) -> None:
    refusal = rf"{name}: is no file in a folder that is there \(see {option}\)"
    place.refused(2, refusal, "verify", "--build", demo, option, name)


# Boards and links


def test_a_port_that_is_not_there(place: Place, demo: Path) -> None:
    arguments = ("verify", "--build", demo, "--port", "/dev/ttyNONE")
    place.refused(3, "/dev/ttyNONE: there is no such port", *arguments)


def test_a_port_that_is_no_serial_device(place: Place, demo: Path) -> None:
    arguments = ("verify", "--build", demo, "--port", demo / "report.json")
    place.refused(3, "cannot be opened as a serial port", *arguments)


@pytest.fixture
def silent() -> Iterator[tuple[int, str]]:
    """Yield the descriptor and the name of a serial line at whose end nobody answers."""
    master, slave = pty.openpty()
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_a_silent_board(place: Place, demo: Path, silent: tuple[int, str]) -> None:
    started = time.monotonic()
    arguments = ("verify", "--build", demo, "--port", silent[1], "--timeout", "0.5")
    place.refused(3, f"{silent[1]}: the board is silent", *arguments)
    assert time.monotonic() - started < BOARD_LIMIT_S


def popen(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a command that SIGINT reaches, also where the tests run in a shell's background."""
    pipe = subprocess.PIPE
    listen = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=listen)


@pytest.fixture
def streaming(demo: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield a running `verify` with enough images for a minute, and the pid of its board."""
    done("flash", "--build", demo)
    pid = int(json.loads((demo / "board.json").read_text())["pid"])
    with np.load(demo / "verify_images.npz") as archive:
        images = np.tile(archive["input"], (20, 1, 1, 1))
    np.savez(tmp_path / "many.npz", input=images)
    idle = board_ticks(pid)
    command = [*COMMAND, "verify", "--build", str(demo), "--images", str(tmp_path / "many.npz")]
    process = popen(command)
    deadline = time.monotonic() + 30
    while board_ticks(pid) < idle + 10 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    yield process, pid
    process.kill()
    process.communicate()


def board_ticks(pid: int) -> int:
    """Return the CPU time a process has used in user mode, in hundredths of a second."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


KEPT = r"[\d,]+ of 11,980 images are in .*verify.json; --resume goes on from there\n"


def after(pattern: str, text: str) -> str:
    """Return what follows a text that begins by `pattern`."""
    found = re.match(pattern, text)
    assert found, text
    return text[found.end() :]


def test_a_board_unplugged_in_the_middle(
    demo: Path, streaming: tuple[subprocess.Popen[str], int]
) -> None:
    process, pid = streaming
    os.kill(pid, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=BOARD_LIMIT_S)
    check_refusal(process.returncode, stdout, after(KEPT, stderr), 3, "the board went away")
    refused(2, "--baud fast: is no rate", "verify", "--build", demo, "--baud", "fast")
    refused(3, r"no board found \(`edgesq flash` one", "verify", "--build", demo)


def test_a_board_that_hangs_in_the_middle(streaming: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = streaming
    os.kill(pid, signal.SIGSTOP)
    try:
        stdout, stderr = process.communicate(timeout=60)
    finally:
        os.kill(pid, signal.SIGCONT)
    check_refusal(process.returncode, stdout, after(KEPT, stderr), 3, "silent|takes no more bytes")


def test_interrupted_verify(demo: Path, streaming: tuple[subprocess.Popen[str], int]) -> None:
    process, _ = streaming
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=BOARD_LIMIT_S)
    assert (process.returncode, stdout) == (130, "")
    assert after(KEPT, stderr) == "interrupted\n"
    left = json.loads((demo / "verify.json").read_text())
    assert (left["complete"], f"{left['images']:,}") == (False, stderr.split()[0])
    assert left["bit_exact_images"] == left["images"] > 0
    says = "verify.json: was made with another images: .*begin anew"
    refused(2, says, "verify", "--build", demo, "--resume")
    assert "0 differing values" in done("verify", "--build", demo, "--count", "2")


def test_interrupted_while_waiting_for_a_silent_board(demo: Path, silent: tuple[int, str]) -> None:
    command = [*COMMAND, "verify", "--build", str(demo), "--port", silent[1], "--timeout", "60"]
    with popen(command) as process:
        assert os.read(silent[0], 1)  # it asks who is there
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=BOARD_LIMIT_S)
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")


def test_a_board_that_runs_another_model(place: Place, demo: Path) -> None:
    done("flash", "--build", demo)
    port = json.loads((demo / "board.json").read_text())["port"]
    theirs = json.loads((demo / "report.json").read_text())["model_sha256"]
    content = convolution((32, 32, 3), 10)
    light_build(place.folder / "mine", "host", content, np.zeros((1, 32, 32, 3), np.int8))
    refusal = rf"the board runs model {theirs}, the build holds [0-9a-f]{{64}} \(`edgesq flash`"
    place.refused(3, refusal, "verify", "--build", "mine", "--port", port)


def test_a_port_in_use(place: Place, demo: Path) -> None:
    done("flash", "--build", demo)
    port = json.loads((demo / "board.json").read_text())["port"]
    with Path(port).open("rb", buffering=0) as line:
        fcntl.flock(line, fcntl.LOCK_EX)
        place.refused(3, "another program uses the port", "verify", "--build", demo)


def test_a_firmware_that_does_not_start(demo: Path) -> None:
    main = demo / "firmware" / "app" / "main.c"
    main.write_text("int main(void) { return 1; }\n")
    result = edgesq("flash", "--build", demo)
    check_refusal(result.returncode, result.stdout, result.stderr, 3, "the board does not start")
    assert not (demo / "board.json").exists()


def test_a_firmware_that_does_not_compile(demo: Path) -> None:
    (demo / "firmware" / "app" / "main.c").write_text("nonsense\n")
    result = edgesq("flash", "--build", demo)
    assert result.returncode == 2
    assert "main.c:1" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (demo / "board.json").exists()
