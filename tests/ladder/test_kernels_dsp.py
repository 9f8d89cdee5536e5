"""Kernels on the DSP extension equal the numpy reference, at the edges of what is exact."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesq.arithmetic import sum_range
from edgesq.kernels.dsp import squares, winograd
from edgesq.kernels.dsp.endings import ending
from edgesq.kernels.dsp.pack import in_order, pack_conv2d, pack_weights, unpack_weights
from edgesq.kernels.kernel import Form
from edgesq.plan import Bands, Goal, PlanRequest, make_plan, packing, tabling, variants
from edgesq.plan.request import FLASH_WORTH
from support.emulated_cases import Case, differing
from support.kernel_cases import (
    all_cases,
    conv_case,
    conv_graph,
    conv_of,
    edge_cases,
    odd_cases,
    random_cases,
    width_cases,
)
from support.phased_cases import phased_cases
from support.tflite_builder import SAME, VALID
from support.weighted_cases import weighted_cases, window_cases

AMPLE = 0.01
"""For ARENA_GROWTH: every operator computes as many pixels together as it can."""


def winograd_cases() -> list[Case]:
    """Widths that leave one to four pixels in the last tile, extreme weights, other zero points."""
    cases = [
        conv_case("winograd", 300 + width, size=(3, width), channels=16, outputs=8, padding=padding)
        for width in (3, 4, 5, 6, 7, 9)
        for padding in (SAME, VALID)
    ]
    cases.append(conv_case("winograd", 320, size=(2, 6), channels=32, outputs=4, input_zp=5))
    cases.append(conv_case("winograd", 321, size=(1, 5), channels=48, outputs=4, input_zp=127))
    for value in (-128, 127):
        weights = np.full((4, 3, 3, 64), value, np.int8)
        weights[1::2, :, 1] = -127
        shape: dict[str, Any] = {"size": (3, 5), "channels": 64, "outputs": 4}
        cases.append(conv_case("winograd", 330, weights=weights, real=2e-5, **shape))
    return cases


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("target", "growth"), [("mps2-an386", AMPLE), ("mps2-an500", AMPLE), ("mps2-an500", 2)]
)
def test_equal_to_the_reference(
    target: str, growth: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "ARENA_GROWTH", growth)
    assert differing(tmp_path, target, all_cases()) == []


@pytest.mark.emulated
@pytest.mark.parametrize(("target", "growth"), [("mps2-an386", AMPLE), ("mps2-an500", 2)])
def test_weighted_equal_to_the_reference(
    target: str, growth: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "ARENA_GROWTH", growth)
    assert differing(tmp_path, target, [*weighted_cases(), *window_cases(), *phased_cases()]) == []


@pytest.mark.emulated
@pytest.mark.parametrize("target", ["mps2-an386", "mps2-an500"])
def test_winograd_equal_to_the_reference(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "grown_outputs", lambda _, ops, *__: {ops[0].op.output})
    monkeypatch.setattr(squares, "fits", lambda *_: False)
    monkeypatch.setattr(winograd, "instructions", lambda *_: 0.0)
    monkeypatch.setattr(packing, "ARENA_GROWTH", AMPLE)
    cases = winograd_cases()
    for case in cases:
        plan = make_plan(case.graph, PlanRequest("dsp"), Bands(case.band_rows))
        assert winograd.fits(case.graph, conv_of(case.graph)), case.name
        assert plan.ops[0].kernel.form is Form.WINOGRAD, case.name
    assert differing(tmp_path, target, cases) == []


@pytest.mark.emulated
@pytest.mark.parametrize(("target", "growth"), [("mps2-an386", 8), ("mps2-an500", AMPLE)])
def test_made_tables_equal_to_the_reference(
    target: str, growth: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole tables, or parts of them, are made whatever that costs."""
    monkeypatch.setitem(FLASH_WORTH, Goal.BALANCED, float("inf"))
    monkeypatch.setattr(tabling, "_GROWTH", growth)
    monkeypatch.setattr(tabling, "_RAM_WORTH", 0)
    monkeypatch.setattr(tabling, "_CODE_BYTES", 0)
    cases = [*random_cases(), *weighted_cases()]
    found: set[tuple[str, bool]] = set()
    for case in cases:
        for item in case.plan("dsp").ops:
            if tabled := item.kernel.tabled:
                channels = case.graph.tensors[item.op.output].hwc[2]
                found.add((item.kernel.name, tabled.tile < channels))
    names = {"esq_run_conv2d_parts", "esq_run_depthwise_conv2d_tabled"}
    assert {name for name, _ in found} == names
    assert (True in {is_part for _, is_part in found}) == (growth != AMPLE)
    assert differing(tmp_path, target, cases) == []


def test_cases_reach_every_path() -> None:
    packed = [
        pack_conv2d(case.graph, conv_of(case.graph))
        for case in [*random_cases(), *width_cases(), *edge_cases(), *odd_cases()]
    ]
    paths = {
        (one.ending.form, bool(one.ending.odd), one.pair_channels, one.slide) for one in packed
    }
    short = {
        (f, odd, 2, slide) for f in ("relu", "linear") for odd in (True, False) for slide in (1, 3)
    }
    assert paths >= short | {("any", False, 2, 1), ("any", False, 2, 3), ("any", False, 1, 1)}


@pytest.mark.parametrize(("bias", "odd"), [(98_047, ()), (98_048, (2,))])
def test_24_bits_are_the_edge(bias: int, odd: tuple[int, ...]) -> None:
    """256 x 127 x 255 = 8,290,560, and 98,048 more is 2^23; of the channel beside it, 2^30 are."""
    weights = np.full((8, 1, 1, 256), 7, np.int8)
    weights[2:4] = 127
    graph = conv_graph(
        0,
        kernel=(1, 1),
        channels=256,
        outputs=8,
        weights=weights,
        bias=np.full(8, bias, np.int32),
        real=0.0002,  # so that not all sums end at the same level
    )
    assert ending(graph, conv_of(graph)).odd == odd


@pytest.mark.parametrize("slide", [1, 3])
@pytest.mark.parametrize("pair_channels", [1, 2])
@pytest.mark.parametrize("channels", [1, 2, 5, 8])
def test_packing_loses_nothing(slide: int, pair_channels: int, channels: int) -> None:
    rng = np.random.default_rng(channels)
    weights = rng.integers(-127, 128, (channels, 3, 3, 4)).astype(np.int8)
    rows = in_order(weights, slide)
    words = pack_weights(rows, pair_channels, slide)
    ordered = words.transpose(0, 1, 2, 3)
    assert np.array_equal(
        unpack_weights(ordered, channels, rows.shape[1], pair_channels, slide), rows
    )


def test_sum_range_is_reached() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(-127, 128, (4, 20))
    bias = rng.integers(-500, 500, 4)
    low, high = sum_range(rows, bias, 5)
    most = np.where(rows > 0, 127 - 5, -128 - 5)
    least = np.where(rows > 0, -128 - 5, 127 - 5)
    assert np.array_equal(high, bias + (rows * most).sum(axis=1))
    assert np.array_equal(low, bias + (rows * least).sum(axis=1))
