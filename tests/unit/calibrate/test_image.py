"""One image: decoded, squashed to a size, and which are refused."""

import contextlib
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgesq.calibrate import read_image
from edgesq.errors import ImageError
from support.pictures import SHAPE, pixels, refused, save


def test_images_of_the_right_size_are_read_unchanged(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp"):
        np.testing.assert_array_equal(read_image(save(tmp_path / name), SHAPE[:2]), pixels())
    flat = np.full(SHAPE, 77, np.uint8)
    read = read_image(save(tmp_path / "a.jpg", flat), SHAPE[:2])
    np.testing.assert_allclose(read.astype(int), flat, atol=2)


def test_images_are_squashed_to_the_size(tmp_path: Path) -> None:
    file = save(tmp_path / "a.png", np.full((9, 31, 3), 50, np.uint8))
    np.testing.assert_array_equal(read_image(file, (6, 4)), np.full(SHAPE, 50))


def test_modes_become_the_channels_asked_for(tmp_path: Path) -> None:
    grey = save(tmp_path / "grey.png", pixels(1, (6, 4)))
    np.testing.assert_array_equal(
        read_image(grey, (6, 4)), np.repeat(pixels(1, (6, 4, 1)), 3, axis=-1)
    )
    assert read_image(save(tmp_path / "rgb.png"), (6, 4), 1).shape == (6, 4, 1)
    alpha = save(tmp_path / "alpha.png", pixels(2, (6, 4, 4)))
    np.testing.assert_array_equal(read_image(alpha, (6, 4)), pixels(2, (6, 4, 4))[..., :3])


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels()).save(tmp_path / "a.png", exif=exif)
    read = read_image(tmp_path / "a.png", (4, 6))
    np.testing.assert_array_equal(read, np.rot90(pixels(), -1))


def test_unusable_images_are_refused(tmp_path: Path) -> None:
    refused("no such image", read_image, tmp_path / "none.png", (6, 4))
    (tmp_path / "text.png").write_text("hello")
    refused("not a readable image", read_image, tmp_path / "text.png", (6, 4))
    (tmp_path / "empty.jpg").touch()
    refused("not a readable image", read_image, tmp_path / "empty.jpg", (6, 4))
    refused("cannot give 5 channels", read_image, save(tmp_path / "a.png"), (6, 4), 5)
    Image.fromarray(pixels()).save(tmp_path / "tiff.png", format="TIFF")
    refused("not a readable image", read_image, tmp_path / "tiff.png", (6, 4))
    save(tmp_path / "deep.png", np.full((6, 4), 40000, np.uint16))
    refused("more than 8 bits", read_image, tmp_path / "deep.png", (6, 4))


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_truncated_images_are_refused(tmp_path: Path, suffix: str) -> None:
    file = save(tmp_path / f"a.{suffix}", pixels(0, (40, 40, 3)))
    file.write_bytes(file.read_bytes()[:-200])
    assert refused("not a readable image", read_image, file, (40, 40)).where == str(file)


def test_damaged_images_raise_nothing_but_image_errors(tmp_path: Path) -> None:
    chance = random.Random(5)
    for suffix in ("png", "jpg", "bmp"):
        good = save(tmp_path / f"good.{suffix}", pixels(0, (16, 16, 3))).read_bytes()
        for _ in range(60):
            bad = bytearray(good)
            for _ in range(3):
                bad[chance.randrange(min(len(bad), 120))] = chance.randrange(256)
            file = tmp_path / f"bad.{suffix}"
            file.write_bytes(bad)
            with contextlib.suppress(ImageError):
                assert read_image(file, (16, 16)).shape == (16, 16, 3)
