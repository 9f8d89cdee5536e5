"""What is to be run after an export."""

from pathlib import Path

import pytest

from edgesq.choices import Layout
from edgesq.cli.next_steps import next_steps
from edgesq.targets import load_target


@pytest.mark.parametrize(
    ("target", "board"), [("pico2", "pico2"), ("generic", "BOARD"), ("stm32f405", "BOARD")]
)
def test_the_pico_sdk_is_told_the_board(target: str, board: str) -> None:
    steps = next_steps(Layout.PICO_SDK, Path("out/pico-sdk"), Path("out"), load_target(target))
    assert steps == (
        f"cmake -S out/pico-sdk/examples/verify -B out/pico-sdk/build -DPICO_BOARD={board}",
        "cmake --build out/pico-sdk/build",
        "edgesq flash --build out/pico-sdk/build",
    )


def test_platformio_is_told_the_board_first() -> None:
    """The project names one that is nobody's choice; pio would build for it."""
    steps = next_steps(Layout.PLATFORMIO, Path("o/p"), Path("o"), load_target("nucleo-f446re"))
    assert steps == (
        "put your board into o/p/examples/verify/platformio.ini",
        "edgesq flash --build o/p/examples/verify",
    )
