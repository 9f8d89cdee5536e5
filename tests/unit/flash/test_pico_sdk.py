"""Build folders of the Pico SDK: no SDK is there, they are as its CMake leaves them."""

import struct
import sys
from pathlib import Path

import pytest

from edgesq.errors import BoardError, EdgesqError, ToolError
from edgesq.extras import is_installed
from edgesq.flash import Emulating, Wish, foreign_run, system_of
from edgesq.flash import uf2 as uf2_runner
from edgesq.flash.foreign import Built
from edgesq.flash.pico_sdk import NAME
from support.fake_tools import Bench, Says

BOOTSEL = "Device Information\n type:        {}\n revision:    B2"
CACHE = """# This is the CMakeCache file.
//a comment: with=signs
CMAKE_HOME_DIRECTORY:INTERNAL={home}
PICO_BOARD:STRING={board}
PICO_PLATFORM:STRING={platform}
PICO_SDK_PATH:PATH=/opt/pico-sdk
"""


def elf() -> bytes:
    """Return an ELF file that loads four bytes into the flash."""
    head = b"\x7fELF\x01\x01".ljust(24, b"\0") + struct.pack("<II", 0x1000_0000, 52)
    head = head.ljust(42, b"\0") + struct.pack("<HH", 32, 1)
    part = struct.pack("<8I", 1, 84, 0x1000_0000, 0x1000_0000, 4, 4, 5, 4)
    return head.ljust(52, b"\0") + part + b"code"


def built(folder: Path, *, board: str = "pico", platform: str = "rp2040") -> Path:
    """Return a build folder in which `verify` was built."""
    folder.mkdir()
    text = CACHE.format(home=folder.parent, board=board, platform=platform)
    (folder / "CMakeCache.txt").write_text(text)
    (folder / "verify.elf").write_bytes(elf())
    (folder / "verify.hex").write_text("")
    (folder / "boot").mkdir()
    (folder / "boot" / "second_stage.elf").write_bytes(elf())
    (folder / "verify.uf2").write_bytes(b"of the SDK")
    return folder


def read(folder: Path, *, runner: str | None = None) -> Built:
    system = system_of(folder)
    assert system is not None
    assert system.name == NAME
    return system.read(folder, Wish(runner))


def test_whose_folder_it_is(tmp_path: Path) -> None:
    folder = built(tmp_path / "build")
    (folder / "CMakeCache.txt").write_text("PICO_SDK_PATH:PATH=/opt/pico-sdk\n")
    assert system_of(folder) is system_of(tmp_path) is system_of(tmp_path / "none") is None


def test_by_picotool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is the SDK's own, byte for byte."""
    folder = built(tmp_path / "build", board="pico2", platform="rp2350-arm-s")
    bench = Bench(tmp_path, monkeypatch)
    bench.put("picotool", [Says("info", BOOTSEL.format("RP2350")), Says("load", "OK")])
    monkeypatch.setattr("edgesq.flash.hardware._OWN_LINE_S", 0.0)
    done = foreign_run.put(folder, read(folder), lambda _: None)
    assert bench.calls() == [
        ["picotool", "info", "-d"],
        ["picotool", "load", "-v", "-x", str(folder / "verify.uf2")],
    ]
    assert (done.is_compared, done.export) == (True, None)
    bench.put("picotool", [Says("info", BOOTSEL.format("RP2040"))])
    with pytest.raises(BoardError, match="another board: its chip says RP2040"):
        foreign_run.put(folder, read(folder), lambda _: None)


def test_by_its_drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without picotool; the programs on this computer are out of sight."""
    folder = built(tmp_path / "build")
    Bench(tmp_path, monkeypatch)
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "INFO_UF2.TXT").write_text("Board-ID: RPI-RP2\n")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 {drive} vfat rw 0 0\n")
    monkeypatch.setattr(uf2_runner, "_MOUNTS", mounts)
    foreign_run.put(folder, read(folder), lambda _: None)
    assert (drive / "verify.uf2").read_bytes() == b"of the SDK"


@pytest.mark.skipif(not is_installed("rp2040py"), reason="rp2040py is not installed")
def test_by_the_emulator(tmp_path: Path) -> None:
    chosen = read(built(tmp_path / "build"), runner="rp2040py")
    assert isinstance(chosen, Emulating)
    image = str(tmp_path / "build" / "verify.elf")
    wanted = [sys.executable, "-m", "edgesq.flash.rp2040_board", image, "pico", "4000"]
    assert chosen.command(4000) == wanted
    second = built(tmp_path / "second", board="pico2", platform="rp2350-riscv")
    with pytest.raises(EdgesqError, match="rp2040py has an RP2040 alone"):
        read(second, runner="rp2040py")


def test_what_cannot_be_flashed(tmp_path: Path) -> None:
    folder = built(tmp_path / "build", platform="host")
    with pytest.raises(EdgesqError, match=r"PICO_PLATFORM is host .*known: rp2040, rp2350"):
        read(folder)
    folder = built(tmp_path / "second")
    with pytest.raises(EdgesqError, match=r"--runner is not for .*known here: picotool, uf2, rp2"):
        read(folder, runner="openocd")
    for suffix in (".elf", ".hex"):
        (folder / "boot" / f"other{suffix}").write_bytes(b"")
    with pytest.raises(EdgesqError, match=r"several programs: boot/other.elf, verify.elf"):
        read(folder)
    (folder / "boot" / "other.elf").unlink()
    (folder / "verify.uf2").unlink()
    with pytest.raises(ToolError, match=r"verify.uf2: is not there .*PICO_NO_PICOTOOL"):
        read(folder)
    (folder / "verify.elf").unlink()
    with pytest.raises(ToolError, match="no program is built"):
        read(folder)


def test_programs_that_are_none(tmp_path: Path) -> None:
    folder = built(tmp_path / "build")
    (folder / "verify.elf").unlink()
    (folder / "verify.elf").mkdir()
    with pytest.raises(ToolError, match="no program is built"):
        read(folder)


def test_parts_at_both_ends_of_the_addresses(tmp_path: Path) -> None:
    """4 GiB would be made for them."""
    folder = built(tmp_path / "build")
    head = elf()[:44] + struct.pack("<H", 2) + elf()[46:52]
    parts = (struct.pack("<8I", 1, 116, at, at, 4, 4, 5, 4) for at in (0, 0xFFFF_FFF0))
    (folder / "verify.elf").write_bytes(head + b"".join(parts) + b"code")
    with pytest.raises(ToolError, match="its parts lie over 4,294,967,284 B"):
        read(folder)
