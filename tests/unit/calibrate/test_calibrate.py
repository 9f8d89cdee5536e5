"""Images, folders with a manifest, .npz files, and what is said about bad ones."""

import contextlib
import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgesq.calibrate import Preprocessing, load_folder, open_folder, open_npz, read_image
from edgesq.errors import ImageError

UInt8Array = NDArray[np.uint8]
Declared = tuple[Path, dict[str, Any]]

SHAPE = (6, 4, 3)


def pixels(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> UInt8Array:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path: Path, array: NDArray[Any] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels() if array is None else array).save(path)
    return path


def refused(message: str, function: Callable[..., Any], *arguments: Any) -> ImageError:
    """Assert that the call fails with ImageError, in one line, with a hint and the place."""
    with pytest.raises(ImageError, match=message) as raised:
        function(*arguments)
    assert "\n" not in str(raised.value)
    assert raised.value.where
    return raised.value


# Preprocessing


def test_default_preprocessing_is_pixel_minus_128() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=-1)
    quantized = Preprocessing().to_int8(every, float(np.float32(1 / 255)), -128)
    assert quantized.dtype == np.int8
    np.testing.assert_array_equal(quantized.view(np.uint8), every ^ 0x80)


def test_bgr_and_mean_apply_in_the_models_order() -> None:
    image = np.array([[[10, 20, 30]]], np.uint8)
    real = Preprocessing("bgr", (1.0, 2.0, 3.0), 0.5).to_float(image)
    assert real.dtype == np.float32
    np.testing.assert_array_equal(real, [[[14.5, 9.0, 3.5]]])


def test_grey_images_use_the_first_mean() -> None:
    grey = np.array([[[10]]], np.uint8)
    np.testing.assert_array_equal(Preprocessing("bgr", (4.0, 9.0, 9.0), 2).to_float(grey), [[[12]]])


def test_quantization_rounds_halves_away_and_clips() -> None:
    image = np.array([0, 1, 2, 3, 255], np.uint8).reshape(1, 1, 5, 1)
    quantized = Preprocessing(mean=(2.0, 0, 0), scale=1).to_int8(image, 2.0, 3)
    np.testing.assert_array_equal(quantized.ravel(), [2, 2, 3, 4, 127])


# One image


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


# Folders


def test_class_folders_become_labels(tmp_path: Path) -> None:
    for name in ("10", "9", "2"):
        save(tmp_path / name / "b.png", pixels(int(name)))
    save(tmp_path / "2" / "a.PNG", pixels(1))
    (tmp_path / "notes.txt").write_text("left alone")
    (tmp_path / "2" / ".hidden.png").write_text("left alone")
    loaded = load_folder(tmp_path, SHAPE)
    assert loaded.classes.names == ("10", "2", "9")
    np.testing.assert_array_equal(loaded.labels, [0, 1, 1, 2])
    np.testing.assert_array_equal(loaded.images, [pixels(seed) for seed in (10, 1, 2, 9)])
    assert [file.name for file in loaded.files] == ["b.png", "a.PNG", "b.png", "b.png"]
    assert loaded.preprocessing == Preprocessing()


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "b.png")
    save(tmp_path / "a.png", pixels(1))
    loaded = load_folder(tmp_path, SHAPE)
    assert loaded.labels is None
    assert loaded.classes.names == ()
    np.testing.assert_array_equal(loaded.images, [pixels(1), pixels()])


def test_the_identity_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    file = save(tmp_path / "a.png")
    first = open_folder(tmp_path).identity
    assert open_folder(tmp_path).identity == first
    os.utime(file, ns=(1, 1))
    touched = open_folder(tmp_path).identity
    save(tmp_path / "b.png")
    assert len({first, touched, open_folder(tmp_path).identity}) == 3


def test_unusable_folders_are_refused(tmp_path: Path) -> None:
    refused("no such image folder", load_folder, tmp_path / "none", SHAPE)
    refused("no images in this folder", load_folder, tmp_path, SHAPE)
    (tmp_path / "empty").mkdir()
    refused("no images in this folder", load_folder, tmp_path, SHAPE)
    save(tmp_path / "cat" / "a.png")
    save(tmp_path / "a.png")
    refused(r"class folders \(cat\) and beside", load_folder, tmp_path, SHAPE)
    (tmp_path / "a.png").unlink()
    (tmp_path / "cat" / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    error = refused("not a readable image", load_folder, tmp_path, SHAPE)
    assert error.where == str(tmp_path / "cat" / "b.jpg")


# The manifest


@pytest.fixture
def declared(tmp_path: Path) -> Declared:
    """Make a folder of one image with a good manifest; return the folder and the manifest."""
    file = save(tmp_path / "cat" / "a.png")
    manifest = {
        "source": "a test",
        "licence": "CC0-1.0",
        "preprocessing": {"channel_order": "bgr", "mean": [104, 117.5, 123], "scale": 1},
        "files": {"cat/a.png": hashlib.sha256(file.read_bytes()).hexdigest()},
    }
    write(tmp_path, manifest)
    return tmp_path, manifest


def write(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_the_manifest_declares_the_preprocessing(declared: Declared) -> None:
    folder, _ = declared
    wanted = Preprocessing("bgr", (104.0, 117.5, 123.0), 1.0)
    assert load_folder(folder, SHAPE).preprocessing == wanted
    write(folder, {"licence": "CC0-1.0"})
    assert load_folder(folder, SHAPE).preprocessing == Preprocessing()


def test_files_must_be_those_of_the_manifest(declared: Declared) -> None:
    folder, manifest = declared
    extra = save(folder / "cat" / "b.png", pixels(3))
    assert refused("is not in the manifest", load_folder, folder, SHAPE).where == str(extra)
    extra.rename(folder / "cat" / "a.png")
    refused("SHA-256 differs", load_folder, folder, SHAPE)
    manifest["files"]["cat/c.png"] = "0" * 64
    write(folder, manifest)
    save(folder / "cat" / "a.png")
    error = refused("in the manifest but not in the folder", load_folder, folder, SHAPE)
    assert error.where == str(folder / "cat" / "c.png")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preprocesing": {}}, "the manifest has an unknown key: preprocesing"),
        ({"source": 3}, "source is not a string"),
        ({"licence": None}, "licence is not a string"),
        ({"files": ["cat/a.png"]}, "files is not an object"),
        ({"files": {"cat/a.png": 12}}, "files is not an object"),
        ({"preprocessing": 1}, "preprocessing is not an object"),
        ({"preprocessing": {"std": 2}}, "preprocessing has an unknown key: std"),
        ({"preprocessing": {"channel_order": "grb"}}, "channel_order is neither"),
        ({"preprocessing": {"channel_order": []}}, "channel_order is neither"),
        ({"preprocessing": {"mean": [1, 2]}}, "mean is not a list of three numbers"),
        ({"preprocessing": {"mean": [1, 2, "3"]}}, "mean is not a list of three numbers"),
        ({"preprocessing": {"scale": 0}}, "scale is not a number above 0"),
        ({"preprocessing": {"scale": True}}, "scale is not a number above 0"),
        ({"preprocessing": {"scale": float("nan")}}, "scale is not a number above 0"),
    ],
)
def test_a_manifest_of_the_wrong_shape_is_refused(
    declared: Declared, change: dict[str, Any], message: str
) -> None:
    folder, manifest = declared
    write(folder, {**manifest, **change})
    error = refused(message, load_folder, folder, SHAPE)
    assert error.where == str(folder / "manifest.json")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe{}", b""])
def test_a_manifest_that_is_no_json_object_is_refused(declared: Declared, content: bytes) -> None:
    folder, _ = declared
    (folder / "manifest.json").write_bytes(content)
    refused("not valid JSON|the manifest is not an object|not UTF-8", load_folder, folder, SHAPE)


# .npz


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_npz_images_are_read_as_they_are(tmp_path: Path, dtype: type[np.int8 | np.uint8]) -> None:
    images = pixels(0, (5, *SHAPE)).view(dtype)
    np.savez(tmp_path / "a.npz", input=images, labels=np.arange(5, dtype=np.uint16), other=1)
    found = open_npz(tmp_path / "a.npz", SHAPE)
    assert (found.count, found.dtype) == (5, np.dtype(dtype))
    np.testing.assert_array_equal(list(found.images()), images)
    np.testing.assert_array_equal(list(found.images(np.arange(3, 5))), images[3:])
    np.testing.assert_array_equal(found.labels, range(5))
    np.savez_compressed(tmp_path / "b.npz", input=np.asfortranarray(images))
    found = open_npz(tmp_path / "b.npz", SHAPE)
    assert found.labels is None
    np.testing.assert_array_equal(list(found.images(np.arange(1, 5))), images[1:])


def test_the_identity_of_npz_images_is_that_of_their_arrays(tmp_path: Path) -> None:
    identities = []
    for name, images in (("a", GOOD), ("b", GOOD), ("c", GOOD ^ 1)):
        np.savez(tmp_path / f"{name}.npz", input=images, other=name)
        identities.append(open_npz(tmp_path / f"{name}.npz", SHAPE).identity)
    assert identities[0] == identities[1] != identities[2]


def test_npz_images_damaged_in_the_middle(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    np.savez(file, input=GOOD)
    content = bytearray(file.read_bytes())
    content[content.index(GOOD[3].tobytes())] ^= 1
    file.write_bytes(content)
    refused("not a readable", lambda: list(open_npz(file, SHAPE).images()))


GOOD = pixels(0, (5, *SHAPE))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": GOOD}, "holds no array called input"),
        ({"input": GOOD.astype(np.float32)}, "input is float32"),
        ({"input": GOOD[..., :1]}, r"input is uint8 \[5, 6, 4, 1\]"),
        ({"input": GOOD[0]}, r"input is uint8 \[6, 4, 3\]"),
        ({"input": GOOD[:0]}, r"input is uint8 \[0, 6, 4, 3\]"),
        ({"input": np.uint8(3)}, r"input is uint8 \[\]"),
        ({"input": GOOD, "labels": np.arange(4)}, r"labels are int64 \[4\]"),
        ({"input": GOOD, "labels": np.ones(5)}, r"labels are float64 \[5\]"),
        ({"input": np.array([None])}, "input is object"),
    ],
)
def test_npz_arrays_of_the_wrong_kind_are_refused(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    refused(message, open_npz, tmp_path / "a.npz", SHAPE)


def test_unreadable_npz_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    refused("no such folder or .npz file", open_npz, file, SHAPE)
    np.savez(file, input=GOOD)
    file.write_bytes(file.read_bytes()[:-60])
    refused("not a readable", open_npz, file, SHAPE)
    with file.open("wb") as opened:
        np.save(opened, GOOD)
    refused("not a readable", open_npz, file, SHAPE)
