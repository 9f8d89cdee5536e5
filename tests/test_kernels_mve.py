"""Kernels on MVE equal the numpy reference, at the edges of what is exact."""

from pathlib import Path

import numpy as np
import pytest
from emulated_cases import differing, skip_without_tools
from kernel_cases import all_cases, conv_case, conv_of, edge_cases, random_cases, width_cases

from edgesq.codegen.pack_mve import pack_conv2d, pack_weights, unpack_weights


def test_equal_to_the_reference(tmp_path: Path) -> None:
    skip_without_tools()
    assert differing(tmp_path, "mps3-an547", all_cases()) == []


def test_cases_reach_every_path() -> None:
    cases = [*random_cases(), *width_cases(), *edge_cases()]
    finishes = {pack_conv2d(case.graph, conv_of(case.graph)).finish for case in cases}
    assert finishes == {"any", "relu", "edges"}


@pytest.mark.parametrize("channels", [1, 2, 5, 8])
@pytest.mark.parametrize("values", [3, 16, 27, 48])
def test_packing_loses_nothing(channels: int, values: int) -> None:
    rng = np.random.default_rng(channels)
    weights = rng.integers(-128, 128, (channels, values))
    packed = pack_weights(weights, -(-values // 16))
    assert np.array_equal(unpack_weights(packed, channels, values), weights)
