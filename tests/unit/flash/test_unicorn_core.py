"""Programs that do what firmware must not: each ends the board, and says where it stood."""

import contextlib
import struct
import threading

import pytest

pytest.importorskip("unicorn", reason="unicorn is not installed")

from edgesq.errors import BoardError
from edgesq.flash import unicorn_core
from edgesq.flash.emulated_line import Line
from edgesq.flash.image import Image
from edgesq.flash.unicorn_core import Core
from edgesq.flash.unicorn_devices import Clock, mps2
from edgesq.targets import load_target

TARGET = load_target("mps2-an386")
START = 0x100


ECHO = (
    *(0x2040, 0x0600, 0x2140, 0x0209, 0x1840),  # r0 = 0x40004000, the UART
    *(0x210B, 0x6081),  # its control: send, receive, interrupt
    *(0x22E0, 0x0612, 0x23E1, 0x021B, 0x18D2),  # r2 = 0xE000E100, the interrupts
    *(0x2301, 0x6013),  # the UART's, number 0
)
"""What a program begins with whose interrupt is HANDLER."""
HANDLER = (0x6841, 0x2202, 0x4211, 0xD002, 0x6801, 0x6001, 0xE7F8, 0x4770)
"""While the UART has a byte: send it back."""
WFI, YIELD, AGAIN = 0xBF30, 0xBF10, 0xE7FD


class EnoughError(Exception):
    """All is back that was sent."""


class Sender:
    """A far end that sends some bytes, and takes as many back."""

    def __init__(self, data: bytes) -> None:
        self._to_send = data
        self._bytes = len(data)
        self.came = b""

    def read(self) -> bytes:
        if not self._to_send:
            threading.Event().wait()
        data, self._to_send = self._to_send, b""
        return data

    def write(self, data: bytes) -> None:
        self.came += data
        if len(self.came) >= self._bytes:
            raise EnoughError


class WatchedLine(Line):
    """Looks after the core in the middle of each access to the UART's data."""

    def take(self) -> int:
        self._watch()
        return super().take()

    def send(self, byte: int) -> None:
        self._watch()
        super().send(byte)


def run(*halfwords: int, handler: tuple[int, ...] = (), data: bytes = b"x") -> bytes:
    """Run a program that begins at START, its stack at the end of the first KB of RAM.

    Returns:
        What it sent, once it is as much as it got.
    """
    program = struct.pack("<II", 0x2000_0400, START | 1).ljust(0x40, b"\0")
    program += struct.pack("<I", START + 2 * len(halfwords) | 1).ljust(START - 0x40, b"\0")
    program += struct.pack(f"<{len(halfwords + handler)}H", *halfwords, *handler)
    core = Core(TARGET, Image(0, program, START | 1))
    sender = Sender(data)
    line = WatchedLine(sender, core.watch)
    devices = mps2(TARGET, line, Clock(TARGET.counter_hz, core.is_active))
    line.start()
    with contextlib.suppress(EnoughError):
        core.run(devices, line)
    return sender.came


@pytest.mark.parametrize("rest", [WFI, YIELD])
def test_each_byte_is_taken_once(rest: int) -> None:
    """A core that is stopped within an access does it twice: nothing but its end may stop it."""
    data = bytes(range(256)) * 8 + b"more than the UART holds, not a whole number of times"
    assert run(*ECHO, rest, AGAIN, handler=HANDLER, data=data) == data


def test_no_interrupt_is_taken_where_the_program_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ring has room for what came before it waits, and not for more."""
    monkeypatch.setattr(unicorn_core, "_HANG_S", 0.3)
    with pytest.raises(BoardError, match=r"pc 0x0000011c: .* no sign of life"):
        run(*ECHO, 0xE7FE, handler=HANDLER)  # b .


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
