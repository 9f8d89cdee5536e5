"""What cannot be done: one line of error that says what to try, the right code, nothing left."""

import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from edgesq.cli import terminal
from edgesq.cli.app import app
from edgesq.resources import resource
from edgesq.zoo.demo import demo_model_path
from support.bare import without
from support.builds import (
    Place,
    check_refusal,
    light_build,
    refused,
    snapshot,
)
from support.networks import Network
from support.paths import INVALID

pytestmark = pytest.mark.slow

pytest_plugins = ("support.build_fixtures",)

CALIBRATION = resource("calibration_data")


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
    place.refused(2, r"needs images .*--calibration", "export", INVALID / "float.tflite")


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
        monkeypatch.setattr(terminal, "err", type(terminal.err)(file=said))
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
def test_a_layer_that_the_runtime_does_not_know_is_named(in_process: Any) -> None:
    arguments = ("export", INVALID / "unknown_layers.keras", "--calibration", CALIBRATION)
    in_process(2, r"computed in float32: CONV_3D \(.+\) \(build the model without", *arguments)


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
    refusal = "unknown target 'nucleo' .did you mean nucleo-f446re. known: alif-e7, b-l475e-iot01a"
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
        2, r"file/b: cannot be written: Not a directory \(see --out\)", "export", "--out", "file/b"
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
        env={"PATH": str(tools), **without(["ziglang"])},
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
    refusal = rf"{name}: (is in no folder that is there|cannot be written: .*) \(see {option}\)"
    place.refused(2, refusal, "verify", "--build", demo, option, name)
