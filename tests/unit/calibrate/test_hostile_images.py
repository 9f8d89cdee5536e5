"""Images, folders, manifests and .npz files that are broken or made to hurt: one line of error."""

import contextlib
import io
import os
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgesq.calibrate import Classes, load_folder, open_folder, open_npz, read_image
from edgesq.errors import EdgesqError, ImageError
from edgesq.limits import MAX_SIDE

SHAPE = (6, 4, 3)
SECONDS = 10.0


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def refused(words: str, function: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(EdgesqError, match=words) as raised:
        function(*arguments)
    assert "\n" not in str(raised.value)


def picture(path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SHAPE[1], SHAPE[0]), (9, 8, 7)).save(path, **options)
    return path


# Files


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """Return a PNG whose head says a size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(60_000, 60_000), "more pixels than edgesq takes"),
        (png(MAX_SIDE + 1, 1), "more pixels than edgesq takes"),
        (png(MAX_SIDE, MAX_SIDE), "more pixels than edgesq takes"),
        (png(2**31 - 1, 2**31 - 1), "more pixels than edgesq takes"),
        (png(0, 4), "not a readable image"),
        (png(40, 40, b"\0" * 1000), "not a readable image"),
        (b"", "not a readable image"),
        (b"GIF89a" + b"\xff" * 40, "not a readable image"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "not a readable image"),
        (b"BM" + b"\xff" * 60, "not a readable image"),
        (b"\xff\xd8\xff\xe1\xff\xff" + b"Exif\0\0" * 20, "not a readable image"),
    ],
    ids=range(11),
)
def test_files_that_are_no_images(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    refused(words, read_image, tmp_path / "a.png", SHAPE[:2])
    refused(words, load_folder, tmp_path, SHAPE)


@pytest.mark.parametrize(
    ("suffix", "modes"),
    [
        ("png", ("1", "L", "LA", "P", "RGBA")),
        ("jpg", ("L", "CMYK", "YCbCr")),
        ("gif", ("1", "L", "P")),
        ("webp", ("L", "RGBA")),
        ("bmp", ("1", "L", "P")),
    ],
)
def test_every_mode_becomes_the_channels_asked_for(
    tmp_path: Path, suffix: str, modes: tuple[str, ...]
) -> None:
    for mode in modes:
        white = Image.new("RGB", (SHAPE[1], SHAPE[0]), (255, 255, 255))
        white.convert(mode).save(tmp_path / f"a.{suffix}")
        for channels in (1, 3):
            read = read_image(tmp_path / f"a.{suffix}", SHAPE[:2], channels)
            assert read.shape == (*SHAPE[:2], channels)
            assert read.min() > 250


def test_more_bits_and_more_frames(tmp_path: Path) -> None:
    Image.fromarray(np.full((6, 4), 4000, np.uint16)).save(tmp_path / "deep.png")
    refused("more than 8 bits", read_image, tmp_path / "deep.png", SHAPE[:2])
    frames = [Image.new("RGB", (4, 6), (level, 0, 0)) for level in (10, 250)]
    for name in ("a.gif", "a.webp", "a.png"):
        more: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "lossless": True}
        frames[0].save(tmp_path / name, **more)
        assert read_image(tmp_path / name, SHAPE[:2])[..., 0].max() <= 20, "the first frame"


@pytest.mark.parametrize("damaged", [b"", b"Exif\0\0", b"Exif\0\0II*\0" + b"\xff" * 30], ids=len)
def test_damaged_exif_is_left_out_or_refused(tmp_path: Path, damaged: bytes) -> None:
    file = picture(tmp_path / "a.jpg", exif=damaged)
    with contextlib.suppress(ImageError):
        assert read_image(file, SHAPE[:2]).shape == SHAPE


# Folders


def test_what_has_an_images_name_and_is_none(tmp_path: Path) -> None:
    picture(tmp_path / "cat" / "a.png")
    (tmp_path / "cat" / "folder.png").mkdir()
    (tmp_path / "cat" / "nowhere.png").symlink_to("missing.png")
    (tmp_path / "cat" / "loop.png").symlink_to("loop.png")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "cat" / "up").symlink_to("..")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    (tmp_path / "cat" / "null.png").symlink_to(os.devnull)
    found = open_folder(tmp_path)
    assert [file.name for file in found.files] == ["a.png"]
    assert found.classes.names == ("cat",)
    assert "4 .png" in found.notes[0]
    refused("no such image", read_image, tmp_path / "cat" / "pipe.png", SHAPE[:2])
    refused("no such image folder", open_folder, tmp_path / "loop")
    refused("no such image folder|cannot be read", open_folder, tmp_path / ("x" * 300))
    refused("no such image folder: it is a file", open_folder, tmp_path / "cat" / "a.png")


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png")
    found = open_folder(tmp_path)
    file.unlink()
    refused("is not there any more", lambda: found.identity)
    refused("no such image", lambda: list(found.images(SHAPE)))


def test_a_set_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More images than memory may hold: some of each class are taken, and a line says so."""
    for name in ("a", "b"):
        for number in range(6):
            picture(tmp_path / name / f"{number}.png")
    monkeypatch.setattr("edgesq.calibrate.choose.MAX_SET_VALUES", 5 * 6 * 4 * 3)
    loaded = load_folder(tmp_path, SHAPE)
    assert loaded.labels is not None
    assert loaded.labels.tolist() == [0, 0, 0, 1, 1]
    assert "of 12 images 5 are taken" in loaded.notes[-1]


# The manifest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"preprocessing": {"scale": %s}}' % ("9" * 400), "scale is not a number above 0"),
        ('{"preprocessing": {"scale": 1e-300}}', "scale is not a number above 0"),
        ('{"preprocessing": {"scale": 1e999}}', "scale is not a number above 0"),
        ('{"preprocessing": {"mean": [1, 2, %s]}}' % ("9" * 400), "mean is not a list of three"),
        ('{"preprocessing": {"scale": %s}}' % ("9" * 5000), "not valid JSON"),
        ('{"preprocessing": {"resize": %s}}' % ("9" * 100), "resize is neither"),
        ('{"preprocessing": {"resize": 60000}}', "resize is neither"),
        ('{"preprocessing": {"resize": [2147483648, 2147483648]}}', "resize is neither"),
        ('{"preprocessing": {"resize": [0, 10]}}', "resize is neither"),
        ('{"preprocessing": {"resize": [4, 4]}}', "smaller than the model's 6 x 4"),
        ('{"preprocessing": {"resize": "tile"}}', "one of stretch, crop, pad"),
        ('{"preprocessing": {"resize": ["crop", 1]}}', "resize is neither"),
        ('{"preprocessing": {"resize": true}}', "resize is neither"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a":' * 100_000, "not valid JSON"),
        ('{"files": {"../../etc/passwd": "0"}}', "is in the manifest but not in the folder"),
        ('{"classes": {"a": 1e3}}', "numbers are not 0 to 0"),
    ],
    ids=range(17),
)
def test_manifests_that_no_image_has(tmp_path: Path, text: str, words: str) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "manifest.json").write_text(text)
    refused(words, load_folder, tmp_path, SHAPE)


def test_a_manifest_that_is_no_file(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    os.mkfifo(tmp_path / "manifest.json")
    refused("manifest.json", load_folder, tmp_path, SHAPE)


def test_a_resize_of_a_long_image_is_bounded(tmp_path: Path) -> None:
    Image.new("RGB", (12_000, 2)).save(tmp_path / "a.png")
    (tmp_path / "manifest.json").write_text('{"preprocessing": {"resize": 16000}}')
    refused("resized, it is 16,000 x 96,000,000: more pixels", load_folder, tmp_path, SHAPE)
    assert load_folder(tmp_path, SHAPE, fit="crop").images.shape == (1, *SHAPE)


# .npz


def npy(head: str, data: bytes = b"", version: bytes = b"\1\0", length: int | None = None) -> bytes:
    size = len(head) if length is None else length
    told = struct.pack("<H" if version == b"\1\0" else "<I", size)
    return b"\x93NUMPY" + version + told + head.encode() + data


def head(shape: str, descr: str = "'|u1'", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


GOOD = bytes(2 * 6 * 4 * 3)


@pytest.mark.parametrize(
    "content",
    [
        npy(head("(-1, 6, 4, 3)"), GOOD),
        npy(head("(-2, -6, 4, 3)"), GOOD),
        npy(head("(1000000000000, 6, 4, 3)"), GOOD),
        npy(head("(2, 6, 4, 3)"), GOOD[:-1]),
        npy(head("(2, 6, 4, 3)"), GOOD + b"\0"),
        npy(head("(2.0, 6, 4, 3)"), GOOD),
        npy(head("(2, 6, 4, 3)", "'|O'"), GOOD),
        npy(head("(2, 6, 4, 3)", "[('a', 'u1')]"), GOOD),
        npy(head("(2, 6, 4, 3)", "'|u1'", "True"), GOOD[:-9]),
        npy(head("(2, 6, 4, 3)"), GOOD, b"\2\0", 4_000_000_000),
        npy(head("(2, 6, 4, 3)"), GOOD, b"\3\0", 70_000),
        npy("(" * 5000, GOOD),
        npy("{", GOOD),
        b"",
        b"\x93NUMPY",
    ],
    ids=range(15),
)
def test_heads_that_are_not_true(tmp_path: Path, content: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("input.npy", content)
    refused("a.npz: ", lambda: list(open_npz(tmp_path / "a.npz", SHAPE).images()))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([-1, 0], "label -1 is no class number"),
        ([0, 2**40], "is no class number"),
        (np.array([2**63, 0], np.uint64), "is no class number"),
        ([[0], [1]], "labels are int64"),
        ([0.0, 1.0], "labels are float64"),
        (["a", "b"], "labels are <U1"),
        ([True, False], "labels are bool"),
    ],
)
def test_labels_that_are_no_classes(tmp_path: Path, labels: Any, words: str) -> None:
    np.savez(tmp_path / "a.npz", input=np.zeros((2, *SHAPE), np.uint8), labels=np.array(labels))
    refused(words, open_npz, tmp_path / "a.npz", SHAPE)


def test_object_labels_are_not_unpickled(tmp_path: Path) -> None:
    labels = np.array([print, sys], dtype=object)[:0]
    buffer = io.BytesIO()
    np.save(buffer, labels)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("input.npy", npy(head("(2, 6, 4, 3)"), GOOD))
        archive.writestr("labels.npy", buffer.getvalue())
    refused("labels are object", open_npz, tmp_path / "a.npz", SHAPE)


def test_a_compressed_head_of_gigabytes(tmp_path: Path) -> None:
    spaces = npy(" " * 50_000_000, GOOD, b"\2\0")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("input.npy", spaces)
    refused("a.npz: is not a readable", open_npz, tmp_path / "a.npz", SHAPE)


def test_damaged_archives(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    np.savez_compressed(file, input=np.zeros((2, *SHAPE), np.uint8), labels=np.arange(2))
    content = file.read_bytes()
    random = np.random.default_rng(0)
    accepted = 0
    for _ in range(300):
        data = bytearray(content)
        for place in random.integers(0, len(data), random.integers(1, 4)):
            data[place] = random.integers(0, 256)
        file.write_bytes(data)
        with contextlib.suppress(ImageError):
            accepted += len(list(open_npz(file, SHAPE).images())) == 2
    assert accepted < 200


@pytest.mark.parametrize(
    "classes",
    [Classes(("a", "a")), Classes(("a\n",)), Classes((" ",)), Classes((), "\x1b[31m")],
)
def test_classes_that_no_export_wrote(classes: Classes) -> None:
    with pytest.raises(ValueError, match=r"is there twice|name is empty|not printable"):
        classes.check()
