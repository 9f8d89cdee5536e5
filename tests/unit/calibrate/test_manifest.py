"""The manifest of a folder: preprocessing, files, and which are refused."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from edgesq.calibrate import Preprocessing, load_folder
from support.pictures import SHAPE, pixels, refused, save

Declared = tuple[Path, dict[str, Any]]


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
