"""Which serial line is which after a reset, and who else has one open."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from edgesq.errors import BoardError
from edgesq.flash.process import spawn, start_time, stop_process
from edgesq.link import holders, transport
from edgesq.link.holders import how_to_free
from edgesq.link.transport import open_port


def port(
    device: str, serial_number: str | None, location: str | None, interface: str | None = None
) -> ListPortInfo:
    made = ListPortInfo(device)
    made.vid, made.pid = 0x1A86, 0x7523
    made.serial_number, made.location, made.interface = serial_number, location, interface
    return made


SAME_IDS = [port("/dev/ttyUSB0", None, "1-1"), port("/dev/ttyUSB1", None, "1-2")]
TWO_LINES = [port("/dev/ttyACM0", "A1", "1-1:1.0"), port("/dev/ttyACM1", "A1", "1-1:1.2")]
TWO_BOARDS = [port("/dev/ttyACM0", "A1", "1-1"), port("/dev/ttyACM1", "B2", "1-2")]

CASES = {
    "another name": (SAME_IDS, "/dev/ttyUSB0", [port("/dev/ttyUSB5", None, "1-1")], "/dev/ttyUSB5"),
    "the other board alone is back": (
        SAME_IDS,
        "/dev/ttyUSB0",
        [port("/dev/ttyUSB0", None, "1-2")],  # under the name of ours
        None,
    ),
    "names are swapped": (
        SAME_IDS,
        "/dev/ttyUSB0",
        [port("/dev/ttyUSB0", None, "1-2"), port("/dev/ttyUSB1", None, "1-1")],
        "/dev/ttyUSB1",
    ),
    "the second line of a board": (
        TWO_LINES,
        "/dev/ttyACM1",
        [port("/dev/ttyACM4", "A1", "1-1:1.0"), port("/dev/ttyACM5", "A1", "1-1:1.2")],
        "/dev/ttyACM5",
    ),
    "only the first line is back": (
        TWO_LINES,
        "/dev/ttyACM1",
        [port("/dev/ttyACM1", "A1", "1-1:1.0")],
        None,
    ),
    "another socket, same serial number": (
        TWO_BOARDS,
        "/dev/ttyACM0",
        [port("/dev/ttyACM1", "B2", "1-2"), port("/dev/ttyACM0", "A1", "2-4")],
        "/dev/ttyACM0",
    ),
    "another board in our socket": (
        TWO_BOARDS,
        "/dev/ttyACM0",
        [port("/dev/ttyACM0", "C3", "1-1")],
        None,
    ),
    "two with the same serial number, ours in its socket": (
        [port("/dev/ttyACM0", "0001", "1-1"), port("/dev/ttyACM1", "0001", "1-2")],
        "/dev/ttyACM1",
        [port("/dev/ttyACM0", "0001", "1-2"), port("/dev/ttyACM1", "0001", "1-1")],
        "/dev/ttyACM0",
    ),
    "two with the same serial number, both moved": (
        [port("/dev/ttyACM0", "0001", "1-1"), port("/dev/ttyACM1", "0001", "1-2")],
        "/dev/ttyACM1",
        [port("/dev/ttyACM0", "0001", "2-2"), port("/dev/ttyACM1", "0001", "2-1")],
        None,
    ),
}


@pytest.mark.parametrize(("before", "ours", "after", "found"), CASES.values(), ids=CASES)
def test_a_line_is_found_again(
    monkeypatch: pytest.MonkeyPatch,
    before: list[ListPortInfo],
    ours: str,
    after: list[ListPortInfo],
    found: str | None,
) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: before)
    line = transport._usb_device(ours)
    assert line is not None
    monkeypatch.setattr(list_ports, "comports", lambda: after)
    assert transport._port_of(line) == found


HOLD = """
import serial, sys, time
held = serial.Serial(sys.argv[1], exclusive=True)
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def holding(device: str) -> Iterator[int]:
    command = [sys.executable, "-c", HOLD, device]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
        process.kill()


def test_who_has_the_port_is_named(tmp_path: os.PathLike[str]) -> None:
    from pathlib import Path

    pid, device = spawn(["sleep", "60"], Path(tmp_path) / "log")  # a board that says nothing
    started = start_time(pid)
    assert started is not None
    try:
        assert holders.holders(device) == ()  # the board itself is no other
        with holding(device) as other:
            says = rf"another program uses the port: python\S* \(pid {other}\)"
            with pytest.raises(BoardError, match=says):
                open_port(device)
    finally:
        stop_process(pid, started)


def test_modem_manager_is_hinted_at() -> None:
    assert "ID_MM_DEVICE_IGNORE" in how_to_free(("ModemManager (pid 7)",))
    assert how_to_free(("screen (pid 7)",)) == "close it"
