"""The boards edgesq knows: `targets/NAME.toml` read strictly into a frozen `Target`."""

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from edgesq.errors import TargetError, did_you_mean
from edgesq.records import Count, Positive, made
from edgesq.resources import resource

T = TypeVar("T")

_BOOTS = ("vectors", "entry")
_VERSION = re.compile(r"\d+(\.\d+)*")
_COMMON = "common"
_NS_PER_S = 1_000_000_000

_ANY_CORE = "generic"
"""The target for a core that is not among the others."""

TFLM_KERNELS = "tflm"
"""What a board says whose kernels are TensorFlow Lite Micro's, which plans for itself."""


@dataclass(frozen=True)
class Region:
    """A contiguous memory.

    Attributes:
        name: "flash" or "ram".
        origin: first address.
        bytes: size.
        read_clocks_per_word: clocks of the core that a word of 4 bytes takes which its cache does
            not hold; 0 where the flash is as fast as the core, or nothing is known of it.
        cache_bytes: of that cache.
    """

    name: str
    origin: Count
    bytes: Count
    read_clocks_per_word: Positive = 0
    cache_bytes: Count = 0


@dataclass(frozen=True)
class Target:
    """What edgesq must know of a board.

    Attributes:
        name: also the file name of the TOML.
        description: one line for people.
        cpu: "cortex-m7" and the like, "host", or "any".
        compiler: the C compiler's program name.
        compiler_flags: what makes it compile for this core.
        clock_hz: core clock in hertz; 0 where it is not known.
        kernels: name of a kernel family; "tflm" for TensorFlow Lite Micro's.
        port: folder under firmware/ports; None where there is none, and the export is a library.
        counter_hz: rate of esq_port_ticks() in hertz; 0 without a port.
        port_core: the folder of start-up code for its core; not for target host.
        port_family: a folder of code that this port shares with others.
        port_flash_bytes: flash that the port takes beyond what every port does, as a USB line.
        stack_bytes: reserved by the linker script, counted in RAM.
        reserve_bytes: RAM left to the user's own code by a plan that is not asked for less.
        runners: names of those in `edgesq.flash` that start or program it, best first.
        board: for a generic target, the target that it is compiled for and flashed to.
        memory: flash and ram; empty where there is no limit (host).
        defines: C macros, name to value, passed as -DNAME=VALUE.
        emulator: QEMU's program.
        machine: its -machine.
        machine_since: the first version of QEMU that models as much of it as the port uses, "9.1";
            None where every version has it.
        qemu_args: further arguments for QEMU.
        icount_shift: QEMU spends 2**shift ns of virtual time on each instruction.
        qemu_buffers: whether QEMU may keep bytes for the serial line, which is quicker; not where
            its UART never asks for more.
        qemu_serial: which of the emulated machine's serial lines is the link.
        boot: "vectors" (the core finds its start itself) or "entry" (the loader sets the pc).
        flash: the table [flash] as it stands; `edgesq.flash` knows and checks its keys.
        usb_ids: "vid:pid" in lower-case hex of the serial device, for finding the port.
        own_usb_ids: the same where the firmware itself is one; `usb_ids` are a probe's then, which
            is taken where the board's own is not there.
    """

    name: str
    description: str
    cpu: str
    compiler: str
    compiler_flags: tuple[str, ...]
    clock_hz: Count
    kernels: str
    stack_bytes: Count
    port: str | None = None
    port_core: str = "cortex_m"
    port_family: str | None = None
    port_flash_bytes: Count = 0
    counter_hz: Count = 0
    runners: tuple[str, ...] = ()
    flash: dict[str, Any] = field(default_factory=dict)
    board: str | None = None
    memory: tuple[Region, ...] = ()
    defines: dict[str, str] = field(default_factory=dict)
    emulator: str = "qemu-system-arm"
    machine: str | None = None
    machine_since: str | None = None
    qemu_args: tuple[str, ...] = ()
    qemu_buffers: bool = True
    qemu_serial: Count = 0
    icount_shift: Count | None = None
    boot: str = "vectors"
    usb_ids: tuple[str, ...] = ()
    own_usb_ids: tuple[str, ...] = ()
    reserve_bytes: Count = 0

    @property
    def is_host(self) -> bool:
        """Whether the firmware runs as a process of this computer."""
        return self.port == "host"

    @property
    def is_planned(self) -> bool:
        """Whether edgesq's own runtime computes on it, whose memory is planned."""
        return self.kernels != TFLM_KERNELS

    @property
    def is_emulated(self) -> bool:
        """Whether an emulator on this computer models the board."""
        return self.machine is not None

    @property
    def is_library(self) -> bool:
        """Whether there is no port: the export is a library for a project of one's own."""
        return self.port is None

    @property
    def port_folders(self) -> tuple[str, ...]:
        """Folders under firmware/ports to compile: what is common first, then the port's own."""
        shared = () if self.is_host else (_COMMON, self.port_core, self.port_family)
        return () if self.is_library else tuple(name for name in (*shared, self.port) if name)

    @property
    def instructions_per_tick(self) -> float | None:
        """Instructions per tick of the counter; None where the board cannot count them."""
        if self.icount_shift is None:
            return None
        return _NS_PER_S / (self.counter_hz << self.icount_shift)

    def region(self, name: str) -> Region | None:
        """Return the memory called `name` ("flash" or "ram"), None where it is unlimited."""
        return next((region for region in self.memory if region.name == name), None)


@dataclass(frozen=True)
class _Generic:
    """A target that is another one under a name of its own."""

    name: str
    description: str
    board: str


def load_target(name: str, folder: Path | None = None) -> Target:
    """Read the target called `name`.

    Args:
        name: as listed by `list_targets`.
        folder: where the TOML files are; the project's own by default.

    Raises:
        TargetError: no such target, or its file is not as it must be.
    """
    folder = folder or resource("targets")
    path = folder / f"{name}.toml"
    known = _names(folder)
    if name not in known:
        hint = f"{did_you_mean(name, known)}; for any other core: {_ANY_CORE}"
        raise TargetError(f"unknown target '{name}'", hint=hint)
    table = _read(path)
    if "board" not in table:
        return _concrete(table, path)
    generic = _record(_Generic, table, str(path))
    board = load_target(generic.board, folder) if generic.board != name else None
    if board is None or board.board is not None:
        raise TargetError("'board' must name a target with a board of its own", where=str(path))
    return replace(board, **vars(generic))


def list_targets(folder: Path | None = None) -> list[Target]:
    """Read every target, sorted by name.

    Raises:
        TargetError: a file is not as it must be.
    """
    folder = folder or resource("targets")
    return [load_target(name, folder) for name in _names(folder)]


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))


def _read(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TargetError(f"cannot be read: {error}", where=str(path)) from error
    if table.get("name") != path.stem:
        raise TargetError(f"key 'name' must be '{path.stem}', the file's name", where=str(path))
    return table


def _concrete(table: dict[str, Any], path: Path) -> Target:
    where = str(path)
    memory = table.get("memory")
    for region in memory if isinstance(memory, list) else ():
        _check_known(Region, region, f"{where} [[memory]]")
    target = _record(Target, table, where)
    _check_choices(target, where)
    defines = {
        "ESQ_BOARD_NAME": target.name,
        "ESQ_CLOCK_HZ": f"{target.clock_hz}u",
        "ESQ_TICK_HZ": f"{target.counter_hz}u",
    }
    return replace(target, defines={**defines, **target.defines})


def _check_choices(target: Target, where: str) -> None:
    if not _VERSION.fullmatch(target.machine_since or "0"):
        raise TargetError("key 'machine_since' must be a version, as 9.1", where=where)
    if target.boot not in _BOOTS:
        raise TargetError(f"key 'boot' must be one of {', '.join(_BOOTS)}", where=where)
    if (target.port is None) != (target.counter_hz == 0):
        raise TargetError("keys 'port' and 'counter_hz' go together", where=where)
    if (target.port is None) != (target.runners == ()):
        raise TargetError("keys 'port' and 'runners' go together", where=where)
    if target.memory and sorted(region.name for region in target.memory) != ["flash", "ram"]:
        raise TargetError("key 'memory' must hold one 'flash' and one 'ram'", where=where)


def _record(kind: type[T], table: dict[str, Any], where: str) -> T:
    """Return a table as a record.

    Raises:
        TargetError: a key is unknown, missing, or of another type.
    """
    _check_known(kind, table, where)
    try:
        return made(kind, table)
    except ValueError as error:
        raise TargetError(str(error), where=where, hint="see targets/README.md") from error


def _check_known(kind: type, table: Any, where: str) -> None:
    """Refuse keys that a record does not have; what is no table has none."""
    known = [field.name for field in fields(kind)]
    for key in table if isinstance(table, dict) else ():
        if key not in known:
            raise TargetError(f"unknown key '{key}'", where=where, hint=did_you_mean(key, known))
