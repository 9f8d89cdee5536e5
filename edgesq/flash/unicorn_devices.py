"""What surrounds the core of a board that Unicorn runs: serial line, counter, clocks.

Each models as many registers as the port in firmware/ports uses; addresses are the chips'.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edgesq.flash.emulated_line import Line
from edgesq.targets import Target

PAGE = 0x1000
_NS_PER_S = 1_000_000_000
_MASK = 0xFFFFFFFF

Read = Callable[[], int]
Write = Callable[[int], None]


@dataclass
class Page:
    """Registers within `PAGE` bytes: those that do something, and others that keep what is written.

    Attributes:
        reads: by offset, of registers that are computed.
        writes: by offset, of registers whose writing does something.
        kept: by offset, what was written.
    """

    reads: Mapping[int, Read] = field(default_factory=dict)
    writes: Mapping[int, Write] = field(default_factory=dict)
    kept: dict[int, int] = field(default_factory=dict)

    def read(self, offset: int) -> int:
        """Return a register's value."""
        found = self.reads.get(offset)
        return self.kept.get(offset, 0) if found is None else found() & _MASK

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        self.kept[offset] = value
        action = self.writes.get(offset)
        if action is not None:
            action(value)


@dataclass(frozen=True)
class Devices:
    """A board without its core.

    Attributes:
        pages: by address.
        irq: the interrupt of a received byte.
        has_interrupt: whether that interrupt is asked for, as the UART is set up now.
    """

    pages: Mapping[int, Page]
    irq: int
    has_interrupt: Callable[[], bool]


class Clock:
    """A counter of real time: Unicorn counts no instructions.

    Args:
        hz: its rate.
        on_read: is called whenever it is read.
    """

    def __init__(self, hz: int, on_read: Callable[[], None]) -> None:
        self._hz = hz
        self._start = time.monotonic_ns()
        self._on_read = on_read

    def ticks(self) -> int:
        """Return the ticks since the start."""
        self._on_read()
        return (time.monotonic_ns() - self._start) * self._hz // _NS_PER_S


def mps2(target: Target, line: Line, clock: Clock) -> Devices:
    """Return the devices of Arm's MPS2: CMSDK UART and FPGAIO. Mirror: firmware/ports/mps2."""
    data, state, control = 0x00, 0x04, 0x08
    uart = Page({data: line.take, state: lambda: 2 * line.has_byte}, {data: line.send})
    fpgaio = Page({0x18: clock.ticks})
    pages = {number(target, "ESQ_UART_BASE"): uart, number(target, "ESQ_FPGAIO_BASE"): fpgaio}
    rx_interrupt = 1 << 3
    return Devices(
        pages,
        number(target, "ESQ_UART_RX_IRQ"),
        lambda: line.has_byte and bool(uart.read(control) & rx_interrupt),
    )


def stm32f4(target: Target, line: Line, clock: Clock) -> Devices:
    """Return the devices of an STM32F2 or F4. Mirror: firmware/ports/stm32f4 and stm32.

    Clocks are ready as soon as they are on: each "ready" bit of RCC_CR stands above its "on".
    """
    status, data, control = 0x00, 0x04, 0x0C
    sent, received = 0xC0, 0x20
    uart = Page(
        {status: lambda: sent + received * line.has_byte, data: line.take}, {data: line.send}
    )
    rcc = Page()
    hsi_and_pll, switch = 1 << 0 | 1 << 24, 3
    kept, cr, cfgr = rcc.kept, 0x800, 0x808
    rcc.reads = {
        cr: lambda: kept.get(cr, 1) | (kept.get(cr, 1) & hsi_and_pll) << 1,
        cfgr: lambda: kept.get(cfgr, 0) & ~(switch << 2) | (kept.get(cfgr, 0) & switch) << 2,
    }
    pages = {
        number(target, "ESQ_UART_BASE"): uart,
        0x4002_3000: rcc,
        0x4000_0000: Page({0x24: clock.ticks}),  # TIM2
        0x4002_0000: Page(),  # GPIOA to D
        0x4002_1000: Page(),  # GPIOE to H
    }
    return Devices(
        pages,
        number(target, "ESQ_UART_RX_IRQ"),
        lambda: line.has_byte and bool(uart.read(control) & received),
    )


def nrf5(_target: Target, line: Line, clock: Clock) -> Devices:
    """Return the devices of an nRF51. Mirror: firmware/ports/nrf5."""
    rx_ready, interrupts, receive, transmit = 0x108, 0x304, 0x518, 0x51C
    uart = Page(
        {rx_ready: lambda: line.has_byte, 0x11C: lambda: 1, receive: line.take},
        {transmit: line.send},
    )
    timer = Page()
    timer.writes = {0x040: lambda _: timer.kept.update({0x540: clock.ticks() & _MASK})}
    pages = {
        0x4000_0000: Page({0x100: lambda: 1}),  # the crystal runs
        0x4000_2000: uart,
        0x4000_8000: timer,
        0x5000_0000: Page(),  # GPIO
    }
    rx_interrupt, irq = 1 << 2, 2
    return Devices(pages, irq, lambda: line.has_byte and bool(uart.read(interrupts) & rx_interrupt))


MODELS: Mapping[str, Callable[[Target, Line, Clock], Devices]] = {
    "mps2": mps2,
    "stm32f4": stm32f4,
    "nrf5": nrf5,
}
"""By the target's port."""


def number(target: Target, name: str) -> int:
    """Return a target's define that is a C constant, as 0x40004000u."""
    return int(target.defines[name].rstrip("u"), 0)
