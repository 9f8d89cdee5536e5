"""Kernels for scalar cores equal the numpy reference: in C with sanitizers, and on boards."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgesq.kernels.kernel import PORTABLE
from edgesq.kernels.scalar.family import NAME
from edgesq.kernels.scalar.pack import end_of
from edgesq.plan import packing
from support.crun import Runtime
from support.emulated_cases import Case, differing
from support.host_cases import differing_here
from support.kernel_cases import all_cases, conv_case, conv_of
from support.phased_cases import phased_cases
from support.weighted_cases import weighted_cases

AMPLE, NONE = 0.01, 1000
"""For ARENA_GROWTH: operators compute as many pixels together as they can, or as few."""

PARTS = {"microbit": 7, "netduino2": 2, "riscv32-virt": 1}
"""Images of firmware that all cases take: 256 KB of flash are on the microbit."""


def scalar_cases() -> list[Case]:
    """Windows set out in parts, lone pixels, weights of -128, sums and shifts of every size."""
    cases = [
        conv_case("parts", 400 + width, size=(3, width), channels=channels, outputs=outputs)
        for width in (1, 2, 3, 4, 6, 7)
        for channels, outputs in ((5, 6), (32, 70))
    ]
    one = np.full((4, 3, 3, 8), -128, np.int8)
    one[..., 1::2] = 127
    both = np.full((4, 3, 3, 8), -128, np.int8)
    for name, weights in (("one -128 in each group", one), ("all -128", both)):
        cases += [
            conv_case(name, 420, size=(4, 5), weights=weights, outputs=4, real=real)
            for real in (2e-5, 0.004)
        ]
    return cases


def listed_cases() -> list[Case]:
    """Few values that are not zero: under all pixels alike, and by the pixel."""
    found = []
    for seed, (size, stride, channels, outputs, tail) in enumerate(
        [
            ((4, 9), 1, 16, 12, ""),
            ((5, 8), 2, 5, 7, ""),
            ((3, 3), 1, 24, 10, "MEAN"),
            ((1, 1), 1, 32, 9, ""),
            ((2, 2), 1, 32, 8, ""),
        ]
    ):
        case = conv_case(
            "listed",
            440 + seed,
            size=size,
            stride=(stride, stride),
            channels=channels,
            outputs=outputs,
            tail=tail,
        )
        rng = np.random.default_rng(seed)
        values = rng.integers(-127, 128, case.images.shape)
        share = np.stack([np.full(size, 0.2), rng.choice([0.0, 0.1, 0.4, 1.0], size)])[..., None]
        images = np.where(rng.random(values.shape) < share, values, -128).astype(np.int8)
        found += [replace(case, images=images), replace(case, images=images, streamed=True)]
    return found


def cases() -> list[Case]:
    return [*all_cases(), *scalar_cases(), *listed_cases(), *weighted_cases(), *phased_cases()]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("runtime"))


@pytest.mark.parametrize("growth", [AMPLE, NONE])
def test_equal_in_c(
    growth: float, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "ARENA_GROWTH", growth)
    assert differing_here(runtime, tmp_path, NAME, cases()) == []


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("board", "growth"),
    [("microbit", AMPLE), ("netduino2", NONE), ("riscv32-virt", AMPLE)],
)
def test_equal_on_boards(
    board: str, growth: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "ARENA_GROWTH", growth)
    found = cases()
    for part in range(PARTS[board]):
        (tmp_path / str(part)).mkdir()
        assert differing(tmp_path / str(part), board, found[part :: PARTS[board]]) == []


def test_the_cases_have_every_form() -> None:
    plans = [(case, case.plan(NAME)) for case in cases()]
    kernels = {item.kernel for _, plan in plans for item in plan.ops}
    convs = {kernel for kernel in kernels if kernel.held}
    assert {kernel.pixels for kernel in convs} == {1, 2, 4}
    assert {end_of(c.graph, conv_of(c.graph)) for c in scalar_cases()} == {"relu"}
    assert PORTABLE in {
        item.kernel.family
        for case, plan in plans
        for item in plan.ops
        if case.name.startswith("all -128")
    }
