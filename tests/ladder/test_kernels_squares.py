"""Winograd along both sides equals the numpy reference, at the edges of what is exact."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesq.graph import Graph
from edgesq.kernels.dsp import squares
from edgesq.kernels.dsp.squares import in_squares
from edgesq.kernels.kernel import Form
from edgesq.kernels.row_op import RowOp
from edgesq.operators import Conv2D
from edgesq.plan import packing
from support.emulated_cases import Case, differing
from support.kernel_cases import conv_case, conv_graph, conv_of, images
from support.tflite_builder import NONE, SAME, VALID

AMPLE = 0.0001
"""For ARENA_GROWTH: every operator takes its fastest kernel."""


def cases_of_all_sizes() -> list[Case]:
    """Maps that leave one to four pixels of the last square, in bands of one row to all."""
    cases = [
        conv_case("squares", seed, size=(height, width), channels=16, outputs=8, padding=padding)
        for seed, (height, width, padding) in enumerate(
            [
                (3, 3, VALID),
                (4, 5, SAME),
                (6, 9, VALID),
                (5, 4, SAME),
                (8, 7, SAME),
                (1, 1, SAME),
                (10, 6, VALID),
            ]
        )
    ]
    for seed, rows in enumerate((3, 4, 5, 8, 99)):
        options: dict[str, Any] = {"size": (9, 6), "channels": 32, "outputs": 4, "input_zp": 5}
        graph = conv_graph(seed, activation=NONE, output_zp=-3, **options)
        cases.append(Case(f"bands of {rows}", graph, images(seed, graph), rows))
    return cases


def extreme_cases() -> list[Case]:
    """The largest inputs against the largest weights, of both signs."""
    cases = []
    for seed, (value, zero_point) in enumerate([(-128, -128), (127, -128), (127, 127), (-128, 0)]):
        weights = np.full((4, 3, 3, 64), value, np.int8)
        weights[1, :, 1] = weights[2, 1] = -127 if value > 0 else 127
        weights[3] = np.where(np.indices((3, 3, 1)).sum(axis=0) % 2, value, ~weights[3])
        graph = conv_graph(
            seed,
            size=(6, 7),
            channels=64,
            outputs=4,
            weights=weights,
            real=2e-5,
            input_zp=zero_point,
            activation=NONE,
        )
        cases.append(Case(f"extreme {value} {zero_point}", graph, images(seed, graph), 4))
    return cases


@pytest.mark.emulated
@pytest.mark.parametrize(("target", "rows"), [("mps2-an386", 4), ("mps2-an500", 2)])
def test_squares_equal_to_the_reference(
    target: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cost(_: Graph, item: RowOp, __: Conv2D) -> float:
        return abs(squares.rows_of(item.kernel) - rows)

    monkeypatch.setattr(packing, "ARENA_GROWTH", AMPLE)
    monkeypatch.setattr(squares, "instructions", cost)
    cases = [*cases_of_all_sizes(), *extreme_cases()]
    for case in cases:
        kernel = case.plan("dsp").ops[0].kernel
        assert (kernel.form, squares.rows_of(kernel)) == (Form.SQUARES, rows), case.name
    assert differing(tmp_path, target, cases) == []


@pytest.mark.parametrize(("bias", "fits"), [(14_973_823, True), (14_973_824, False)])
def test_26_bits_are_the_edge(bias: int, fits: bool) -> None:
    """1,152 values of at most 127 x 127 are 18,580,608; 2^25 is 33,554,432."""
    graph = conv_graph(
        0,
        channels=128,
        outputs=4,
        input_zp=0,
        weights=np.full((4, 3, 3, 128), 127, np.int8),
        bias=np.full(4, bias, np.int32),
        real=0.00001,
    )
    assert squares.fits(graph, conv_of(graph)) == fits


def test_weights_stand_by_four_input_channels() -> None:
    weights = np.arange(4 * 9 * 16).astype(np.int8).reshape(4, 3, 3, 16)
    ordered = in_squares(weights)
    assert ordered.shape == (4, 4, 3, 3, 4)
    assert (ordered[1, 2, 0, 1] == weights[1, 0, 1, 8:12]).all()
