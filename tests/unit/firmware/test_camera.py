"""The camera examples: rows of a frame against numpy and Pillow, and both systems' APIs.

Cameras and network are stand-ins; the class is the sum of the input's bytes, each times its place.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgesq.project.build import STRICT_FLAGS
from edgesq.resources import resource
from support.crun import SANITIZERS, run_command
from support.paths import STANDINS

FIRMWARE = resource("firmware")
CAMERA = FIRMWARE / "camera"
ESP, ZEPHYR, MODEL = STANDINS / "esp-idf", STANDINS / "zephyr", STANDINS / "model"
FOLDERS = (FIRMWARE / "include", FIRMWARE / "examples", CAMERA, MODEL)
GREY, LITTLE, BIG = range(3)

Bytes = NDArray[np.uint8]


class Frame(ctypes.Structure):
    """struct esq_camera_frame."""

    _fields_ = (
        ("bytes", ctypes.c_char_p),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("pitch_bytes", ctypes.c_uint32),
        ("pixels", ctypes.c_int),
    )


def colours(frame: Bytes, width: int, pixels: int) -> Bytes:
    """Return a frame's rows of bytes as uint8 [height, width, 3]."""
    if pixels == GREY:
        return np.repeat(frame[:, :width, np.newaxis], 3, axis=2)
    both = frame[:, : 2 * width].astype(np.uint32)
    low, high = (both[:, 0::2], both[:, 1::2])[:: 1 if pixels == LITTLE else -1]
    value = high << 8 | low
    red, green, blue = value >> 11, value >> 5 & 63, value & 31
    parts = (red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2)
    return np.stack(parts, axis=2).astype(np.uint8)


def seen(image: Bytes, height: int, width: int, channels: int) -> Bytes:
    """Return what the network gets of an image: the largest centred part, the nearest pixels."""
    tall, wide = image.shape[:2]
    part = (tall, max(1, tall * width // height))
    if part[1] >= wide:
        part = (max(1, wide * height // width), wide)
    top, left = (tall - part[0]) // 2, (wide - part[1]) // 2
    rows = top + (2 * np.arange(height) + 1) * part[0] // (2 * height)
    columns = left + (2 * np.arange(width) + 1) * part[1] // (2 * width)
    found = image[rows][:, columns]
    grey = np.asarray(Image.fromarray(found).convert("L"))[..., np.newaxis]
    return found if channels == 3 else grey


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


def expected(
    shape: tuple[int, int, int], tall: int, wide: int, pitch: int, pixels: int
) -> list[str]:
    """Return the lines for the stand-in's two frames, byte i of the nth 7 i + n."""
    lines = []
    for n in range(2):
        data = (7 * np.arange(tall * pitch) + n).astype(np.uint8).reshape(tall, pitch)
        values = seen(colours(data, wide, pixels), *shape).ravel().astype(np.uint64)
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
    assert lines == expected(shape, 24, 40, 84, LITTLE)


@pytest.mark.parametrize(("shape", "pixels"), [((96, 96, 3), BIG), ((28, 28, 1), GREY)])
def test_by_esp_camera(shape: tuple[int, int, int], pixels: int, tmp_path: Path) -> None:
    component = ESP / "components" / "esp32-camera"
    main = FIRMWARE / "template" / "esp-idf" / "examples" / "camera" / "main" / "main.c"
    (tmp_path / "run.c").write_text("void app_main(void); int main(void) { app_main(); }")
    options = (f"-I{ESP / 'include'}", f"-I{component / 'include'}")
    sources = (main, component / "camera.c", tmp_path / "run.c")
    lines = said(tmp_path / "camera", sources, *options, *of_shape(shape))
    pitch = 320 if pixels == GREY else 640
    assert lines == [*expected(shape, 240, 320, pitch, pixels), "failed: no frame"]
