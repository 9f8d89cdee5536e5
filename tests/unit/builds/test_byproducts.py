"""By-products of an export never stop it."""

from pathlib import Path

import pytest

from edgesq.builds.byproducts import ByProducts
from edgesq.errors import ModelError


def raising(error: Exception) -> None:
    raise error


def half(path: Path) -> None:
    path.write_text("half")
    raise AssertionError("a library's own\nassertion")


def test_what_cannot_be_made_is_left_out_with_a_line(tmp_path: Path) -> None:
    extras = ByProducts(tmp_path)
    assert extras.make("a.txt", lambda path: path.write_text("whole")) == 5
    assert extras.make("b.onnx", lambda _: raising(ModelError("no", hint="try another"))) is None
    assert extras.make("c.svg", half) is None
    assert extras.left_out == [
        "b.onnx is left out: no (try another)",
        "c.svg is left out: AssertionError: a library's own assertion",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_not_a_by_products_matter(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"):
        ByProducts(tmp_path).make("a.svg", lambda _: raising(OSError("full")))
