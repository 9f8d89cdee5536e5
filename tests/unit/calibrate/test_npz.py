"""Images in .npz files: what is read, and which are refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesq.calibrate import open_npz
from support.pictures import SHAPE, pixels, refused

GOOD = pixels(0, (5, *SHAPE))


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


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": GOOD}, "holds no array called input"),
        ({"input": GOOD.astype(np.float16)}, "input is float16"),
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
