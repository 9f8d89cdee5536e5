"""Folders of images: labels, identity, and which are refused."""

import os
from pathlib import Path

import numpy as np

from edgesq.calibrate import Preprocessing, load_folder, open_folder
from support.pictures import SHAPE, pixels, refused, save


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
