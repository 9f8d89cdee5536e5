"""Projects of ESP-IDF and a pretended esptool: what is read, run, shown, refused and recognised."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from edgesq.errors import BoardError, EdgesqError, ToolError
from edgesq.flash import Wish, esptool, foreign_run
from edgesq.flash.esp_idf import is_project, read_project
from edgesq.flash.foreign_run import Put
from support.builds import done, edgesq, refused
from support.esp_projects import extra, project
from support.fake_tools import Bench, Says

CHIP = Says("chip", "Detecting chip type... ESP32-S3\nConnected to ESP32-S3 on /dev/x:")
GOOD = [CHIP, Says("write", "Hash of data verified."), Says("verify", "Verification successful")]
PORT = "/dev/ttyUSB7"

FATAL = "ERROR: A fatal error occurred: "
CASES = [
    ("chip", f"{FATAL}Could not open {PORT}, the port is busy or doesn't exist.", 2, "not there"),
    ("chip", "[Errno 13] could not open port: Permission denied", 2, "no permission .*dialout"),
    (
        "chip",
        f"{FATAL}Wrong boot mode detected (0x8)! The chip needs",
        2,
        "runs its program .*BOOT",
    ),
    ("chip", f"{FATAL}Failed to connect to ESP32-S3: No serial data received.", 2, "not answer"),
    ("chip", "Chip type:          ESP32-S3 in Secure Download Mode", 2, "secured .*idf.py"),
    ("chip", "MAC: 00:00:00:00:00:00", 0, "does not say what it is"),
    (
        "write",
        f"{FATAL}This chip is ESP32-C3, not ESP32-S3. Wrong chip argument?",
        2,
        "another chip",
    ),
    ("write", f"{FATAL}Failed to start stub flasher. There was no response.", 2, "NO_STUB"),
    ("write", f"{FATAL}MD5 of file does not match data in flash!", 2, "differs from the files"),
    (
        "write",
        f"{FATAL}File 'a' (length 9) at offset 0x0 will not fit in 8 bytes",
        2,
        "fit the chip",
    ),
    ("write", f"{FATAL}'a' is not an ESP32-S3 image. Use --force", 2, "does not fit the chip"),
    ("write", f"{FATAL}'a' requires chip revision v0.2 or higher", 2, "does not fit the chip"),
    ("write", f"{FATAL}Serial data stream stopped: Possible serial noise", 2, "broke off .*cable"),
    ("write", "esptool: error: argument operation: invalid choice: 'write-flash'", 2, "esptool>=5"),
    ("verify", f"{FATAL}Verification failed.", 2, "differs from the files"),
    ("verify", "Segmentation fault", 139, "code 139: Segmentation fault"),
]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(esptool, "find_ports", lambda *_: [PORT])
    return Bench(tmp_path, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path / "my project" / "build")


def program(folder: Path, probe: str | None = None) -> Put:
    return foreign_run.put(folder, esptool.read(folder, Wish(probe=probe)), lambda _: None)


def commands(folder: Path, probe: str | None = None) -> list[tuple[str, ...]]:
    return foreign_run.commands(esptool.read(folder, Wish(probe=probe)))


# The project


def test_what_a_project_says(folder: Path) -> None:
    found = read_project(folder)
    names = ["bootloader/bootloader.bin", "partition_table/partition-table.bin", "person.bin"]
    places = zip((0x0, 0x8000, 0x10000), names, strict=True)
    assert found.files == tuple((at, folder / name) for at, name in places)
    assert (found.chip, found.before, found.after) == ("esp32s3", "default-reset", "hard-reset")
    assert (found.has_stub, found.is_started) == (True, True)
    assert read_project(folder.parent) == found
    assert is_project(folder.parent)
    assert not is_project(folder / "bootloader")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"flash_files": None}, "is not as ESP-IDF writes it: KeyError"),
        ({"flash_files": {}}, "is not as ESP-IDF writes it: ValueError"),
        ({"flash_files": {"at the end": "person.bin"}}, "is not as ESP-IDF writes it"),
        ({"flash_files": {"0x0": "person.bin", "0x11000": "person.bin"}}, "overlap at 0x11000"),
        ({"flash_files": {"0x0": 3}}, "is not as ESP-IDF writes it: TypeError"),
        ({"extra_esptool_args": extra(chip="--help")}, "no word: '--help'"),
        ({"extra_esptool_args": {"after": "hard_reset", "before": "no_reset"}}, "KeyError.'chip'"),
        ({"flash_settings": {"flash_mode": "dio"}}, "KeyError.'flash_size'"),
        ({"app": {"encrypted": "true"}}, "flash is encrypted .`idf.py encrypted-flash`"),
    ],
)
def test_a_description_that_cannot_be_followed(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(EdgesqError, match=says) as caught:
        read_project(project(tmp_path, **changes))
    assert "flasher_args.json" in str(caught.value)
    assert caught.value.exit_code == 2
    assert caught.value.hint


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\udcff"])
def test_no_description(folder: Path, content: str) -> None:
    (folder / "flasher_args.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(EdgesqError, match="is not as ESP-IDF writes it"):
        read_project(folder)


@pytest.mark.parametrize("is_empty", [True, False])
def test_a_file_that_is_not_there(folder: Path, is_empty: bool) -> None:
    (folder / "person.bin").unlink()
    if is_empty:
        (folder / "person.bin").touch()
    with pytest.raises(ToolError, match=r"person.bin: is not built \(`idf.py build` first"):
        read_project(folder)


# The commands


def test_the_commands_run_are_those_of_a_dry_run(bench: Bench, folder: Path) -> None:
    bench.put("esptool", GOOD)
    assert program(folder) == Put(None, (PORT,), is_compared=True)
    ran = bench.calls()
    assert [list(command) for command in commands(folder)] == ran
    assert bench.calls() == ran


def test_what_esptool_is_told(bench: Bench, tmp_path: Path) -> None:
    bench.put("esptool", GOOD)
    built = project(
        tmp_path / "b",
        extra_esptool_args=extra(before="usb_reset", after="no_reset", stub=False),
        flash_files={"0x20000": "person.bin"},
    )
    look, write, verify = (" ".join(command) for command in commands(built))
    line = f"--port {PORT} --baud 460800 --before usb-reset --after no-reset --no-stub"
    what = f"--flash-mode dio --flash-size 8MB --flash-freq 80m 0x20000 {built / 'person.bin'}"
    assert look == f"esptool --chip auto {line} chip-id"
    assert write == f"esptool --chip esp32s3 {line} write-flash {what}"
    assert verify == f"esptool --chip esp32s3 {line} verify-flash {what}"


def test_the_older_program_has_underscores(bench: Bench, folder: Path) -> None:
    bench.put("esptool.py", GOOD)
    look, write, verify = commands(folder)
    assert look[-1] == "chip_id"
    assert {"write_flash", "--flash_mode", "default_reset", "no_reset"} < {*write}
    assert {"verify_flash", "--flash_freq", "hard_reset"} < {*verify}
    program(folder)
    bench.put("esptool", GOOD)
    assert commands(folder)[0][0] == "esptool"


@pytest.mark.parametrize(
    ("says", "chip"),
    [
        ("Detecting chip type... ESP32\nChip is ESP32-D0WD-V3 (revision v3.1)", "esp32"),
        ("Detecting chip type... Unsupported detection, trying again\nChip is ESP32-S3", None),
        ("Connected to ESP32-C3 on /dev/x:\nChip type: ESP32-C3 (QFN32)", "esp32c3"),
    ],
)
def test_another_chip_is_refused_before_it_is_written(
    bench: Bench, folder: Path, says: str, chip: str | None
) -> None:
    bench.put("esptool", [Says("chip", says), *GOOD[1:]])
    words = "does not say what it is" if chip is None else f"says {chip}, the project's esp32s3"
    with pytest.raises(BoardError, match=words):
        program(folder)
    assert len(bench.calls()) == 1


@pytest.mark.parametrize(("when", "says", "code", "words"), CASES)
def test_a_failure_says_what_and_what_to_try(
    bench: Bench, folder: Path, when: str, says: str, code: int, words: str
) -> None:
    bench.put("esptool", [Says(when, says, code), *(one for one in GOOD if one.when != when)])
    with pytest.raises(EdgesqError, match=words) as caught:
        program(folder)
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_every_known_failure_is_tried() -> None:
    for failure in esptool.RUNNER.failures:
        tried = any(re.search(failure.pattern, says, re.I | re.M) for _, says, *_ in CASES)
        assert tried, failure.message
    for one in GOOD:
        assert not any(re.search(it.pattern, one.output, re.I) for it in esptool.RUNNER.failures)


# The port


def test_which_port(bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.put("esptool", GOOD)
    asked = []

    def find(usb_ids: tuple[str, ...], serial_number: str | None) -> list[str]:
        asked.append((usb_ids, serial_number))
        return ["/dev/ttyUSB0", "/dev/ttyACM1"]

    monkeypatch.setattr(esptool, "find_ports", find)
    with pytest.raises(BoardError, match=r"several boards: /dev/ttyUSB0, /dev/ttyACM1 .*--probe"):
        program(folder, "AB12")
    assert asked == [(esptool.USB_IDS, "AB12")]
    assert "PORT" in commands(folder)[0]
    assert program(folder, PORT).ports == (PORT,)
    monkeypatch.setattr(esptool, "find_ports", lambda *_: [])
    with pytest.raises(BoardError, match=r"no board found \(name its USB serial number or port"):
        program(folder)


# The command


def test_as_a_user_does_it(bench: Bench, folder: Path) -> None:
    bench.put("esptool", GOOD)
    said = done("flash", "--build", folder.parent, "--probe", PORT).splitlines()
    assert [shlex.split(line)[0] for line in said[:3]] == ["esptool"] * 3
    assert said[3:] == [
        "esp32s3: programmed, read back and compared",
        f"verify:  edgesq verify --build EXPORTED --port {PORT}",
    ]
    calls = bench.calls()
    shown = done("flash", "--build", folder, "--probe", PORT, "--dry-run", "--runner", "esptool")
    assert [shlex.split(line) for line in shown.splitlines()] == calls
    assert bench.calls() == calls


def test_a_chip_that_is_not_reset(bench: Bench, tmp_path: Path) -> None:
    bench.put("esptool", GOOD)
    built = project(tmp_path / "b", extra_esptool_args=extra(after="no_reset"))
    assert "It was not reset" in done("flash", "--build", built, "--probe", PORT)


@pytest.mark.slow
def test_refusals(bench: Bench, folder: Path) -> None:
    arguments = ("flash", "--build", folder, "--probe", PORT)
    refused(2, r"esptool is not installed \(pip install esptool\)", *arguments)
    bench.put("esptool", [Says("chip", "Connected to ESP32-C3 on /dev/x:")])
    refused(3, "its chip says esp32c3, the project's esp32s3", *arguments)
    for option in (("--target", "esp32s3"), ("--stop",), ("--runner", "openocd")):
        refused(2, f"{option[0]} is not for a project of ESP-IDF", *arguments, *option)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    said = edgesq("flash", "--build", tmp_path)
    assert said.returncode == 2
    assert "esptool" not in said.stderr
