"""RP2040's second stage: the ROM takes it, and it reads any flash, by four wires where that works.

The flashes are pretended, made of the W25Q16JV's datasheet; so is the serial interface (RP2040
datasheet 4.10), of which only what the code uses is there. No timing is modelled.
"""

import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgesq.resources import resource

uc = pytest.importorskip("unicorn", reason="Unicorn runs the second stage: edgesq[toolchain]")
arm = pytest.importorskip("unicorn.arm_const", reason="see above")

BYTES = 256
ROM_PUTS_IT_AT = 0x20041F00
FLASH, UNCACHED, SSI = 0x10000000, 0x13000000, 0x18000000
PADS, WATCHDOG = 0x40020000, 0x40058000
ENTRY = FLASH + 0x400
QUAD_CLOCKS, SERIAL_CLOCKS = 20, 64
CTRLR0, CTRLR1, SSIENR, BAUDR, RXFLR, SR, DR0, SAMPLE_DELAY, SPI_CTRLR0 = (
    *(0x00, 0x04, 0x08, 0x14, 0x24, 0x28, 0x60, 0xF0, 0xF4),
)
UNIQUE_ID = bytes.fromhex("E6 60 58 38 83 12 34 2A")


def crc32_of_the_rom(data: bytes) -> int:
    """CRC-32 as the RP2040's ROM computes it: polynomial 04C11DB7, not reflected, from FFFFFFFF."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


@dataclass
class Flash:
    """A serial flash with the second stage in its first bytes.

    Attributes:
        has_quad: whether it knows EBh.
        is_quad_enabled: its bit QE.
        takes_status: whether QE can be written.
        waits: clocks between mode and data of EBh.
        has_status_2: whether it knows 35h; one that does not leaves the line high.
    """

    has_quad: bool = True
    is_quad_enabled: bool = True
    takes_status: bool = True
    waits: int = 4
    has_status_2: bool = True
    content: bytes = b""
    is_continuous: bool = False
    is_writable: bool = False
    busy: int = 0
    commands: list[int] = field(default_factory=list)

    def command(self, sent: bytes) -> bytes:
        """Answer a command on one wire, as long as chip select is low."""
        self.commands.append(sent[0])
        if self.is_continuous:
            return b"\x55" * len(sent)
        if sent[0] == 0x05:
            self.busy = max(self.busy - 1, 0)
            return b"\xff" + bytes([bool(self.busy)]) * (len(sent) - 1)
        if sent[0] == 0x35:
            status = bytes([2 * self.is_quad_enabled]) if self.has_status_2 else b"\xff"
            return b"\xff" + status * (len(sent) - 1)
        if sent[0] == 0x4B:
            return b"\xff" * 5 + UNIQUE_ID[: len(sent) - 5]
        if sent[0] == 0x06 and len(sent) == 1:
            self.is_writable = True
        if sent[0] == 0x01 and self.is_writable and len(sent) == 3:
            self.is_writable, self.busy = False, 5
            self.is_quad_enabled = self.takes_status and bool(sent[2] & 2)
        return b"\xff" * len(sent)

    def quad(self, at: int, mode: int, waits: int, *, has_command: bool) -> int:
        """Return a word read by four wires."""
        if not self.has_quad or not self.is_quad_enabled or self.busy:
            return 0xFFFFFFFF
        if has_command == self.is_continuous:
            return 0x5A5A5A5A
        self.is_continuous = mode & 0x30 == 0x20
        shift = 2 * (waits - self.waits)  # clocks of 4 bits
        return int.from_bytes(self.content[at : at + 4], "little") if not shift else 0x12345678

    def serial(self, at: int) -> int:
        """Return a word read by 03h."""
        return 0xFFFFFFFF if self.is_continuous else self._word(at)

    def _word(self, at: int) -> int:
        return int.from_bytes(self.content[at : at + 4], "little")


@dataclass
class Chip:
    """Core, serial interface and what the second stage leaves in other registers."""

    flash: Flash
    registers: dict[int, int] = field(default_factory=dict)
    others: dict[int, int] = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)

    def write(self, offset: int, value: int) -> None:
        """Write a register of the interface; its settings change only while it is off."""
        if offset == DR0:
            assert self.registers[SSIENR] == 1
            self.sent.append(value & 0xFFFFFFFF)
            if self._is_quad and len(self.sent) == 2:
                assert self.sent[0] == 0xEB
                address, mode = self.sent[1] >> 8, self.sent[1] & 0xFF
                assert self._settings == (8, 2, 1)
                self.flash.quad(address, mode, self._waits, has_command=True)
                self.received, self.sent = [0], []
            return
        if offset == SSIENR:
            self.sent, self.received = [], []
        else:
            assert self.registers.get(SSIENR, 0) == 0, hex(offset)
        self.registers[offset] = value

    def read(self, offset: int) -> int:
        """Read a register of the interface; where it is idle, a command on one wire has ended."""
        if offset == SR:
            if self.sent:
                self.received += self.flash.command(bytes(byte & 0xFF for byte in self.sent))
                self.sent = []
            return 6
        if offset == RXFLR:
            return len(self.received)
        return self.received.pop(0) if offset == DR0 else self.registers.get(offset, 0)

    def word(self, at: int) -> int:
        """Return what the program finds at an address of the flash."""
        control = self.registers[SPI_CTRLR0]
        assert self.registers[CTRLR0] >> 16 & 31 == 31, "32 bits a frame"
        assert self.registers[CTRLR0] >> 8 & 3 == 3, "command and address, then data"
        if self._is_quad:
            assert self._settings == (8, 0, 2)
            return self.flash.quad(at, control >> 24, self._waits, has_command=False)
        assert self._settings[:2] == (6, 2)
        assert control >> 24 == 3
        return self.flash.serial(at)

    @property
    def clocks_per_word(self) -> int:
        """Clocks of the core for a word, as the interface is set now."""
        nibbles, command, _ = self._settings
        clocks = nibbles + self._waits + 8 if self._is_quad else 4 * command + 4 * nibbles + 32
        return self.registers[BAUDR] * clocks

    @property
    def _is_quad(self) -> bool:
        return self.registers[CTRLR0] >> 21 & 3 == 2

    @property
    def _waits(self) -> int:
        return self.registers[SPI_CTRLR0] >> 11 & 31

    @property
    def _settings(self) -> tuple[int, int, int]:
        control = self.registers[SPI_CTRLR0]
        return control >> 2 & 15, control >> 8 & 3, control & 3


def run(chip: Chip, code: bytes) -> None:
    """Run the second stage from where the ROM puts it, up to the program's entry."""
    core = uc.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB | uc.UC_MODE_MCLASS)
    core.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M0)
    core.mem_map(ROM_PUTS_IT_AT & ~0xFFF, 0x1000)
    core.mem_write(ROM_PUTS_IT_AT, code)
    core.mem_map(FLASH, 0x1000)
    core.mem_write(FLASH + 0x204, struct.pack("<I", ENTRY | 1))
    failed: list[BaseException] = []

    def held(action: object) -> object:
        def call(_core: object, offset: int, _size: int, *rest: int) -> int:
            try:
                return action(offset, *rest[:-1]) or 0  # type: ignore[operator]
            except BaseException as error:
                failed.append(error)
                core.emu_stop()
                return 0

        return call

    others = chip.others
    for page, read, write in (
        (SSI, chip.read, chip.write),
        (UNCACHED, chip.word, lambda *_: None),
        (PADS, lambda at: others.get(PADS + at, 0x52), lambda at, v: others.update({PADS + at: v})),
        (WATCHDOG, lambda _: 0, lambda at, v: others.update({WATCHDOG + at: v})),
    ):
        core.mmio_map(page, 0x1000, held(read), None, held(write), None)
    core.emu_start(ROM_PUTS_IT_AT | 1, ENTRY, count=100_000)
    if failed:
        raise failed[0]
    assert core.reg_read(arm.UC_ARM_REG_PC) == ENTRY


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Assemble the second stage."""
    folder: Path = tmp_path_factory.mktemp("boot2")
    source = resource("firmware") / "ports/rp2040/boot2.S"
    made, flat = folder / "boot2.o", folder / "boot2.bin"
    subprocess.run(["arm-none-eabi-gcc", "-c", str(source), "-o", str(made)], check=True)
    subprocess.run(
        ["arm-none-eabi-objcopy", "-O", "binary", "-j", ".boot", str(made), str(flat)], check=True
    )
    return flat.read_bytes()


def test_the_rom_takes_it(code: bytes) -> None:
    assert len(code) == BYTES
    assert f"{crc32_of_the_rom(code[:-4]):#x}" == f"{struct.unpack('<I', code[-4:])[0]:#x}"


@pytest.mark.parametrize(
    ("flash", "commands", "clocks"),
    [
        (Flash(), [0x4B, 0x35], 2 * QUAD_CLOCKS),
        (Flash(is_quad_enabled=False), [0x4B, 0x35, 6, 1, 5], 2 * QUAD_CLOCKS),
        (
            Flash(is_quad_enabled=False, takes_status=False),
            [0x4B, 0x35, 6, 1, 5],
            4 * SERIAL_CLOCKS,
        ),
        (Flash(has_quad=False), [0x4B, 0x35], 4 * SERIAL_CLOCKS),
        (Flash(has_quad=False, has_status_2=False), [0x4B, 0x35], 4 * SERIAL_CLOCKS),
        (Flash(waits=6), [0x4B, 0x35], 4 * SERIAL_CLOCKS),
    ],
    ids=[
        "quad",
        "quad to be enabled",
        "not to be enabled",
        "no quad",
        "no status 2",
        "other waits",
    ],
)
def test_it_reads_any_flash(flash: Flash, commands: list[int], clocks: int, code: bytes) -> None:
    flash.content = code
    chip = Chip(flash)
    run(chip, code)
    assert list(dict.fromkeys(flash.commands)) == commands, "no other, in this order"
    assert chip.clocks_per_word == clocks
    for at in (0, 4, 252):
        assert chip.word(at) == int.from_bytes(code[at : at + 4], "little")
    assert chip.registers[SAMPLE_DELAY] == 1
    assert chip.registers[CTRLR1] == 0
    kept = chip.others[WATCHDOG + 0x0C], chip.others[WATCHDOG + 0x10]
    assert struct.pack(">2I", *kept) == UNIQUE_ID
    assert chip.others[PADS + 4] == 0x21
    assert [chip.others[PADS + at] for at in (8, 12, 16, 20)] == [0x50] * 4
