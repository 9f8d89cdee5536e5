"""Ports that few or no emulators model, run on pretended registers: what they leave, how they end.

The model is ours, made of the same manuals: it finds slips of the hand, not wrong readings.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgesq.resources import resource
from edgesq.targets import load_target
from support.boards import compile_c
from support.paths import SUPPORT

FOLDER = SUPPORT / "port_model"
LEFT_OUT = ("startup.c", "sections.c", "ring.c", "interrupts.c", "cycles.c", "caches.c")
"""What the model has instead, or what only a Cortex-M can run."""


@dataclass(frozen=True)
class Chip:
    """How a chip behaves, and what its port must leave in it.

    Attributes:
        rules: (where, mask, then, bits): while `mask` is set at `where`, it sets `bits` at `then`.
        receive: status register, its value with a byte, without one, and where the byte is.
        registers: address to (mask, value) once the port has started.
        send: where a byte to send goes.
        irqs: its interrupts: what was received, then those of a USB line.
        tick_hz: of the chip's own counter; None where it is the target's.
        slow_hz: clock and counter where no PLL comes; None where the port does not go on without.
        slow_divisor: what `divisor` holds then.
        divisor: of the baud rate.
    """

    rules: tuple[tuple[int, int, int, int], ...]
    receive: tuple[int, int, int, int]
    registers: dict[int, tuple[int, int]]
    send: int
    irqs: tuple[int, ...]
    tick_hz: int | None = None
    slow_hz: int | None = None
    slow_divisor: int = 0
    divisor: int = 0


def stm32(base: int) -> tuple[int, int, int, int]:
    """Return how a later USART receives."""
    return base + 0x1C, 0x20, 0xC0, base + 0x24


ALL = 0xFFFFFFFF
F7_USART, H7_USART, L4_USART, U5_USART = 0x40011000, 0x40004800, 0x40013800, 0x40013800
CHIPS = {
    "stm32f746g-disco": Chip(
        rules=(
            (0x40023800, 1 << 24, 0x40023800, 1 << 25),  # PLLON, PLLRDY
            (0x40007000, 1 << 16, 0x40007004, 1 << 16),  # ODEN, ODRDY
            (0x40007000, 1 << 17, 0x40007004, 1 << 17),  # ODSWEN, ODSWRDY
            (0x40023808, 2, 0x40023808, 2 << 2),  # SW, SWS
            (F7_USART, 0, F7_USART + 0x1C, 0xC0),  # TC, TXE
        ),
        receive=stm32(F7_USART),
        registers={
            F7_USART + 0x0C: (ALL, 938),
            F7_USART: (ALL, 0x2D),
            0x40020000: (3 << 18, 2 << 18),  # PA9
            0x40020024: (0xF << 4, 7 << 4),
            0x40020400: (3 << 14, 2 << 14),  # PB7
            0x40020420: (0xF << 28, 7 << 28),
            0x40023C00: (0xF, 7),
            0x40023804: (0x0FFFFFFF, 16 | 432 << 6 | 9 << 24),
        },
        send=F7_USART + 0x28,
        irqs=(37,),
        slow_hz=16_000_000,
        slow_divisor=139,
        divisor=F7_USART + 0x0C,
    ),
    "nucleo-h743zi": Chip(
        rules=(
            (0x5802480C, 2, 0x58024804, 1 << 13),  # LDOEN, ACTVOSRDY
            (0x58024818, 3 << 14, 0x58024818, 1 << 13),  # VOS1, VOSRDY
            (0x58024400, 1 << 24, 0x58024400, 1 << 25),
            (0x58024410, 3, 0x58024410, 3 << 3),
            (H7_USART, 0, H7_USART + 0x1C, 0xC0),
        ),
        receive=stm32(H7_USART),
        registers={
            H7_USART + 0x0C: (ALL, 868),
            H7_USART: (ALL, 0x2D),
            0x58020C00: (0xF << 16, 0xA << 16),  # PD8, PD9
            0x58020C24: (0xFF, 0x77),
            0x580244E0: (1 << 3, 1 << 3),
            0x580244E8: (1 << 18, 1 << 18),
            0x52002000: (ALL, 0x22),
            0x58024430: (0xFFFF, 49 | 1 << 9),
        },
        send=H7_USART + 0x28,
        irqs=(39,),
        slow_hz=64_000_000,
        slow_divisor=556,
        divisor=H7_USART + 0x0C,
    ),
    "b-l475e-iot01a": Chip(
        rules=(
            (0x40021000, 1 << 8, 0x40021000, 1 << 10),  # HSION, HSIRDY
            (0x40021000, 1 << 24, 0x40021000, 1 << 25),
            (0x40021008, 3, 0x40021008, 3 << 2),
            (L4_USART, 0, L4_USART + 0x1C, 0xC0),
        ),
        receive=stm32(L4_USART),
        registers={
            L4_USART + 0x0C: (ALL, 694),
            L4_USART: (ALL, 0x2D),
            0x48000400: (0xF << 12, 0xA << 12),  # PB6, PB7
            0x48000420: (0xFF << 24, 0x77 << 24),
            0x4002104C: (1 << 1, 1 << 1),
            0x40021060: (1 << 14, 1 << 14),
            0x40022000: (ALL, 0x704),
            0x4002100C: (ALL, 2 | 10 << 8 | 1 << 24),
        },
        send=L4_USART + 0x28,
        irqs=(37,),
        tick_hz=80_000_000,
        slow_hz=4_000_000,
        slow_divisor=35,
        divisor=L4_USART + 0x0C,
    ),
    "nucleo-u575zi-q": Chip(
        rules=(
            (0x46020C00, 1 << 8, 0x46020C00, 1 << 10),  # HSION, HSIRDY
            (0x4602080C, 3 << 16, 0x4602080C, 1 << 15),
            (0x4602080C, 1 << 18, 0x4602080C, 1 << 14),
            (0x46020C00, 1 << 24, 0x46020C00, 1 << 25),
            (0x46020C1C, 3, 0x46020C1C, 3 << 2),
            (U5_USART, 0, U5_USART + 0x1C, 0xC0),
        ),
        receive=stm32(U5_USART),
        registers={
            U5_USART + 0x0C: (ALL, 1389),
            U5_USART: (ALL, 0x2D),
            0x42020000: (0xF << 18, 0xA << 18),  # PA9, PA10
            0x42020024: (0xFF << 4, 0x77 << 4),
            0x46020C8C: (1, 1),
            0x46020CA4: (1 << 14, 1 << 14),
            0x40022000: (0xF, 4),
            0x46020C34: (ALL, 19 | 1 << 9 | 1 << 16 | 1 << 24),
        },
        send=U5_USART + 0x28,
        irqs=(61,),
        slow_hz=4_000_000,
        slow_divisor=35,
        divisor=U5_USART + 0x0C,
    ),
    "nrf52840-dk": Chip(
        rules=((0x40000000, 1, 0x40000100, 1), (0x4000251C, 0x5A, 0x4000211C, 1)),
        receive=(0x40002108, 1, 0, 0x40002518),
        registers={
            0x40002524: (ALL, 0x01D7E000),
            0x40002500: (ALL, 4),
            0x4000250C: (ALL, 6),
            0x40002514: (ALL, 8),
            0x50000718: (ALL, 3),  # P0.06, an output
            0x50000720: (ALL, 0xC),  # P0.08, pulled up
            0x40002304: (ALL, 1 << 2),
        },
        send=0x4000251C,
        irqs=(2,),
    ),
    "nano33ble": Chip(
        rules=((0x40000000, 1, 0x40000100, 1), (0x4000251C, 0x5A, 0x4000211C, 1)),
        receive=(0x40002108, 1, 0, 0x40002518),
        registers={
            0x4000250C: (ALL, 35),
            0x40002514: (ALL, 42),
            0x50000808: (ALL, 1 << 3),  # P1's OUTSET
            0x50000A0C: (ALL, 3),  # P1.03
            0x50000A28: (ALL, 0xC),  # P1.10
        },
        send=0x4000251C,
        irqs=(2,),
    ),
    "pico": Chip(
        rules=(
            (0x40024000, 0xFAB << 12, 0x40024004, 1 << 31),
            (0x40028000, 1, 0x40028000, 1 << 31),
            (0x4002C000, 1, 0x4002C000, 1 << 31),
            *((0, 0, at, ALL) for at in (0x4000C008, 0x40008038, 0x40008044)),
        ),
        receive=(0x40034018, 0, 0x10, 0x40034000),
        registers={
            0x40034024: (ALL, 67),
            0x40034028: (ALL, 52),
            0x40034030: (ALL, 0x301),
            0x40034038: (ALL, 0x50),
            0x40014004: (0x1F, 2),
            0x4001400C: (0x1F, 2),
            0x40028008: (ALL, 125),
            0x4002800C: (ALL, 6 << 16 | 2 << 12),
            0xE000E010: (ALL, 7),  # SysTick counts cycles
            0xE000E014: (ALL, 0xFFFFFF),
            0x50110040: (ALL, 1),  # the USB controller is on, and its line isolated no more
            0x50110074: (ALL, 9),
            0x50110078: (ALL, 0xC),
            0x5011004C: (ALL, 1 << 29 | 1 << 16),
            0x50110090: (ALL, 1 << 4 | 1 << 12 | 1 << 16),
            0x4002C008: (ALL, 100),  # 48 MHz
            0x4002C00C: (ALL, 5 << 16 | 5 << 12),
            0x40008054: (ALL, 1 << 11),
        },
        send=0x40034000,
        irqs=(20, 5),
    ),
    "pico2": Chip(
        rules=(
            (0x40048000, 0xFAB << 12, 0x40048004, 1 << 31),
            (0x40050000, 1, 0x40050000, 1 << 31),
            (0x40058000, 1, 0x40058000, 1 << 31),
            *((0, 0, at, ALL) for at in (0x40020008, 0x40010038, 0x40010044)),
        ),
        receive=(0x40070018, 0, 0x10, 0x40070000),
        registers={
            0x40070024: (ALL, 81),
            0x40070028: (ALL, 24),
            0x40070030: (ALL, 0x301),
            0x40038004: (ALL, 0x5A),  # the pad's isolation is off
            0x40028004: (0x1F, 2),
            0x40050008: (ALL, 125),
            0x4005000C: (ALL, 5 << 16 | 2 << 12),
            0x50110040: (ALL, 1),  # the USB controller is on, and its line isolated no more
            0x50110074: (ALL, 9),
            0x50110078: (ALL, 0xC),
            0x5011004C: (ALL, 1 << 29 | 1 << 16),
            0x50110090: (ALL, 1 << 4 | 1 << 12 | 1 << 16),
            0x40058008: (ALL, 100),  # 48 MHz
            0x4005800C: (ALL, 5 << 16 | 5 << 12),
            0x40010060: (ALL, 1 << 11),
        },
        send=0x40070000,
        irqs=(33, 14),
    ),
}


def start(name: str, folder: Path, *, ready: bool = True) -> tuple[dict[int, int], dict[str, int]]:
    """Run a board's port; return its registers, and what else it said."""
    target, ports = load_target(name), resource("firmware") / "ports"
    sources = [FOLDER / "main.c"]
    for part in target.port_folders:
        sources += [
            path for path in sorted((ports / part).glob("*.c")) if path.name not in LEFT_OUT
        ]
    flags = [f"-D{key}={value}" for key, value in target.defines.items()]
    flags += [f"-I{ports / part}" for part in target.port_folders]
    flags += [f"-I{FOLDER}", "-include", "registers.h"]
    program = compile_c(sources, folder / "port", *flags)
    chip = CHIPS[name]
    rules = [number for rule in chip.rules for number in rule] if ready else []
    command = [str(program), *(f"{number:x}" for number in (*chip.receive, *rules))]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    rows = [line.split() for line in said.splitlines()]
    words = {
        key: int(value, 16 if key == "received" else 10) for key, value in rows if WORDS.match(key)
    }
    return {int(key, 16): int(value, 16) for key, value in rows if not WORDS.match(key)}, words


WORDS = re.compile(r"irq_|tick_hz|received")


@pytest.mark.parametrize("name", CHIPS)
def test_a_port_starts(name: str, tmp_path: Path) -> None:
    found, words = start(name, tmp_path)
    chip = CHIPS[name]
    wrong = {
        f"{at:#x}": (hex(found.get(at, 0) & mask), hex(value))
        for at, (mask, value) in chip.registers.items()
        if found.get(at, 0) & mask != value
    }
    assert wrong == {}
    assert found[chip.send] == 0x5A
    assert words == {
        **{f"irq_{irq}": 1 for irq in chip.irqs},
        "tick_hz": chip.tick_hz or load_target(name).counter_hz,
        "received": 0x41,
    }


@pytest.mark.parametrize("name", [name for name, chip in CHIPS.items() if chip.slow_hz])
def test_without_a_pll_it_goes_on_at_its_oscillators_rate(name: str, tmp_path: Path) -> None:
    found, words = start(name, tmp_path, ready=False)
    chip = CHIPS[name]
    assert words["tick_hz"] == chip.slow_hz
    assert found[chip.divisor] == chip.slow_divisor
