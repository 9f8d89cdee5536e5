"""The real esptool with a pretended chip on a pty: chip asked, written, compared, refused."""

import struct
import sys
from pathlib import Path

import pytest

from edgesq.errors import BoardError, EdgesqError
from edgesq.flash import Wish, esptool, foreign_run
from support.esp_chip import ESP32_C3, Chip
from support.esp_projects import APP_AT, BOOTLOADER_AT, TABLE_AT, extra, project


@pytest.fixture(autouse=True)
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Path(sys.prefix) / "bin"
    if not (programs / "esptool").exists():
        pytest.skip("esptool is not installed")
    monkeypatch.setenv("PATH", str(programs))


def flash(folder: Path, port: str) -> list[str]:
    """Program a project, and return the commands."""
    done: list[str] = []
    result = foreign_run.put(folder, esptool.read(folder, Wish(probe=port)), done.append)
    assert result.is_compared
    assert result.ports == (port,)
    return done


@pytest.mark.parametrize("stub", [True, False])
def test_a_project_is_written_and_compared(tmp_path: Path, stub: bool) -> None:
    folder = project(tmp_path, extra_esptool_args=extra(stub=stub))
    with Chip() as chip:
        assert len(flash(folder, chip.port)) == 3
    bootloader = (folder / "bootloader" / "bootloader.bin").read_bytes()
    written = bytes(chip.flash[BOOTLOADER_AT : BOOTLOADER_AT + len(bootloader)])
    assert (written[:3], written[4:]) == (bootloader[:3], bootloader[4:])
    assert (bootloader[3], written[3]) == (0x10, 0x3F)  # 2 MB, 40 MHz; 8 MB, 80 MHz as asked
    table = (folder / "partition_table" / "partition-table.bin").read_bytes()
    assert chip.flash[TABLE_AT : TABLE_AT + len(table)] == table
    app = (folder / "person.bin").read_bytes()
    assert chip.flash[APP_AT : APP_AT + len(app)] == app
    assert chip.sums == 2 * 3  # each file as it is written, and each of them again
    assert (0x06 in chip.commands) == stub


def refusal(folder: Path, chip: Chip) -> str:
    """Return why a chip is not programmed; only the board or the project may be at fault."""
    with chip, pytest.raises(EdgesqError) as caught:
        flash(folder, chip.port)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_another_chip_is_refused_before_it_is_written(tmp_path: Path) -> None:
    chip = Chip(ESP32_C3)
    said = refusal(project(tmp_path), chip)
    assert "another board: its chip says esp32c3, the project's esp32s3" in said
    assert not chip.is_written


def test_images_of_another_chip(tmp_path: Path) -> None:
    chip = Chip()
    assert "does not fit the chip" in refusal(project(tmp_path, ESP32_C3), chip)
    assert not chip.is_written


@pytest.mark.parametrize("sums", [1, 3, 4])
def test_a_flash_that_changes_is_found(tmp_path: Path, sums: int) -> None:
    """Found where it changes after it was written; after it was compared it is not any more."""
    chip = Chip(spoil_at=(sums, (BOOTLOADER_AT, APP_AT)[sums == 3]))
    if sums < 4:
        assert "the flash differs from the files" in refusal(project(tmp_path), chip)
    else:
        with chip:
            flash(project(tmp_path), chip.port)
    assert chip.sums >= sums


def test_a_secured_chip_is_left_to_idf(tmp_path: Path) -> None:
    chip = Chip(security=1 << 2)  # secure download mode
    assert "the chip is secured (flash it by idf.py" in refusal(project(tmp_path), chip)
    assert not chip.is_written


def test_a_file_behind_the_flash(tmp_path: Path) -> None:
    folder = project(tmp_path, flash_files={"0x900000": "person.bin"})
    chip = Chip()
    assert "does not fit the chip" in refusal(folder, chip)
    assert not chip.is_written


def test_nobody_answers(tmp_path: Path) -> None:
    said = refusal(project(tmp_path), Chip(is_silent=True))
    assert "bootloader does not answer (hold BOOT" in said


def test_no_such_port(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="the port is not there, or another program uses it"):
        flash(project(tmp_path), "/dev/ttyNONE")


def test_the_images_header_is_as_the_chip_reads_it(tmp_path: Path) -> None:
    """The pretended project is not taken for noise: esptool reads its images."""
    content = (project(tmp_path) / "person.bin").read_bytes()
    assert struct.unpack_from("<BB2xI", content) == (0xE9, 1, 0x40370000)
    assert len(content) % 16 == 0
