"""Every runner, and which of them a target is flashed by."""

import shutil
from pathlib import Path
from types import ModuleType

from edgesq.errors import TargetError, ToolError, did_you_mean
from edgesq.flash import (
    bossac,
    dfu,
    gdb,
    host,
    jlink,
    openocd,
    picotool,
    pyocd,
    qemu,
    stflash,
    tflm,
    uf2,
)
from edgesq.project import firmware_path
from edgesq.targets import Target

PROCESSES: dict[str, ModuleType] = {"host": host, "tflm": tflm, "gdb": gdb, "qemu": qemu}
"""Runners whose board is a process of this computer."""

PROGRAMMERS: dict[str, ModuleType] = {
    "openocd": openocd,
    "stflash": stflash,
    "pyocd": pyocd,
    "jlink": jlink,
    "dfu": dfu,
    "picotool": picotool,
    "uf2": uf2,
    "bossac": bossac,
}
"""Runners that put firmware on a board that is there."""

PROBED = ("openocd", "stflash", "pyocd", "jlink")
"""Those that go through the debug probe of the board."""


def runner_of(target: Target, wanted: str | None) -> str:
    """Return the runner to use: the one wanted, else the first whose program is installed.

    A board that is there is never taken for an emulated one unless that is asked for.

    Raises:
        TargetError: the target is not flashed that way.
    """
    if wanted is not None:
        if wanted not in target.runners:
            is_library = "it is a library for your own project"
            hint = did_you_mean(wanted, target.runners) if target.runners else is_library
            raise TargetError(f"is not flashed by '{wanted}'", where=target.name, hint=hint)
        return wanted
    if not target.runners:
        raise TargetError("has no runner", where=target.name, hint="it is a library only")
    first = target.runners[0]
    if first in PROCESSES:
        return first
    there = (name for name in target.runners if name in PROGRAMMERS and _is_there(name))
    return next(there, first)


def compiled(build: Path, target: Target) -> Path:
    """Return the compiled firmware of a BUILD folder.

    Raises:
        ToolError: it is not compiled.
    """
    image = firmware_path(build / "firmware", target)
    if not image.is_file():
        raise ToolError("the firmware is not compiled", where=str(image), hint="edgesq export")
    return image


def _is_there(name: str) -> bool:
    program = PROGRAMMERS[name].PROGRAM
    return program is None or shutil.which(program) is not None
