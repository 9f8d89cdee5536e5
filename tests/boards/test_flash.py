"""Flash: boards as processes, recorded, replaced, stopped, and what goes wrong."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgesq.errors import BoardError, MissingToolError, ToolError
from edgesq.flash import flash, recorded, stop
from edgesq.flash.board import read_record, write_record
from edgesq.flash.gdb import PART_NUMBERS
from edgesq.flash.process import start_time
from edgesq.flash.rsp import RemoteTarget
from edgesq.link.client import Client
from edgesq.link.transport import open_port
from edgesq.targets import load_target
from edgesq.verify.cores import _ARM, _CORES
from support.boards import STUB_BYTES, compile_stub, stub_values

HOST = load_target("host")


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_stub("host", tmp_path_factory.mktemp("stub") / "edgesq")


@pytest.fixture
def build(tmp_path: Path, stub: Path) -> Iterator[Path]:
    folder = tmp_path / "build"
    (folder / "firmware" / "build").mkdir(parents=True)
    shutil.copy(stub, folder / "firmware" / "build" / "edgesq")
    yield folder
    stop(folder)


def put_script(build: Path, text: str) -> None:
    program = build / "firmware" / "build" / "edgesq"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def check_answers(port: str) -> None:
    with open_port(port) as transport:
        outputs = Client(transport).infer(bytes(STUB_BYTES)).outputs
    assert all(map(np.array_equal, outputs, stub_values(bytes(STUB_BYTES))))


def test_flash_and_stop(build: Path) -> None:
    board = flash(build, HOST)
    assert json.loads((build / "board.json").read_text()).items() >= {
        ("port", board.port),
        ("pid", board.pid),
        ("target", "host"),
    }
    assert recorded(build) == board
    check_answers(board.port)
    assert stop(build)
    assert start_time(board.pid) is None
    assert not (build / "board.json").exists()
    assert recorded(build) is None
    assert not stop(build)


def test_flash_again_replaces_the_board(build: Path) -> None:
    first = flash(build, HOST)
    second = flash(build, HOST)
    assert start_time(first.pid) is None
    check_answers(second.port)


def test_two_builds_run_side_by_side(build: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(build, other)
    first = flash(build, HOST)
    try:
        assert flash(other, HOST).port != first.port
        check_answers(first.port)
    finally:
        stop(other)


def test_a_board_on_qemu(tmp_path: Path) -> None:
    compile_stub("mps2-an500", tmp_path / "firmware" / "build" / "edgesq.elf")
    board = flash(tmp_path, load_target("cortex-m"))
    try:
        assert board.target == "cortex-m"
        check_answers(board.port)
    finally:
        assert stop(tmp_path)
    assert start_time(board.pid) is None


@pytest.mark.parametrize("runner", ["gdb", "qemu"])
@pytest.mark.parametrize("name", ["mps3-an547", "nucleo-f446re", "riscv32-virt"])
def test_an_emulated_board_by_either_runner(name: str, runner: str, tmp_path: Path) -> None:
    """The first starts at an address, the second has its line on another UART."""
    compile_stub(name, tmp_path / "firmware" / "build" / "edgesq.elf")
    board = flash(tmp_path, load_target(name), runner=runner)
    try:
        check_answers(board.port)
    finally:
        assert stop(tmp_path)


def test_another_core_is_refused(tmp_path: Path) -> None:
    compile_stub("mps2-an386", tmp_path / "firmware" / "build" / "edgesq.elf")
    board = replace(load_target("mps2-an386"), machine="mps2-an500")
    with pytest.raises(BoardError, match="another board: its chip says 0xc27, mps2-an386's 0xc24"):
        flash(tmp_path, board)
    assert recorded(tmp_path) is None


def test_another_width_of_riscv_is_refused(tmp_path: Path) -> None:
    compile_stub("riscv32-virt", tmp_path / "firmware" / "build" / "edgesq.elf")
    board = load_target("riscv32-virt")
    wide = replace(board, emulator="qemu-system-riscv64", qemu_args=("-bios", "none"))
    with pytest.raises(BoardError, match="its chip says riscv:rv64, riscv32-virt's riscv:rv32"):
        flash(tmp_path, wide)
    assert recorded(tmp_path) is None


def test_firmware_that_is_not_where_memory_is(tmp_path: Path) -> None:
    compile_stub("stm32f405", tmp_path / "firmware" / "build" / "edgesq.elf")
    board = replace(load_target("stm32f405"), machine="mps2-an386")
    with pytest.raises(BoardError, match=r"the GDB server|differs from the image"):
        flash(tmp_path, board)


def test_an_emulator_that_dies_before_it_is_programmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_stub("mps2-an386", tmp_path / "firmware" / "build" / "edgesq.elf")
    (tmp_path / "qemu-system-arm").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "qemu-system-arm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(BoardError, match=r"the GDB server does not answer .*--runner qemu"):
        flash(tmp_path, load_target("mps2-an386"))
    assert recorded(tmp_path) is None


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"+$E14#aa", "refuses 'M100,4:01020304': b'E14'"),
        (b"+$#00", "refuses"),
        (b"+$OK#00", "sends damaged packets"),
        (b"", "does not answer"),
    ],
)
def test_a_gdb_server_that_refuses(answer: bytes, complaint: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(BoardError, match=complaint):
            RemoteTarget(ours, "board").write(0x100, bytes([1, 2, 3, 4]))


def test_cores_are_told_apart_by_the_numbers_that_verify_knows() -> None:
    for cpu, number in PART_NUMBERS.items():
        assert _CORES[_ARM, number].name.lower() == cpu


def test_the_board_outlives_the_program_that_started_it(build: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from edgesq.flash import flash; "
        "from edgesq.targets import load_target; flash(Path(sys.argv[1]), load_target('host'))"
    )
    subprocess.run([sys.executable, "-c", program, str(build)], check=True, timeout=60)
    board = recorded(build)
    assert board is not None
    check_answers(board.port)
    assert stop(build)
    assert start_time(board.pid) is None


def test_a_board_that_died_is_not_recorded(build: Path) -> None:
    board = flash(build, HOST)
    os.kill(board.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while recorded(build) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert recorded(build) is None
    assert not stop(build)


def test_a_stopped_process_is_killed(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.flash.process._STOP_S", 0.2)
    board = flash(build, HOST)
    os.kill(board.pid, signal.SIGSTOP)  # it cannot act on SIGTERM
    assert stop(build)
    assert start_time(board.pid) is None


def test_another_process_with_the_pid_is_left_alone(build: Path) -> None:
    board = flash(build, HOST)
    write_record(build, replace(board, started=board.started + 1))
    assert recorded(build) is None
    assert not stop(build)
    assert start_time(board.pid) is not None
    write_record(build, board)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x"}', '{"port": 1, "pid": "x"}'])
def test_a_damaged_record_is_no_board(build: Path, text: str) -> None:
    (build / "board.json").write_text(text)
    assert read_record(build) is None
    assert not stop(build)
    assert not (build / "board.json").exists()


def test_no_firmware(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="the firmware is not compiled"):
        flash(tmp_path, HOST)


def test_no_emulator(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (build / "firmware" / "build" / "edgesq.elf").touch()
    monkeypatch.setenv("PATH", str(build))
    monkeypatch.setitem(sys.modules, "unicorn", None)
    with pytest.raises(MissingToolError, match="qemu-system-arm is not installed"):
        flash(build, load_target("mps2-an500"))


def test_a_board_that_dies_at_once_says_why(build: Path) -> None:
    put_script(build, "echo 'cannot map memory' >&2; exit 1")
    with pytest.raises(BoardError, match=r"does not start \(cannot map memory\)"):
        flash(build, HOST)
    assert recorded(build) is None


def test_a_board_that_never_answers(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesq.flash.run._ATTEMPT_S", 0.2)
    put_script(build, f"echo $$ > {build}/pid; exec sleep 60")
    begun = time.monotonic()
    with pytest.raises(BoardError, match="does not start"):
        flash(build, HOST, timeout=0.5)
    assert time.monotonic() - begun < 3
    assert not (build / "board.json").exists()
    assert start_time(int((build / "pid").read_text())) is None


def test_a_program_that_cannot_run(build: Path) -> None:
    put_script(build, "exit 0")
    (build / "firmware" / "build" / "edgesq").chmod(0o644)
    with pytest.raises(ToolError, match="cannot be started: Permission denied"):
        flash(build, HOST)
