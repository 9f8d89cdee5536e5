"""A form of the model that is far off is named, and one that rounds otherwise is not."""

import re

import numpy as np
import pytest

from edgesq.builds import parity
from edgesq.builds.facts import ParityFacts
from edgesq.calibrate import Judge
from edgesq.cli.tables import print_parity

GOLDEN = np.random.default_rng(1).integers(-128, 128, (40, 10)).astype(np.int8)


@pytest.mark.parametrize(
    ("got", "warned"),
    [
        (GOLDEN, False),
        (np.clip(GOLDEN.astype(int) + 1, -128, 127).astype(np.int8), False),
        (np.sort(GOLDEN, axis=1), True),
        (np.zeros_like(GOLDEN), True),
    ],
)
def test_what_is_far_off_is_said(
    got: np.ndarray, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    row = parity._row("ONNX, QDQ", (got,), (GOLDEN,), Judge(10))
    assert bool(row.note) == warned
    print_parity(ParityFacts("noise", (row,)))
    said = capsys.readouterr().out
    assert ("warning: ONNX, QDQ: same top-1 on only" in said) == warned


def test_outputs_that_are_no_class_have_no_top_1(capsys: pytest.CaptureFixture[str]) -> None:
    near, far = (np.clip(GOLDEN.astype(int) + step, -128, 127) for step in (1, 40))
    rows = tuple(
        parity._row(name, (got.astype(np.int8),), (GOLDEN,), None)
        for name, got in (("near", near), ("far", far))
    )
    print_parity(ParityFacts("noise", rows))
    said = capsys.readouterr().out
    assert not any(row.top1_agreement for row in rows)
    assert re.search(r"warning: far: \d+% of the values are more than 16 LSB off, up to 40: ", said)
    assert "warning: near" not in said


def test_one_probability_is_a_class_from_a_half_on() -> None:
    golden, got = (np.array([[level] for level in levels], np.int8) for levels in ((1, 9), (0, 8)))
    row = parity._row("float Keras", (got,), (golden,), Judge(2, is_sigmoid=True))
    assert row.top1_agreement == 0.5


def test_close_results_that_swap_places_are_no_warning() -> None:
    """All values of a map are alike: which is the largest is a matter of rounding."""
    golden = np.random.default_rng(2).integers(0, 2, (40, 640)).astype(np.int8)
    assert not parity._row("float Keras", (1 - golden,), (golden,), Judge(640)).note
