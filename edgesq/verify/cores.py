"""Which core a board has, what its ticks tell, and what its firmware leaves undone."""

import contextlib
from dataclasses import dataclass

from edgesq.errors import TargetError
from edgesq.flash.rp2040 import IMPLEMENTER as _RP2040PY
from edgesq.flash.unicorn import IMPLEMENTER as _UNICORN
from edgesq.kernels.families import FAMILIES
from edgesq.link.info import BoardInfo, CoreKind, Optimisation
from edgesq.targets import Target, load_target

_FAMILIES = tuple(FAMILIES)
"""Each faster than the one before."""

_ARM, _ARM_CHINA = 0x41, 0x63

_EMULATORS = {
    _UNICORN: "in Unicorn (counts neither instructions nor time)",
    _RP2040PY: "in rp2040py (counts cycles, none for waits of the flash)",
}
"""What is said of a core by the implementer that an emulator put into CPUID."""


@dataclass(frozen=True)
class Core:
    """A core that we know.

    Attributes:
        name: as its maker calls it.
        kernels: the fastest family it may run.
        is_optional: whether the extension that those need can be left out of the core.
    """

    name: str
    kernels: str
    is_optional: bool = False


_CORES = {
    (_ARM, 0xC20): Core("Cortex-M0", "scalar"),
    (_ARM, 0xC21): Core("Cortex-M1", "scalar"),
    (_ARM, 0xC23): Core("Cortex-M3", "scalar"),
    (_ARM, 0xC24): Core("Cortex-M4", "dsp"),
    (_ARM, 0xC27): Core("Cortex-M7", "dsp"),
    (_ARM, 0xC60): Core("Cortex-M0+", "scalar"),
    (_ARM, 0xD20): Core("Cortex-M23", "scalar"),
    (_ARM, 0xD21): Core("Cortex-M33", "dsp", is_optional=True),
    (_ARM, 0xD22): Core("Cortex-M55", "mve", is_optional=True),
    (_ARM, 0xD23): Core("Cortex-M85", "mve", is_optional=True),
    (_ARM, 0xD31): Core("Cortex-M35P", "dsp", is_optional=True),
    (_ARM_CHINA, 0xD24): Core("Cortex-M52", "mve", is_optional=True),
}
"""By implementer and part number of the CPUID register.

Source: the cores' technical reference manuals; OpenOCD, src/target/cortex_m.h.
"""


_RV_WIDTHS = {1: "RV32", 2: "RV64"}
"""By the field MXL of misa, its highest two bits. Source: RISC-V privileged specification, misa."""

_RV_EXTENSIONS = "IEMAFDQCBPVH"
"""In the order of the names of instruction sets, of the same."""


def core_name(info: BoardInfo) -> str | None:
    """Return the board's core, "Cortex-M7 r1p2" or "RISC-V RV32IMC"; None where it says nothing."""
    if info.cpuid == 0 or info.core not in (CoreKind.CORTEX_M, CoreKind.RISCV):
        return None
    if info.core == CoreKind.RISCV:
        return _riscv_name(info.cpuid)
    core = _core(info)
    if core is None:
        return f"unknown core, CPUID {info.cpuid:#010x}"
    if is_marked(info):
        return f"{core.name} {_EMULATORS[info.cpuid >> 24]}"
    return f"{core.name} r{info.cpuid >> 20 & 0xF}p{info.cpuid & 0xF}"


def is_marked(info: BoardInfo) -> bool:
    """Say whether CPUID says that an emulator runs the core."""
    return info.core == CoreKind.CORTEX_M and info.cpuid >> 24 in _EMULATORS


def is_process(info: BoardInfo) -> bool:
    """Say whether a board is a process of some computer, and not a chip."""
    target = target_of(info)
    return is_marked(info) or (target is not None and (target.is_emulated or target.is_host))


def counts(info: BoardInfo) -> bool:
    """Say whether ticks tell what the core does: in Unicorn they are this computer's time."""
    return not is_marked(info) or info.cpuid >> 24 != _UNICORN


def target_of(info: BoardInfo) -> Target | None:
    """Return the target that a board was built for, None where it is not known here."""
    with contextlib.suppress(TargetError):
        return load_target(info.board)
    return None


def instructions_per_tick(info: BoardInfo) -> float | None:
    """Return what a tick is worth in QEMU; None in Unicorn, and on silicon: counters differ."""
    target = target_of(info)
    if target is None or target.counter_hz != info.tick_hz or not counts(info):
        return None
    return target.instructions_per_tick


def cycles_per_tick(info: BoardInfo) -> float | None:
    """Return 1 where ticks are cycles of the core's clock; None where they are something else."""
    is_core = info.cpuid != 0 and info.tick_hz == info.clock_hz
    if not is_core or not counts(info) or instructions_per_tick(info) is not None:
        return None
    return 1.0


def us_per_tick(info: BoardInfo) -> float | None:
    """Return the microseconds of a tick; None where they tell nothing of the board.

    An emulator's cycles and instructions take a time that is none of any silicon.
    """
    if not info.tick_hz or is_marked(info) or instructions_per_tick(info) is not None:
        return None
    return 1e6 / info.tick_hz


def _riscv_name(misa: int) -> str:
    letters = (one for one in _RV_EXTENSIONS if misa >> (ord(one) - ord("A")) & 1)
    return f"RISC-V {_RV_WIDTHS.get(misa >> 30, 'of unknown width')}{''.join(letters)}"


def missed_speed(info: BoardInfo) -> tuple[str, ...]:
    """Return what would make the board faster, a sentence each; none where we know of nothing."""
    found = (_kernels(info), _optimisation(info))
    return tuple(warning for warning in found if warning)


def _core(info: BoardInfo) -> Core | None:
    if info.core != CoreKind.CORTEX_M:
        return None
    maker = _ARM if is_marked(info) else info.cpuid >> 24
    return _CORES.get((maker, info.cpuid >> 4 & 0xFFF))


def _kernels(info: BoardInfo) -> str | None:
    core = _core(info)
    if core is None or info.kernels not in _FAMILIES[: _FAMILIES.index(core.kernels)]:
        return None
    condition = " where it has that extension" if core.is_optional else ""
    return (
        f"the kernels are {info.kernels}, a {core.name} runs {core.kernels} ones{condition}: "
        f"export for a target with kernels = {core.kernels}, without --kernels"
    )


def _optimisation(info: BoardInfo) -> str | None:
    if info.optimisation != Optimisation.NOT_OPTIMISED:
        return None
    return f"the firmware was compiled without optimisation ({info.build}): compile it with -O2"
