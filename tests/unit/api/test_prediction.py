"""What a prediction says of its outputs."""

import numpy as np

from edgesq import Prediction
from edgesq.calibrate import Classes


def prediction(int8: list[int], label: int | None, names: tuple[str, ...]) -> Prediction:
    values = np.array(int8, np.int8)
    reals = (values.astype(np.float32) + np.float32(128)) / np.float32(256)
    return Prediction(values, reals, label, Classes(names))


def test_the_largest_are_named_first() -> None:
    got = prediction([-128, 127, -128, 0, -10, -20, -30], 1, tuple("abcdefg"))
    assert [name for name, _ in got.top] == list("bdefg")


def test_of_equal_outputs_the_likeliest_by_the_logits_is_first() -> None:
    got = prediction([0, 0, -128, 0], 3, tuple("abcd"))
    assert got.name == "d"
    assert [name for name, _ in got.top] == list("dabc")


def test_one_output_is_the_probability_of_class_1() -> None:
    for label, int8 in ((0, -128), (1, 127)):
        got = prediction([int8], label, ("no", "yes"))
        assert got.name == ("no", "yes")[label]
        assert [name for name, _ in got.top] == ["yes"]


def test_outputs_that_are_no_classes_have_no_likeliest() -> None:
    got = prediction([3, 4], None, ())
    assert (got.name, got.top) == (None, ())
