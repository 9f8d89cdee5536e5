"""Labelled images: what is held out, sizes, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgesq.errors import ImageError
from edgesq.search.images import Images, open_images


def write_npz(path: Path, **more: object) -> Path:
    random = np.random.default_rng(2)
    pixels = random.integers(0, 256, (60, 20, 20, 3), np.uint8)
    arrays = {"input": pixels, "labels": np.arange(60) % 3, **more}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_the_same_images_are_held_out_at_each_size(tmp_path: Path) -> None:
    found = open_images(write_npz(tmp_path / "some.npz"))
    assert found.sides == (20,)
    small, large = found.at(10, seed=1), found.at(20, seed=1)
    assert small.heldout.shape == (12, 10, 10, 3)
    assert np.bincount(large.heldout_labels).tolist() == [4, 4, 4]
    assert np.bincount(large.validation_labels).tolist() == [1, 1, 1]
    for one in ("train", "validation", "heldout"):
        np.testing.assert_array_equal(
            getattr(small, f"{one}_labels"), getattr(large, f"{one}_labels")
        )
    parts = np.concatenate([large.train, large.validation, large.heldout])
    assert len(np.unique(parts.reshape(60, -1), axis=0)) == 60


def test_an_npz_may_say_what_is_held_out(tmp_path: Path) -> None:
    held = np.zeros(60, bool)
    held[30:] = True
    images = open_images(write_npz(tmp_path / "said.npz", heldout=held)).at(20, seed=1)
    assert len(images.heldout) == 30
    assert len(images.train) + len(images.validation) == 30


def test_images_are_handed_to_workers(tmp_path: Path) -> None:
    images = open_images(write_npz(tmp_path / "some.npz")).at(20, seed=1)
    images.write(tmp_path / "parts.npz")
    again = Images.read(tmp_path / "parts.npz")
    for name, value in vars(images).items():
        np.testing.assert_array_equal(getattr(again, name), value)


def test_a_folder_of_classes(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(10):
            image = Image.new("RGB", (70, 66), (number, 0, 0))
            image.save(tmp_path / label / f"{number}.png")
    found = open_images(tmp_path)
    assert (found.classes, found.side, found.channels) == (("cat", "dog"), 66, 3)
    assert found.sides == (48, 64, 66)
    assert found.at(24, seed=1).train.shape[1:] == (24, 24, 3)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"labels": np.array([0] * 51 + [1] * 9)}, "classes with too few images: 1 (9)"),
        ({"labels": np.zeros(60, int)}, "holds one class"),
        ({"labels": np.full(60, 2) - np.arange(60) % 2}, "0 (0)"),
        ({"heldout": np.zeros(60, int)}, "heldout is int64 [60]"),
        ({"heldout": np.zeros(60, object)}, "heldout cannot be read"),
        ({"heldout": np.zeros(60, bool)}, "heldout holds out no images"),
        ({"heldout": np.ones(60, bool)}, "heldout holds out all images"),
        ({"input": np.zeros((60, 20, 20, 2), np.uint8)}, "input is of images [20, 20, 2]"),
        ({"input": np.zeros((60, 20, 20, 3), np.float32)}, "input is float32"),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path, arrays: dict[str, object], says: str
) -> None:
    path = write_npz(tmp_path / "bad.npz", **arrays)
    with pytest.raises(ImageError) as raised:
        open_images(path)
    assert says in str(raised.value)


def test_no_npz_and_no_classes(tmp_path: Path) -> None:
    (tmp_path / "no.npz").write_bytes(b"PK")
    with pytest.raises(ImageError, match=r"is no \.npz with input"):
        open_images(tmp_path / "no.npz")
    Image.new("RGB", (30, 30)).save(tmp_path / "1.png")
    with pytest.raises(ImageError, match="has no class folders"):
        open_images(tmp_path)
