"""The table of runners: complete, and every target's file is as its runners need it."""

import re
from dataclasses import replace
from typing import Any

import pytest

from edgesq.errors import TargetError
from edgesq.flash import FOR_BUILDS, RUNNERS, Programmer, check_target
from edgesq.flash.keys import CHIP_ID, CHIP_ID_ADDRESS, CHIP_ID_MASK, CHIP_REGISTER
from edgesq.resources import resource
from edgesq.targets import Target, list_targets, load_target

GOOD = load_target("stm32f407-discovery")


def test_every_runner_in_use_is_a_row_and_every_row_is_in_use() -> None:
    assert {name for target in list_targets() for name in target.runners} == FOR_BUILDS.keys()


def test_every_runner_is_a_row_of_the_reference() -> None:
    table = (
        (resource("targets").parent / "docs" / "reference" / "boards.md")
        .read_text()
        .partition("| runner | board |")[2]
        .partition("\n\n")[0]
    )
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    named = [name for cell in first_cells for name in re.findall(r"`([\w-]+)`", cell)]
    assert sorted(named) == sorted(RUNNERS)


def test_what_goes_through_a_probe_asks_the_chip_by_its_register() -> None:
    for runner in FOR_BUILDS.values():
        if isinstance(runner, Programmer) and runner.probe_ids is not None:
            assert set(CHIP_REGISTER) <= set(runner.needs), runner.name


@pytest.mark.parametrize("target", list_targets(), ids=lambda target: target.name)
def test_targets_have_what_their_runners_need(target: Target) -> None:
    check_target(target)


@pytest.mark.parametrize(
    ("runners", "flash", "complaint"),
    [
        (("wizard",), {}, r"key 'runners' may hold host, .*bossac"),
        (("openocd",), {"openocd": None}, r"key 'openocd' is missing, runner 'openocd' needs it"),
        (("jlink",), {"chip_id": None}, r"key 'chip_id' is missing, runner 'jlink' needs it"),
        (("jlink",), {"jlink": 7}, r"key 'jlink': expected str, got int"),
        (("jlink",), {"chip_id_mask": True}, r"key 'chip_id_mask': expected int, got bool"),
        (("jlink",), {"chip_id_mask": -1}, r"key 'chip_id_mask' must not be negative"),
        (("openocd",), {"openocd": [7]}, r"key 'openocd\[0\]': expected str"),
        ((), {"probe": "x"}, r"\[flash\]: unknown key 'probe' \(known: .*uf2_family"),
        ((), {"uf2_family": "x"}, r"key 'uf2_family': expected int, got str"),
    ],
)
def test_a_wrong_file_names_file_and_key(
    runners: tuple[str, ...], flash: dict[str, Any], complaint: str
) -> None:
    keys = {key: value for key, value in {**GOOD.flash, **flash}.items() if value is not None}
    with pytest.raises(TargetError, match=rf"^{GOOD.name}\.toml.*{complaint}"):
        check_target(replace(GOOD, runners=runners, flash=keys))


def test_an_emulated_board_needs_a_machine() -> None:
    with pytest.raises(TargetError, match="key 'machine' is missing, runner 'gdb' needs it"):
        check_target(replace(GOOD, machine=None))


def test_registers_that_name_a_chip_differ() -> None:
    """Boards that answer at the same address are told apart by what they say."""
    said: dict[tuple[int, int], set[str]] = {}
    for target in list_targets():
        address = CHIP_ID_ADDRESS.find(target)
        if address is not None:
            chip_id = CHIP_ID.of(target)
            assert chip_id & ~CHIP_ID_MASK.of(target) == 0, target.name
            chip = (target.cpu, target.clock_hz)
            said.setdefault((address, chip_id), set()).add(str(chip))
    assert len(said) > 7
    assert all(len(chips) == 1 for chips in said.values()), said
