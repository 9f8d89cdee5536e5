"""Zephyr's build folders, a pretended west and a pretended QEMU: what is read, run and refused."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from edgesq.errors import EdgesqError, MissingToolError, ToolError
from edgesq.flash import Wish, foreign_run, system_of, zephyr
from edgesq.flash.foreign import Emulating, Programming
from support.builds import done, refused
from support.fake_tools import Bench, Says
from support.zephyr_projects import RUNNERS, project

BOARD = "nucleo_f446re"
CASES = [
    ('west: unknown command "flash"; do you need to run this inside a workspace?', "ZEPHYR_BASE"),
    (
        "FATAL ERROR: required program openocd not found; install it or add",
        "program is not install",
    ),
    ("FATAL ERROR: board nucleo_f446re does not support runner dfu-util", "runners of the build"),
    ("FATAL ERROR: runner openocd received unknown arguments: ['-x']", "does not take an option"),
    ("ninja: build stopped: subcommand failed.\nFATAL ERROR: re-build in /b failed", "not build"),
    ("FATAL ERROR: command exited with status 1: openocd -f x", "code 33: FATAL ERROR"),
]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path / "my app" / "build", BOARD, tmp_path / "my app", runners=RUNNERS)


@pytest.fixture
def emulated(tmp_path: Path) -> Path:
    program = tmp_path / "my tools" / "qemu-system-arm"
    program.parent.mkdir()
    program.touch()
    return project(tmp_path / "build", "mps2_an521", tmp_path, qemu=str(program))


def program(folder: Path, wish: Wish) -> list[str]:
    """Program the board of a folder; return the commands."""
    said: list[str] = []
    foreign_run.put(folder, zephyr.read(folder, wish), said.append)
    return said


def test_which_folders_are_zephyrs(folder: Path, tmp_path: Path) -> None:
    assert system_of(folder) is system_of(folder.parent) is zephyr.SYSTEM
    assert system_of(folder / "zephyr") is None
    (tmp_path / "CMakeCache.txt").write_text("CMAKE_HOME_DIRECTORY:INTERNAL=/x\n")
    assert system_of(tmp_path) is None


def test_what_a_folder_says(folder: Path) -> None:
    found = zephyr.read_application(folder)
    assert (found.board, found.runners) == (BOARD, ("openocd", "jlink"))
    assert found.sources == (folder.parent, Path("/modules/hal"))
    assert zephyr.read_application(folder.parent) == found


def test_an_image_of_several(folder: Path, tmp_path: Path) -> None:
    """With sysbuild the build folder holds one for each image, and names the default."""
    top = tmp_path / "several"
    top.mkdir()
    shutil.copy(folder / "CMakeCache.txt", top)
    domains = f"default: app\nbuild_dir: {top}\ndomains:\n  - name: app\n    build_dir: {folder}\n"
    (top / "domains.yaml").write_text(domains)
    found = zephyr.read_application(top)
    assert (found.top, found.folder, found.board) == (top, folder, BOARD)
    (top / "domains.yaml").write_text("default: other\n")
    with pytest.raises(EdgesqError, match="default image is not there"):
        zephyr.read_application(top)


def test_west_is_told_what_the_user_says(bench: Bench, folder: Path) -> None:
    bench.put("west", [Says("")])
    program(folder, Wish())
    program(folder, Wish("jlink", "0042", ("--erase", "-v")))
    usual = ["west", "flash", "--build-dir", str(folder)]
    more = ["--runner", "jlink", "--dev-id", "0042", "--erase", "-v"]
    assert bench.calls() == [usual, [*usual, *more]]


def test_as_a_user_does_it(bench: Bench, folder: Path) -> None:
    bench.put("west", [Says("")])
    shown = done("flash", "--build", folder, "--dry-run", "--runner", "jlink", "--", "--erase")
    assert bench.calls() == []
    said = done("flash", "--build", folder, "--runner", "jlink", "--", "--erase").splitlines()
    assert [shlex.split(line) for line in shown.splitlines()] == bench.calls()
    assert said[1:] == [
        f"{BOARD}: programmed",
        "verify:  edgesq verify --build EXPORTED --port PORT",
    ]


@pytest.mark.parametrize(("says", "words"), CASES)
def test_a_failure_says_what_to_try(bench: Bench, folder: Path, says: str, words: str) -> None:
    bench.put("west", [Says("", says, 33)])
    with pytest.raises(EdgesqError, match=words) as caught:
        program(folder, Wish())
    assert caught.value.hint


def test_every_known_failure_is_tried() -> None:
    for failure in zephyr.RUNNER.failures:
        assert any(re.search(failure.pattern, says, re.I) for says, _ in CASES), failure.message


def test_refusals(folder: Path) -> None:
    refused(
        2, "--target is not for a project of Zephyr", "flash", "--build", folder, "--target", "host"
    )
    refused(2, f"--stop .*{BOARD} is no emulated", "flash", "--build", folder, "--stop")
    with pytest.raises(EdgesqError, match=r"--runner .*known here: openocd, jlink"):
        zephyr.read(folder, Wish("qemu"))
    (folder / "zephyr" / "zephyr.elf").unlink()
    with pytest.raises(ToolError, match=r"is not built \(`west build` first"):
        zephyr.read(folder, Wish())
    (folder / "CMakeCache.txt").write_text("ZEPHYR_BASE:PATH=/z\nBOARD:STRING=--help\n")
    with pytest.raises(EdgesqError, match="is not as Zephyr writes it: board '--help'"):
        zephyr.read(folder, Wish())


def test_a_board_that_nothing_flashes(tmp_path: Path) -> None:
    folder = project(tmp_path / "build", "native_posix", tmp_path, runners="runners:\n- native\n")
    with pytest.raises(EdgesqError, match="Zephyr flashes no native_posix"):
        zephyr.read(folder, Wish())


def test_qemu_gets_the_line_alone(emulated: Path, tmp_path: Path) -> None:
    built = zephyr.read(emulated, Wish())
    assert isinstance(built, Emulating)
    command = built.command(None)
    assert command[0] == str(tmp_path / "my tools" / "qemu-system-arm")
    said = " ".join(command[1:])
    assert "stdio,signal=off,id=con,mux=on -echr 256 -cpu cortex-m33 -machine mps2-an521" in said
    assert "-display none -monitor none -m 16 -vga none -serial chardev:con -icount shift=7" in said
    assert "-chardev null,id=hostS0 -serial chardev:hostS0 -kernel" in said
    assert command[-1] == str(emulated / "zephyr" / "zephyr.elf")
    assert "-mon" not in command
    assert "port=4444,server=on" in " ".join(built.command(4444))
    (tmp_path / "my tools" / "qemu-system-arm").unlink()
    with pytest.raises(MissingToolError, match="qemu-system-arm"):
        built.command(None)


def test_a_board_both_real_and_emulated(tmp_path: Path) -> None:
    arguments = {"runners": RUNNERS, "qemu": "/bin/qemu-system-arm"}
    folder = project(tmp_path / "build", BOARD, tmp_path, **arguments)
    assert isinstance(zephyr.read(folder, Wish()), Programming)
    assert isinstance(zephyr.read(folder, Wish("qemu")), Emulating)


def test_another_program_than_qemu(tmp_path: Path) -> None:
    folder = project(tmp_path / "build", BOARD, tmp_path, qemu=sys.executable)
    with pytest.raises(EdgesqError, match="does not start QEMU"):
        zephyr.read(folder, Wish())


def test_a_rule_with_half_a_quote(tmp_path: Path) -> None:
    folder = project(
        tmp_path / "build", BOARD, tmp_path, qemu="/bin/qemu-system-arm", arguments="'"
    )
    with pytest.raises(EdgesqError, match="rule run_qemu: No closing quotation"):
        zephyr.read(folder, Wish())


def test_domains_in_quotes_and_nowhere(folder: Path) -> None:
    domains = folder / "domains.yaml"
    domains.write_text(f"default: 'app'\ndomains:\n  - name: 'app'\n    build_dir: '{folder}'\n")
    assert zephyr.read_application(folder).folder == folder
    domains.write_text("default: a\ndomains:\n  - name: a\n    build_dir: /zero\0byte\n")
    with pytest.raises(EdgesqError, match="default image is not there"):
        zephyr.read_application(folder)


def test_long_files_are_read_in_time_that_grows_with_them(folder: Path) -> None:
    (folder / "build.ninja").write_text("build " + "run_qemu " * 9000 + "x\n" + "  a = b\n" * 9000)
    assert isinstance(zephyr.read(folder, Wish()), Programming)
    (folder / "domains.yaml").write_text("default: a\n  - name: a" + "\n" * 99_000 + "x")
    with pytest.raises(EdgesqError, match="default image is not there"):
        zephyr.read(folder, Wish())
