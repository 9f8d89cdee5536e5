"""Programs that flash real boards, pretended on PATH: commands, comparison, refusal, failures."""

import os
import re
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgesq.errors import BoardError, EdgesqError, TargetError, ToolError
from edgesq.flash import (
    FOR_BUILDS,
    Programmed,
    Programmer,
    commands,
    flash,
    program,
    runner_of,
    stop,
)
from edgesq.flash import uf2 as uf2_runner
from edgesq.flash.image import read_image
from edgesq.targets import load_target
from support.boards import compile_stub
from support.fake_tools import Bench, Says
from support.flash_failures import CASES, Case

F407, DK, NANO, PICO = (
    load_target(name) for name in ("stm32f407-discovery", "nrf52840-dk", "nano33ble", "pico")
)
DFU = 'Found DFU: [0483:df11] ver=2200, alt=0, name="@Internal Flash  /0x08000000/{}", serial="3"'
BOOTSEL = "Device Information\n type:        {}\n revision:    B2"

PROGRAMMERS = {
    name: runner for name, runner in FOR_BUILDS.items() if isinstance(runner, Programmer)
}

GOOD: dict[str, tuple[str, dict[str, list[Says]]]] = {
    "openocd": ("stm32f407-discovery", {"openocd": [Says("", "verified\nedgesq: compared")]}),
    "stflash": (
        "stm32f407-discovery",
        {
            "st-info": [Says("", "Found 1 stlink programmers\n  serial: 0661\n  chipid:  0x0413")],
            "st-flash": [
                Says("write", "Flash written and verified! jolly good!"),
                Says("read", writes="read"),
                Says("reset"),
            ],
        },
    ),
    "pyocd": (
        "nrf52840-dk",
        {
            "pyocd": [
                Says("read32", "10000100:  00052840    |...(|"),
                Says("load", "Erased 8192 bytes, programmed 8192 bytes"),
                Says("savemem", "Saved 6000 bytes", writes="-c"),
                Says("reset"),
            ]
        },
    ),
    "jlink": (
        "nrf52840-dk",
        {"JLinkExe": [Says("look", "10000100 = 00052840"), Says("write", "Verify successful.")]},
    ),
    "dfu": (
        "stm32f407-discovery",
        {
            "dfu-util": [
                Says("-l", DFU.format("04*016Kg,01*064Kg,07*128Kg")),
                Says("-D", "File downloaded successfully"),
                Says("-U", "Upload done.", writes="-U"),
            ]
        },
    ),
    "picotool": (
        "pico",
        {"picotool": [Says("info", BOOTSEL.format("RP2040")), Says("load", "OK")]},
    ),
    "bossac": (
        "nano33ble",
        {"bossac": [Says("-i", "Device       : nRF52840-QIAA"), Says("-w", "Done in 1.2 s")]},
    ),
}
"""By runner: a board, and its programs where all goes well."""


@pytest.fixture(autouse=True)
def _no_board_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are pretended: no board resets, whose own line would be waited for."""
    monkeypatch.setattr("edgesq.flash.hardware._OWN_LINE_S", 0.0)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("builds")
    for target in (F407, DK, NANO, PICO):
        compile_stub(target.name, folder / target.name / "firmware" / "build" / "edgesq.elf")
    for name in ("pico", "pico2"):
        program_path = folder / f"{name} here" / "firmware" / "build" / "edgesq"
        compile_stub("host", program_path, "-UESQ_BOARD_NAME", f"-DESQ_BOARD_NAME={name}")
    return {path.name: path for path in folder.iterdir()}


Flash = Callable[..., Programmed]
Programs = dict[str, list[Says]]


@pytest.fixture
def flashing(bench: Bench, builds: dict[str, Path], tmp_path: Path) -> Flash:
    """Return a function that flashes by a runner, with other programs than the good ones."""

    def flash_by(runner: str, others: Programs | None = None, **options: Any) -> Programmed:
        name, programs = GOOD[runner]
        build = tmp_path / "build"
        shutil.copytree(builds[name], build)
        bench.flash.write_bytes(read_image(build / "firmware" / "build" / "edgesq.elf").data)
        for program_name, sayings in {**programs, **(others or {})}.items():
            bench.put(program_name, sayings)
        return program(build, load_target(name), lambda _: None, runner=runner, **options)

    return flash_by


def with_saying(runner: str, program_name: str, says: Says) -> dict[str, list[Says]]:
    """Return a runner's program with other words for one call."""
    good = GOOD[runner][1][program_name]
    return {program_name: [says, *(one for one in good if one.when != says.when or not says.when)]}


@pytest.mark.parametrize("runner", GOOD)
def test_a_board_is_programmed(runner: str, bench: Bench, flashing: Flash) -> None:
    result = flashing(runner)
    assert (result.runner, result.ports) == (runner, ())
    assert result.is_compared == PROGRAMMERS[runner].is_compared
    assert {call[0] for call in bench.calls()} == GOOD[runner][1].keys()


@pytest.mark.parametrize("runner", GOOD)
def test_the_commands_run_are_those_of_a_dry_run(
    runner: str, bench: Bench, flashing: Flash, tmp_path: Path
) -> None:
    flashing(runner)
    ran = bench.calls()
    shown = commands(tmp_path / "build", load_target(GOOD[runner][0]), runner=runner)
    assert [list(command) for command in shown] == ran
    assert bench.calls() == ran


def test_openocd_gets_configs_image_and_id(bench: Bench, flashing: Flash) -> None:
    flashing("openocd", probe="0661FF")
    (call,) = bench.calls()
    assert call[1:3] == ["-f", "board/stm32f4discovery.cfg"]
    assert "adapter serial 0661FF" in call
    assert "set edgesq_id {0xe0042000 0xfff 0x413}" in call
    assert call[-2] == "-f"
    assert Path(call[-1]).is_file()


@pytest.mark.parametrize(
    ("runner", "option"),
    [
        *(("stflash", "--serial"), ("pyocd", "-u"), ("jlink", "-SelectEmuBySN"), ("dfu", "-S")),
        ("picotool", "--ser"),
    ],
)
def test_a_probe_is_named(runner: str, option: str, bench: Bench, flashing: Flash) -> None:
    flashing(runner, probe="AB12")
    assert all(call[call.index(option) + 1] == "AB12" for call in bench.calls())


OTHER_BOARDS = [
    ("openocd", "openocd", Says("", "Error: edgesq: the chip says 0x421", 1)),
    ("stflash", "st-info", Says("", "  serial: 0661\n  chipid:  0x0421")),
    ("pyocd", "pyocd", Says("read32", "10000100:  00052832    |...(|")),
    ("jlink", "JLinkExe", Says("look", "10000100 = 00052833")),
    ("dfu", "dfu-util", Says("-l", DFU.format("04*016Kg,01*064Kg,03*128Kg"))),
    ("picotool", "picotool", Says("info", BOOTSEL.format("RP2350"))),
    ("bossac", "bossac", Says("-i", "Device       : ATSAMD21x18")),
]


@pytest.mark.parametrize(("runner", "name", "says"), OTHER_BOARDS)
def test_another_board_is_refused_before_it_is_written(
    runner: str, name: str, says: Says, bench: Bench, flashing: Flash
) -> None:
    with pytest.raises(BoardError, match=r"another board: its chip says .*--target"):
        flashing(runner, with_saying(runner, name, says))
    assert len(bench.calls()) == 1


@pytest.mark.parametrize(
    ("runner", "says"), [("stflash", "read"), ("pyocd", "savemem"), ("dfu", "-U")]
)
def test_a_flash_that_differs_is_found(
    runner: str, says: str, bench: Bench, flashing: Flash, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def damaged(path: Path, data: bytes) -> int:
        wrong = bytes([*data[:100], data[100] ^ 1, *data[101:]])
        return write(path, wrong if path == bench.flash else data)

    monkeypatch.setattr(Path, "write_bytes", damaged)
    origin = read_image_origin(runner)
    with pytest.raises(BoardError, match=rf"differs from the image from {origin + 100:#010x} on"):
        flashing(runner)
    assert any(says in argument for argument in bench.calls()[-1])


def read_image_origin(runner: str) -> int:
    flash = load_target(GOOD[runner][0]).region("flash")
    assert flash
    return flash.origin


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.runner}-{case.says[:24]}")
def test_a_failure_says_what_and_what_to_try(case: Case, flashing: Flash) -> None:
    says = Says(case.when, case.says, case.code)
    with pytest.raises(EdgesqError) as caught:
        flashing(case.runner, with_saying(case.runner, case.program, says))
    assert caught.value.exit_code == case.exit_code
    assert re.search(case.complaint, str(caught.value)), str(caught.value)
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_every_known_failure_is_tried() -> None:
    assert GOOD.keys() == PROGRAMMERS.keys() - {"uf2"}
    for name, runner in PROGRAMMERS.items():
        said = [case.says for case in CASES if case.runner == name]
        for failure in runner.failures:
            tried = any(re.search(failure.pattern, words, re.I | re.M) for words in said)
            assert tried, f"{name}: {failure.message}"


@pytest.mark.parametrize("runner", GOOD)
def test_a_missing_program_says_how_to_get_it(
    runner: str, bench: Bench, builds: dict[str, Path]
) -> None:
    assert bench.calls() == []
    name = GOOD[runner][0]
    with pytest.raises(ToolError, match=r"is not installed \(.*(install|get) ") as caught:
        program(builds[name], load_target(name), lambda _: None, runner=runner)
    assert caught.value.exit_code == 2


def test_a_program_that_hangs_is_stopped(flashing: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.flash.steps._TIMEOUT_S", 0.2)
    monkeypatch.setattr(
        "support.fake_tools._SCRIPT", "#!{python} -S\nimport time\ntime.sleep(60)\n"
    )
    with pytest.raises(BoardError, match=r"openocd: no end after 0.2 s"):
        flashing("openocd")


def test_several_probes(flashing: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.flash.hardware.find_serial_numbers", lambda _: ["A1", "B2"])
    with pytest.raises(
        BoardError, match=r"several debug probes: A1, B2 \(choose one with --probe\)"
    ):
        flashing("openocd")


@pytest.fixture
def answering(
    builds: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], str]]:
    """Return a function that gives every target a serial device: a process named as a board."""
    started: list[Path] = []

    def start(name: str) -> str:
        started.append(builds[f"{name} here"])
        port = flash(started[-1], load_target("host")).port
        monkeypatch.setattr("edgesq.flash.hardware.find_ports", lambda *_: [port])
        return port

    yield start
    for build in started:
        stop(build)


def test_a_board_that_answers(answering: Callable[[str], str], flashing: Flash) -> None:
    port = answering("pico")
    assert flashing("picotool").ports == (port,)


def test_another_board_answers(answering: Callable[[str], str], flashing: Flash) -> None:
    answering("pico2")
    with pytest.raises(BoardError, match=r"here answers pico2, not pico \(name its port"):
        flashing("picotool")


def test_a_board_that_does_not_answer(flashing: Flash, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = os.openpty()
    port = os.ttyname(ends[1])
    monkeypatch.setattr("edgesq.flash.hardware.find_ports", lambda *_: [port])
    monkeypatch.setattr("edgesq.flash.hardware._ATTEMPT_S", 0.1)
    with pytest.raises(BoardError, match=rf"{port}: programmed, but it does not answer: .*reset"):
        flashing("picotool", timeout=0.1)
    for end in ends:
        os.close(end)


# Which runner


def test_the_first_runner_that_is_installed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.flash.runners.is_attached", lambda _: True)
    assert runner_of(F407, None).name == "openocd"  # none is: its error says how to get the first
    bench.put("st-flash", [])
    bench.put("qemu-system-arm", [])
    assert runner_of(F407, None).name == "stflash"
    assert runner_of(F407, "qemu").name == "qemu"
    assert runner_of(PICO, None).name == "uf2"  # needs no program
    assert runner_of(load_target("cortex-m"), None).name == "gdb"


def test_a_runner_that_is_not_the_boards() -> None:
    with pytest.raises(TargetError, match=r"pico: is not flashed by 'stflash' \(known: pico"):
        runner_of(PICO, "stflash")
    with pytest.raises(TargetError, match=r"esp32s3: has no runner \(it is a library only\)"):
        runner_of(load_target("esp32s3"), None)


# UF2


@pytest.fixture
def drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that mounts a drive of a board."""
    mounts = tmp_path / "mounts"
    mounts.write_text("proc /proc proc rw 0 0\n")
    monkeypatch.setattr(uf2_runner, "_MOUNTS", mounts)

    def mount(name: str, board: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\nModel: x\nBoard-ID: {board}\n")
        place = str(folder).replace(" ", "\\040")
        mounts.write_text(mounts.read_text() + f"/dev/sda1 {place} vfat rw 0 0\n")
        return folder

    return mount


def flash_uf2(build: Path) -> Programmed:
    return program(build, PICO, lambda _: None, runner="uf2")


def test_uf2_is_copied(drives: Callable[..., Path], builds: dict[str, Path]) -> None:
    drives("other", "RP2350")
    folder = drives("RPI RP2", "RPI-RP2")
    assert commands(builds["pico"], PICO, runner="uf2")[0][2] == f"{folder}/"
    assert not flash_uf2(builds["pico"]).is_compared
    copied = (folder / "edgesq.uf2").read_bytes()
    image = read_image(builds["pico"] / "firmware" / "build" / "edgesq.elf")
    blocks = [copied[at : at + 512] for at in range(0, len(copied), 512)]
    data = b""
    for number, block in enumerate(blocks):
        head = struct.unpack("<8I", block[:32])
        at = image.origin + 256 * number
        assert head == (0x0A324655, 0x9E5D5157, 0x2000, at, 256, number, len(blocks), 0xE48BFF56)
        assert struct.unpack("<I", block[-4:]) == (0x0AB16F30,)
        data += block[32 : 32 + 256]
    assert data.rstrip(b"\0") == image.data.rstrip(b"\0")


def test_uf2_needs_the_right_drive(drives: Callable[..., Path], builds: dict[str, Path]) -> None:
    with pytest.raises(BoardError, match=r"no board in BOOTSEL mode \(hold BOOTSEL"):
        flash_uf2(builds["pico"])
    folder = drives("other", "RP2350")
    with pytest.raises(BoardError, match="another board: its chip says RP2350, pico's RPI-RP2"):
        flash_uf2(builds["pico"])
    assert not (folder / "edgesq.uf2").exists()
    drives("one", "RPI-RP2")
    drives("two", "RPI-RP2")
    with pytest.raises(BoardError, match="several boards in BOOTSEL mode"):
        flash_uf2(builds["pico"])


def test_a_full_drive(drives: Callable[..., Path], builds: dict[str, Path]) -> None:
    (drives("drive", "RPI-RP2") / "edgesq.uf2").symlink_to("/dev/full")
    with pytest.raises(BoardError, match="cannot be copied to: No space left"):
        flash_uf2(builds["pico"])
