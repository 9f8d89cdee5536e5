"""The real programs that flash boards, as far as they go on a machine without one."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edgesq.errors import BoardError
from edgesq.flash import commands, program
from edgesq.flash.keys import PROBE_USB_IDS
from edgesq.link.transport import find_serial_numbers
from edgesq.targets import Target, load_target
from support.boards import compile_stub

F407, DK, PICO = (load_target(name) for name in ("stm32f407-discovery", "nrf52840-dk", "pico"))

STUBS = """
proc adapter {args} { echo "adapter $args" }
proc init {} { echo init }
proc reset {how} { echo "reset $how" }
proc read_memory {address width count} { return {CHIP_ID} }
proc flash {args} { echo "flash $args" }
proc verify_image {image} { echo "verify $image" }
"""
"""OpenOCD's commands that need a board; Tcl's own run as they are."""


def need(name: str, target: Target) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    if find_serial_numbers(PROBE_USB_IDS.find(target) or ()):
        pytest.skip("a debug probe is connected")


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("my builds")
    for target in (F407, DK, PICO):
        compile_stub(target.name, folder / target.name / "firmware" / "build" / "edgesq.elf")
    return folder


@pytest.mark.parametrize(
    ("target", "runner", "tool"),
    [
        *((F407, "openocd", "openocd"), (DK, "openocd", "openocd"), (PICO, "openocd", "openocd")),
        *((F407, "stflash", "st-info"), (F407, "dfu", "dfu-util")),
        *((DK, "pyocd", "pyocd"), (PICO, "picotool", "picotool")),
    ],
    ids=lambda value: value.name if isinstance(value, Target) else value,
)
def test_without_a_board(target: Target, runner: str, tool: str, builds: Path) -> None:
    need(tool, target)
    with pytest.raises(BoardError, match=r"no (debug probe|ST-LINK|bootloader|board)") as caught:
        program(builds / target.name, target, lambda _: None, runner=runner)
    assert caught.value.exit_code == 3
    assert caught.value.hint


def run_tcl(build: Path, chip_id: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run OpenOCD's script in the real OpenOCD, on a pretended board."""
    need("openocd", F407)
    stubs = folder / "stubs.tcl"
    stubs.write_text(STUBS.replace("CHIP_ID", f"{chip_id:#x}"))
    (command,) = commands(build, F407, runner="openocd")
    at = command.index("board/stm32f4discovery.cfg")
    stubbed = [*command[:at], str(stubs), *command[at + 1 :]]
    return subprocess.run(stubbed, capture_output=True, text=True, timeout=30)


def test_openocd_checks_writes_compares_and_starts(builds: Path, tmp_path: Path) -> None:
    done = run_tcl(builds / F407.name, 0x10006413, tmp_path)
    elf = builds / F407.name / "firmware" / "build" / "edgesq.elf"
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("\t")]
    order = ["init", "reset init", f"flash write_image erase {{{elf}}}", f"verify {elf}"]
    order += ["edgesq: compared", "reset run"]
    assert [line for line in said if line in order] == order, said
    assert done.returncode == 0


def test_openocd_refuses_another_chip(builds: Path, tmp_path: Path) -> None:
    done = run_tcl(builds / F407.name, 0x10006421, tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "flash write_image" not in said
    assert "edgesq: the chip says 0x421" in said


@pytest.mark.parametrize(
    "name", ["b-l475e-iot01a", "stm32f746g-disco", "nucleo-h743zi", "nucleo-u575zi-q"]
)
def test_openocd_has_every_configuration(name: str) -> None:
    need("openocd", load_target(name))
    configs = [word for config in load_target(name).flash["openocd"] for word in ("-f", config)]
    done = subprocess.run(
        ["openocd", *configs, "-c", "shutdown"], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
