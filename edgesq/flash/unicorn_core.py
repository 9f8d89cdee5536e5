"""A Cortex-M in Unicorn: memories, the registers of the system, interrupts.

Unicorn translates instructions and leaves the rest: exceptions of an M-profile core are done here.
"""

import math
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any

import unicorn as uc
from unicorn import arm_const as arm

from edgesq.errors import BoardError
from edgesq.flash.emulated_line import Line
from edgesq.flash.gdb import PART_NUMBERS
from edgesq.flash.image import Image
from edgesq.flash.unicorn import IMPLEMENTER
from edgesq.flash.unicorn_devices import PAGE, Devices, Page
from edgesq.targets import Target

CORES = {
    "cortex-m0": arm.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4": arm.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm.UC_CPU_ARM_CORTEX_M33,
}

_SYSTEM, _DEBUG = 0xE000_E000, 0xE000_1000
_ISER, _ICER, _CPUID, _VTOR = 0x100, 0x180, 0xD00, 0xD08
_IRQ_WORDS = 8
_FIRST_IRQ = 16
_RETURN = 0x1FFF_F000
"""Where an interrupt's handler returns to: a page of its own, never executed, where code may be."""
_NEVER = 0xFFFF_FFFC
_WFI, _YIELD = b"\x30\xbf", b"\x10\xbf"
_PAUSE_S = 0.001
"""How long a core that yields may wait for a byte."""
_THUMB = 1
_XPSR_THUMB, _XPSR_PADDED = 1 << 24, 1 << 9
_FRAME_BYTES = 32
_STACKED = (
    *(arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1, arm.UC_ARM_REG_R2, arm.UC_ARM_REG_R3),
    *(arm.UC_ARM_REG_R12, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_PC, arm.UC_ARM_REG_XPSR),
)
_HANG_S = 60.0


class Core:
    """A core with its image.

    Args:
        target: which core and memories.
        image: what is in its flash.
    """

    def __init__(self, target: Target, image: Image) -> None:
        self._uc = uc.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB | uc.UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(CORES[target.cpu])
        for region in target.memory:
            is_flash = region.name == "flash"
            allowed = uc.UC_PROT_READ | (uc.UC_PROT_EXEC if is_flash else uc.UC_PROT_WRITE)
            self._uc.mem_map(region.origin, -(-region.bytes // PAGE) * PAGE, allowed)
        self._uc.mem_map(_RETURN, PAGE, uc.UC_PROT_READ | uc.UC_PROT_EXEC)
        self._uc.mem_write(image.origin, image.data)
        self._enabled: set[int] = set()
        self._raised: str | None = None
        self._is_hung = False
        self._active = math.inf  # when the program last showed a sign of life; sleeping is one
        cpuid = IMPLEMENTER << 24 | 0xF << 16 | PART_NUMBERS[target.cpu] << 4
        self._system = Page({_CPUID: lambda: cpuid}, self._interrupt_switches())
        self._map({_SYSTEM: self._system, _DEBUG: Page({4: lambda: 0})})  # DWT counts no cycles
        self._uc.hook_add(uc.UC_HOOK_INTR, self._on_exception)
        stack, entry = struct.unpack_from("<II", image.data)
        self._uc.reg_write(arm.UC_ARM_REG_SP, stack)
        self._pc = entry if target.boot == "vectors" else image.entry

    def watch(self) -> None:
        """End `run` if the program is stuck; from another thread, again and again.

        For nothing else: a core that is stopped within an access to a register does it twice.
        """
        if time.monotonic() - self._active > _HANG_S:
            self._is_hung = True
            self._uc.emu_stop()

    def is_active(self) -> None:
        """Note that the program is not stuck."""
        self._active = time.monotonic()

    def run(self, devices: Devices, line: Line) -> None:
        """Run until the program does what it must not.

        Interrupts are taken where it waits, and nowhere else: there it has read all that came, so
        that its ring holds what comes next.

        Raises:
            BoardError: a fault, or no sign of life for a minute while bytes come.
        """
        self._map(devices.pages)
        self.is_active()
        while True:
            self._go(_NEVER)
            behind = self._behind()
            if behind in (_WFI, _YIELD):
                line.flush()
                self._active = math.inf
                line.wait(None if behind == _WFI else _PAUSE_S)
                self.is_active()
                line.fill()
                if devices.has_interrupt():
                    self._interrupt(devices.irq)

    def _go(self, until: int) -> None:
        """Run up to an address, or to where the program waits."""
        try:
            self._uc.emu_start(self._pc | _THUMB, until)
        except uc.UcError as error:
            self._pc = self._reads(arm.UC_ARM_REG_PC)
            if error.errno != uc.UC_ERR_INSN_INVALID or self._behind() != _YIELD:
                raise self._stuck(f"faults: {error}") from error
        self._pc = self._reads(arm.UC_ARM_REG_PC)
        if self._is_hung:
            raise self._stuck(f"shows no sign of life for {_HANG_S:.0f} s")
        if self._raised is not None:
            raise self._stuck(self._raised)

    def _behind(self) -> bytes:
        """Return the instruction behind which the core stands, if that is of two bytes."""
        try:
            return bytes(self._uc.mem_read(self._pc - 2, 2))
        except uc.UcError:  # it stands nowhere
            return b""

    def _interrupt(self, irq: int) -> None:
        """Run the handler of an interrupt to its end, on the stack as the core would."""
        if irq not in self._enabled:
            return
        before, back = self._uc.context_save(), self._pc
        stack = self._reads(arm.UC_ARM_REG_SP)
        values = [self._reads(register) for register in _STACKED]
        frame = (stack - _FRAME_BYTES) & ~7
        if frame + _FRAME_BYTES != stack:
            values[-1] |= _XPSR_PADDED
        self._uc.mem_write(frame, struct.pack("<8I", *values))
        vectors = self._system.kept.get(_VTOR, 0) + 4 * (_FIRST_IRQ + irq)
        (self._pc,) = struct.unpack("<I", self._uc.mem_read(vectors, 4))
        self._uc.reg_write(arm.UC_ARM_REG_XPSR, _XPSR_THUMB)  # ends an IT block
        self._uc.reg_write(arm.UC_ARM_REG_SP, frame)
        self._uc.reg_write(arm.UC_ARM_REG_LR, _RETURN | _THUMB)
        while self._pc != _RETURN:
            self._go(_RETURN)
        self._uc.context_restore(before)
        self._pc = back

    def _interrupt_switches(self) -> Mapping[int, Callable[[int], None]]:
        """Return what writing to the registers of the interrupt controller does."""

        def switch(word: int, change: Callable[[set[int]], None]) -> Callable[[int], None]:
            return lambda value: change({32 * word + n for n in range(32) if value >> n & 1})

        registers = ((_ISER, self._enabled.update), (_ICER, self._enabled.difference_update))
        return {
            first + 4 * word: switch(word, change)
            for first, change in registers
            for word in range(_IRQ_WORDS)
        }

    def _map(self, pages: Mapping[int, Page]) -> None:
        for address, page in pages.items():

            def read(_uc: Any, offset: int, _size: int, page: Page) -> int:
                return page.read(offset)

            def write(_uc: Any, offset: int, _size: int, value: int, page: Page) -> None:
                page.write(offset, value)

            self._uc.mmio_map(address, PAGE, read, page, write, page)

    def _on_exception(self, _uc: Any, number: int, _data: object) -> None:
        self._raised = f"raises exception {number} of the emulator: a breakpoint, SVC or fault"
        self._uc.emu_stop()

    def _reads(self, register: int) -> int:
        return int(self._uc.reg_read(register))

    def _stuck(self, what: str) -> BoardError:
        place = f"pc {self._reads(arm.UC_ARM_REG_PC):#010x}"
        return BoardError(
            f"the firmware {what}", where=place, hint="run it in QEMU, or flash again"
        )
