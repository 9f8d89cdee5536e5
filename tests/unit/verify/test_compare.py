"""The comparison of a board's values with those expected."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesq.verify.compare import compare


def arrays(*rows: list[int]) -> list[NDArray[np.int8]]:
    return [np.array(row, np.int8) for row in rows]


def test_equal_values() -> None:
    same = compare(arrays([1, 5, -3], [9]), arrays([1, 5, -3], [9]))
    assert (same.values, same.differing, same.max_abs_lsb, same.same_top1) == (4, 0, 0, True)
    assert same.is_exact


def test_differing_values() -> None:
    other = compare(arrays([1, 5, -128], [9, 9]), arrays([6, 5, 127], [9, 8]))
    assert (other.values, other.differing, other.max_abs_lsb) == (5, 3, 255)
    assert not other.same_top1
    assert not other.is_exact


def test_logits_alone_differ() -> None:
    hidden = compare(arrays([127, -128], [50, 1]), arrays([127, -128], [50, 2]))
    assert hidden.same_top1
    assert not hidden.is_exact


@pytest.mark.parametrize("got", [arrays([1, 2]), arrays([1, 2, 3], [4, 5]), []])
def test_other_sizes_are_a_bug_of_ours(got: list[NDArray[np.int8]]) -> None:
    with pytest.raises(ValueError, match="sizes"):
        compare(arrays([1, 2, 3], [4]), got)
