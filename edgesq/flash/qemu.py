"""Boards emulated by QEMU; -icount makes the board's counter count instructions."""

import shutil
from pathlib import Path

from edgesq.errors import MissingToolError
from edgesq.project import firmware_path
from edgesq.targets import Target

PROGRAM = "qemu-system-arm"


def command(build: Path, target: Target) -> list[str]:
    """Return the command that runs the board, its serial line on stdin and stdout.

    Raises:
        MissingToolError: QEMU is not installed.
    """
    image = str(firmware_path(build / "firmware", target).resolve())
    if target.boot == "entry":
        return [*machine(target), "-device", f"loader,file={image},cpu-num=0"]
    return [*machine(target), "-kernel", image]


def machine(target: Target) -> list[str]:
    """Return the command that runs the board without firmware.

    Raises:
        MissingToolError: QEMU is not installed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise MissingToolError(PROGRAM)
    icount = f"shift={target.icount_shift},align=off,sleep=off"
    return [
        program,
        *("-machine", str(target.machine)),
        *("-display", "none", "-monitor", "none"),
        *("-chardev", "stdio,id=link,signal=off"),
        *(("-serial", "null") * target.qemu_serial),
        *("-serial", "chardev:link"),
        *(() if target.icount_shift is None else ("-icount", icount)),
        *target.qemu_args,
    ]
