"""Programs that do what firmware must not: each ends the board, and says where it stood."""

import struct
import threading

import pytest

pytest.importorskip("unicorn", reason="unicorn is not installed")

from edgesq.errors import BoardError
from edgesq.flash import unicorn_core
from edgesq.flash.image import Image
from edgesq.flash.unicorn_core import Core
from edgesq.flash.unicorn_devices import Clock, mps2
from edgesq.flash.unicorn_line import Line
from edgesq.targets import load_target

TARGET = load_target("mps2-an386")
START = 0x100


class Sender:
    """A far end that sends one byte and takes everything."""

    def __init__(self) -> None:
        self._sent = False

    def read(self) -> bytes:
        if self._sent:
            threading.Event().wait()
        self._sent = True
        return b"x"

    def write(self, data: bytes) -> None:
        raise AssertionError(data)


def run(*halfwords: int) -> None:
    """Run a program that begins at START, its stack at the end of the first KB of RAM."""
    program = struct.pack("<II", 0x2000_0400, START | 1).ljust(START, b"\0")
    program += struct.pack(f"<{len(halfwords)}H", *halfwords)
    core = Core(TARGET, Image(0, program, START | 1))
    line = Line(Sender(), core.kick)
    devices = mps2(TARGET, line, Clock(TARGET.counter_hz, core.is_active))
    line.start()
    core.run(devices, line)


@pytest.mark.parametrize(
    ("halfwords", "says"),
    [
        ((0xBE00,), "raises exception"),  # bkpt
        ((0xDE00,), r"faults|raises exception"),  # udf
        ((0x2000, 0x6000), r"faults: .*WRITE_PROT"),  # str r0, [r0]: into flash
        ((0x2001, 0x07C0, 0x6800), r"faults: .*READ_UNMAPPED"),  # of 0x80000000
    ],
)
def test_a_fault_is_told(halfwords: tuple[int, ...], says: str) -> None:
    with pytest.raises(BoardError, match=rf"pc 0x0000010\d: the firmware .*{says}"):
        run(*halfwords)


def test_a_hang_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte waits that the program never takes."""
    monkeypatch.setattr(unicorn_core, "_HANG_S", 0.3)
    with pytest.raises(BoardError, match=r"pc 0x00000100: .* no sign of life"):
        run(0xE7FE)  # b .
