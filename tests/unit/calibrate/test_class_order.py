"""The class order that a confusion matrix tells."""

import pytest

from edgesq.calibrate import Classes, probable_order


def confused(order: list[int], images: int, right: float = 0.9) -> dict[tuple[int, int], int]:
    """Return the matrix of a model that puts class k into order[k], most times."""
    hits, count = round(right * images), len(order)
    found: dict[tuple[int, int], int] = {}
    for label, said in enumerate(order):
        found[label, said] = hits
        found[label, (said + 1) % count] = images - hits
    return found


def test_a_permutation_is_named() -> None:
    names = Classes(tuple("abcd"), "by folders")
    found = probable_order(confused([2, 0, 1, 3], 10), names, 4)
    assert found is not None
    assert "probably 0 b, 1 c, 2 a, 3 d (that explains 90% of the images)" in found


@pytest.mark.parametrize(
    "matrix",
    [
        confused([0, 1, 2, 3], 10),
        confused([2, 0, 1, 3], 10, 0.6),
        confused([0, 0, 2, 3], 10),
        confused([1, 0], 4),
        {(0, 3): 50},
        {},
    ],
    ids=["right", "unclear", "two in one", "few images", "one class", "none"],
)
def test_nothing_is_said_where_there_is_no_permutation(matrix: dict[tuple[int, int], int]) -> None:
    assert probable_order(matrix, Classes(tuple("abcd"), "by folders"), 4) is None
