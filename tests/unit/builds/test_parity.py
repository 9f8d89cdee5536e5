"""A form of the model that is far off is named, and one that rounds otherwise is not."""

import numpy as np
import pytest

from edgesq.builds import parity
from edgesq.builds.facts import ParityFacts
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
    row = parity._row("ONNX, QDQ", (got,), (GOLDEN,))
    assert bool(row.note) == warned
    print_parity(ParityFacts("noise", (row,)))
    said = capsys.readouterr().out
    assert ("warning: ONNX, QDQ: same top-1 on only" in said) == warned


def test_close_results_that_swap_places_are_no_warning() -> None:
    """All values of a map are alike: which is the largest is a matter of rounding."""
    golden = np.random.default_rng(2).integers(0, 2, (40, 640)).astype(np.int8)
    assert not parity._row("float Keras", (1 - golden,), (golden,)).note
