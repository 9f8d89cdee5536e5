"""Targets: every bundled file loads, and a wrong one names its file and key."""

import re
from pathlib import Path

import pytest

from edgesq.errors import TargetError
from edgesq.flash import FOR_BUILDS, Process
from edgesq.resources import resource
from edgesq.targets import Target, list_targets, load_target

GOOD = resource("targets") / "mps2-an500.toml"


BOARDS = {
    "run": [
        "b-l475e-iot01a",
        *("cortex-m", "host", "microbit", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"),
        *(
            "netduino2",
            "nucleo-f446re",
            "pico",
            "riscv32-virt",
            "stm32f405",
            "stm32f407-discovery",
            "tflm-host",
        ),
    ],
    "built": [
        *("nano33ble", "nrf52840-dk", "nucleo-h743zi", "nucleo-u575zi-q", "pico2"),
        "stm32f746g-disco",
    ],
    "library": ["alif-e7", "esp32s3", "generic", "mimxrt1060-evk"],
}


def test_bundled_targets() -> None:
    found: dict[str, list[str]] = {"run": [], "built": [], "library": []}
    for target in list_targets():
        is_run = any(isinstance(FOR_BUILDS[name], Process) for name in target.runners)
        state = "library" if target.is_library else "run" if is_run else "built"
        found[state].append(target.name)
    assert found == BOARDS


@pytest.mark.parametrize("target", list_targets(), ids=lambda target: target.name)
def test_target_is_complete(target: Target) -> None:
    for folder in target.port_folders:
        assert list((resource("firmware") / "ports" / folder).glob("*.c")), folder
    assert target.defines["ESQ_TICK_HZ"] == f"{target.counter_hz}u"
    assert (target.is_host or target.cpu == "any") == (target.region("flash") is None)
    assert target.is_library == (target.port_folders == ()) == (target.runners == ())


@pytest.mark.parametrize("path", sorted(resource("targets").glob("*.toml")), ids=lambda p: p.stem)
def test_every_number_has_a_source(path: Path) -> None:
    for line in path.read_text().splitlines():
        if re.match(r"\w+ = \"?[0-9]", line):
            assert "#" in line, line


def test_generic_target_is_its_board() -> None:
    generic, board = load_target("cortex-m"), load_target("mps2-an500")
    assert generic.board == "mps2-an500"
    assert (generic.machine, generic.memory, generic.cpu) == (
        board.machine,
        board.memory,
        board.cpu,
    )


def test_instructions_per_tick() -> None:
    assert load_target("mps2-an500").instructions_per_tick == 5.0
    assert load_target("mps2-an505").instructions_per_tick == 25.0
    assert load_target("mps3-an547").instructions_per_tick == 6.25
    assert load_target("stm32f405").instructions_per_tick == 1.0
    assert load_target("b-l475e-iot01a").instructions_per_tick == 12.5
    assert load_target("host").instructions_per_tick is None


def test_unknown_target_lists_the_known() -> None:
    listed = r"unknown target 'z80'.*mps2-an500.*stm32f405.*; for any other core: generic"
    with pytest.raises(TargetError, match=listed):
        load_target("z80")
    assert load_target("generic").is_library


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("clock_hz = 25_000_000", 'clock_hz = "fast"', "key 'clock_hz': expected int, got str"),
        ("clock_hz = 25_000_000", "clock_hz = true", "key 'clock_hz': expected int, got bool"),
        ("clock_hz = 25_000_000", "clock_hz = -1", "key 'clock_hz': expected int >= 0"),
        ("clock_hz", "clock", "unknown key 'clock' (did you mean clock_hz?"),
        ('kernels = "dsp"', "", "key 'kernels' is missing"),
        ('runners = ["gdb", "qemu", "unicorn"]', "", "keys 'port' and 'runners' go together"),
        ('port = "mps2"', "", "keys 'port' and 'counter_hz' go together"),
        ("icount_shift = 3", 'boot = "luck"', "key 'boot' must be one of vectors, entry"),
        ("icount_shift = 3", 'machine_since = "new"', "key 'machine_since' must be a version"),
        ('name = "ram"', 'name = "rom"', "key 'memory' must hold"),
        (
            "origin = 0x2000_0000",
            'origin = "high"',
            "key 'memory[1].origin': expected int, got str",
        ),
        ("bytes = 4_194_304", "size = 4_194_304", "unknown key 'size'"),
        (
            'ESQ_UART_RX_IRQ = "0"',
            "ESQ_UART_RX_IRQ = 0",
            "key 'defines[...]': expected str, got int",
        ),
        ('"-mthumb"', "7", "key 'compiler_flags[1]': expected str, got int"),
        ('name = "mps2-an500"', 'name = "other"', "key 'name' must be 'mps2-an500'"),
        ("cpu =", "cpu", "cannot be read"),
    ],
)
def test_wrong_file_names_file_and_key(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = GOOD.read_text()
    assert old in text
    (tmp_path / GOOD.name).write_text(text.replace(old, new))
    with pytest.raises(TargetError) as caught:
        load_target("mps2-an500", tmp_path)
    assert complaint in str(caught.value)
    assert GOOD.name in str(caught.value)


@pytest.mark.parametrize("board", ["cortex-m", "generic"])
def test_generic_target_needs_a_real_board(tmp_path: Path, board: str) -> None:
    for name in ("cortex-m", "generic"):
        text = f'name = "{name}"\ndescription = "x"\nboard = "{board}"\n'
        (tmp_path / f"{name}.toml").write_text(text)
    with pytest.raises(TargetError, match="board"):
        load_target("cortex-m", tmp_path)
