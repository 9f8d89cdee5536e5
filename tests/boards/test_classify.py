"""The firmware project's example: raw images in on the serial line, their classes out."""

import re
import subprocess
from pathlib import Path

import pytest

from edgesq.builds.library import folder_of, layouts_of
from edgesq.flash import host, qemu
from edgesq.link.transport import open_port
from edgesq.project import Layout, firmware_path
from edgesq.targets import load_target
from support.boards import running
from support.cases import NETWORKS
from support.crun import run_command
from support.libraries import classes_of, damage, library, pixels_of, texts_of, verify_build

NETWORK = "every_operator"


@pytest.mark.emulated
@pytest.mark.parametrize("board", ["host", "mps2-an500", "mps3-an547"])
def test_images_in_and_classes_out(board: str, tmp_path: Path) -> None:
    target = load_target(board)
    folder = verify_build(tmp_path, NETWORKS[NETWORK](), board) / "firmware"
    made = library(tmp_path, Layout.CMAKE, NETWORKS[NETWORK](), "my", target.kernels)
    assert made.folder == folder
    warnings = "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"
    run_command("cmake", "-S", folder, "-B", folder / "build", warnings)
    run_command("cmake", "--build", folder / "build", "--target", "classify")
    program = firmware_path(folder, target)
    (folder / "build" / f"classify{program.suffix}").rename(program)
    pixels = pixels_of(made.graph, 4)
    expected = classes_of(made.graph, pixels)
    command = (host if target.is_host else qemu).command(tmp_path, target)
    said = b""
    with running(command, tmp_path / "log") as (_, port), open_port(port) as line:
        for count, image in enumerate(pixels, start=1):
            line.write(image.tobytes())
            while said.count(b"\n") < count:
                heard = line.read(20.0)
                assert heard, f"silent after {said!r}"
                said += heard
    assert [int(number) for number in said.split()] == expected


def test_damaged_weights_end_the_example(tmp_path: Path) -> None:
    """It says the negated status, and ends: no image is answered, none waited for."""
    target = load_target("host")
    folder = verify_build(tmp_path, NETWORKS[NETWORK](), "host") / "firmware"
    made = library(tmp_path, Layout.CMAKE, NETWORKS[NETWORK](), "my", target.kernels, coded=True)
    damage(made)
    run_command("cmake", "-S", folder, "-B", folder / "build")
    run_command("cmake", "--build", folder / "build", "--target", "classify")
    program = folder / "build" / "classify"
    command = ["timeout", "60", str(program)]
    done = subprocess.run(command, stdin=subprocess.PIPE, capture_output=True, timeout=90)
    assert (done.returncode, done.stdout) == (1, b"-5\n")
    header = (folder / "include" / "edgesq.h").read_text()
    assert re.search(r"ESQ_FAILED = 5,", header)


@pytest.mark.parametrize("layout", list(Layout))
def test_only_the_placeholder_is_renamed(layout: Layout, tmp_path: Path) -> None:
    """A name that ends like the placeholder of the templates stays whole."""
    made = library(tmp_path, layout, NETWORKS["fire"](), "xsample")
    files = {Path(place).name: text for place, text in texts_of(made).items()}
    assert "xsample_model.c" in files
    assert "extern const struct esq_model xsample_model;" in files["xsample_model.h"]
    for name, text in {**files, **{name: name for name in files}}.items():
        assert not re.search(r"(?<!x)sample_|xxsample|(?<!X)SAMPLE_", text), name


@pytest.mark.parametrize(
    ("board", "layout", "folders"),
    [
        ("host", Layout.CMAKE, ["firmware"]),
        ("host", Layout.ARDUINO, ["firmware", "arduino"]),
        ("esp32s3", Layout.ESP_IDF, ["esp-idf"]),
    ],
)
def test_what_a_build_holds(board: str, layout: Layout, folders: list[str]) -> None:
    """The firmware project, where the board has a port, and the library asked for."""
    assert [folder_of(held) for held in layouts_of(layout, load_target(board))] == folders
