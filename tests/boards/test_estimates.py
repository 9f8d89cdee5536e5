"""What `plan` says of instructions holds on the emulated boards."""

import pytest

from bench.estimates import compared, mixed, small
from edgesq.project import estimate
from edgesq.targets import list_targets, load_target


@pytest.mark.emulated
@pytest.mark.parametrize(
    "board", ["mps2-an500", "mps3-an547", "netduino2", "microbit", "riscv32-virt"]
)
def test_a_depthwise_network_takes_what_is_estimated(board: str) -> None:
    estimated, counted = compared(small() if board == "microbit" else mixed(), board)
    assert estimated.doubt is not None
    assert estimated.doubt <= (0.3 if board == "microbit" else 0.15)
    assert abs(estimated.instructions / counted - 1) <= estimated.doubt


def test_doubt_is_said_of_small_networks_and_of_other_cores() -> None:
    assert estimate(3_000.4, load_target("mps2-an500")).doubt == 0.35
    assert estimate(3e6, load_target("esp32s3")).doubt is None
    riscv = load_target("riscv32-virt")
    assert estimate(5_807, riscv).doubt == 0.95  # 0.85 too many were counted
    emulated = [target for target in list_targets() if target.machine]
    assert all(estimate(3e6, target).doubt for target in emulated)
    assert estimate(3e6, riscv).time is None  # its clock is none of a chip
    assert estimate(1e6, load_target("pico")).instructions == 1_700_000
