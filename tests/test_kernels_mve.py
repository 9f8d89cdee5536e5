"""Kernels on MVE equal the numpy reference, at the edges of what is exact."""

from pathlib import Path

import numpy as np
import pytest
from emulated_cases import Case, differing, skip_without_tools
from kernel_cases import all_cases, conv_case, conv_of, edge_cases, random_cases, width_cases
from weighted_cases import weighted_cases

from edgesq.codegen.pack_mve import pack_conv2d, pack_weights, unpack_weights


def block_cases() -> list[Case]:
    """Whole blocks of 16 values under a row: rows above and below the image are left out."""
    return [
        conv_case(
            "blocks",
            400 + width,
            size=(height, width),
            kernel=kernel,
            channels=channels,
            outputs=outputs,
            input_zp=input_zp,
        )
        for width in (1, 2, 3, 4, 5, 8)
        for height, kernel, channels, outputs, input_zp in (
            (5, (3, 3), 16, 8, -128),
            (2, (3, 3), 48, 4, 3),
            (1, (3, 3), 16, 4, -128),
            (3, (2, 2), 32, 12, 7),
            (4, (5, 5), 16, 4, -128),
            (2, (1, 1), 64, 6, -128),
        )
    ]


def test_equal_to_the_reference(tmp_path: Path) -> None:
    skip_without_tools()
    assert differing(tmp_path, "mps3-an547", [*all_cases(), *block_cases()]) == []


def test_weighted_equal_to_the_reference(tmp_path: Path) -> None:
    skip_without_tools()
    assert differing(tmp_path, "mps3-an547", weighted_cases()) == []


def test_cases_reach_every_path() -> None:
    cases = [*random_cases(), *width_cases(), *edge_cases(), *block_cases()]
    finishes = {pack_conv2d(case.graph, conv_of(case.graph)).finish for case in cases}
    assert finishes == {"any", "relu", "edges"}


@pytest.mark.parametrize("channels", [1, 2, 5, 8])
@pytest.mark.parametrize("values", [3, 16, 27, 48])
def test_packing_loses_nothing(channels: int, values: int) -> None:
    rng = np.random.default_rng(channels)
    weights = rng.integers(-128, 128, (channels, values))
    packed = pack_weights(weights, -(-values // 16))
    assert np.array_equal(unpack_weights(packed, channels, values), weights)
