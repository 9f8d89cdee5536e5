"""The camera examples: rows of a frame against numpy and Pillow, and both systems' APIs.

Cameras and network are stand-ins; the class is the sum of the input's bytes, each times its place.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edgesq.project.build import STRICT_FLAGS
from edgesq.resources import resource
from support.camera import BIG, GREY, LITTLE, Bytes, colours, pattern, seen
from support.crun import SANITIZERS, run_command
from support.paths import STANDINS

FIRMWARE = resource("firmware")
CAMERA = FIRMWARE / "camera"
ESP, ZEPHYR, MODEL = STANDINS / "esp-idf", STANDINS / "zephyr", STANDINS / "model"
FOLDERS = (FIRMWARE / "include", FIRMWARE / "examples", CAMERA, MODEL)


class Frame(ctypes.Structure):
    """struct esq_camera_frame."""

    _fields_ = (
        ("bytes", ctypes.c_char_p),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("pitch_bytes", ctypes.c_uint32),
        ("pixels", ctypes.c_int),
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    out = tmp_path_factory.mktemp("camera") / "rows.so"
    run_command("gcc", *STRICT_FLAGS, "-shared", "-fPIC", CAMERA / "camera_rows.c", "-o", out)
    return ctypes.CDLL(str(out))


@pytest.mark.parametrize("pixels", [GREY, LITTLE, BIG])
@pytest.mark.parametrize(
    ("frame", "shape"),
    [
        ((24, 32), (24, 32, 3)),
        ((24, 32), (12, 12, 3)),
        ((240, 320), (96, 96, 1)),
        ((32, 24), (15, 20, 3)),
        ((3, 2), (7, 9, 1)),
        ((1, 500), (64, 2, 3)),
    ],
)
def test_rows(
    rows: ctypes.CDLL, frame: tuple[int, int], shape: tuple[int, int, int], pixels: int
) -> None:
    (tall, wide), (height, width, channels) = frame, shape
    pitch = wide * (1 if pixels == GREY else 2) + 3
    data = np.random.default_rng(3).integers(0, 256, (tall, pitch), np.uint8)
    c_frame = Frame(data.tobytes(), wide, tall, pitch, pixels)
    c_input = (ctypes.c_uint32 * 3)(height, width, channels)
    row = ctypes.create_string_buffer(width * channels)
    found = bytearray()
    for y in range(height):
        rows.esq_camera_row(ctypes.byref(c_frame), c_input, ctypes.c_uint32(y), row)
        found += row.raw
    assert found == seen(colours(data, wide, pixels), *shape).tobytes()


def said(out: Path, sources: Sequence[Path], *options: str | Path) -> list[str]:
    """Compile an example around the stand-ins, and return the lines that it says."""
    model = (MODEL / "sample_model.c", CAMERA / "camera_rows.c")
    folders = [f"-I{folder}" for folder in FOLDERS]
    run_command("gcc", *STRICT_FLAGS, *SANITIZERS, *folders, *options, *sources, *model, "-o", out)
    return run_command(out).decode().splitlines()


def expected(shape: tuple[int, int, int], frames: Sequence[Bytes]) -> list[str]:
    """Return the lines for these frames."""
    lines = []
    for frame in frames:
        values = seen(frame, *shape).ravel().astype(np.uint64)
        total = int(values @ np.arange(1, len(values) + 1, dtype=np.uint64))
        lines.append(f"class {total & 0x7FFFFFFF}")
    return lines


def of_shape(shape: tuple[int, int, int]) -> list[str]:
    sides = zip(("HEIGHT", "WIDTH", "CHANNELS"), shape, strict=True)
    return [f"-DSAMPLE_MODEL_INPUT_{side}={value}u" for side, value in sides]


@pytest.mark.parametrize("version", ["0x30300", "0x40100", "0x40200"])
def test_by_zephyrs_video_api(version: str, tmp_path: Path) -> None:
    folder = FIRMWARE / "template" / "zephyr" / "examples" / "camera"
    settings = dict(
        line.split("=") for line in (folder / "prj.conf").read_text().splitlines() if "=" in line
    )
    settings["CONFIG_VIDEO_SW_GENERATOR"] = "1"
    defines = [f"-D{name}={value}" for name, value in settings.items() if "VIDEO" in name]
    sources = (folder / "src" / "main.c", ZEPHYR / "video.c")
    options = (f"-I{ZEPHYR / 'include'}", f"-DKERNEL_VERSION_NUMBER={version}", *defines)
    shape = (12, 14, 3)
    lines = said(tmp_path / "camera", sources, *options, *of_shape(shape))
    assert lines == expected(shape, [pattern(n, 24, 40, 84, LITTLE) for n in range(2)])


@pytest.mark.parametrize(("shape", "pixels"), [((96, 96, 3), BIG), ((28, 28, 1), GREY)])
def test_by_esp_camera(shape: tuple[int, int, int], pixels: int, tmp_path: Path) -> None:
    component = ESP / "components" / "esp32-camera"
    main = FIRMWARE / "template" / "esp-idf" / "examples" / "camera" / "main" / "main.c"
    (tmp_path / "run.c").write_text("void app_main(void); int main(void) { app_main(); }")
    options = (f"-I{ESP / 'include'}", f"-I{component / 'include'}")
    sources = (main, component / "camera.c", tmp_path / "run.c")
    lines = said(tmp_path / "camera", sources, *options, *of_shape(shape))
    pitch = 320 if pixels == GREY else 640
    frames = [pattern(n, 240, 320, pitch, pixels) for n in range(2)]
    assert lines == [*expected(shape, frames), "failed: no frame"]
