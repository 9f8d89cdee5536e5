"""Boards emulated by QEMU; -icount makes the board's counter count instructions."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from edgesq.errors import MissingToolError
from edgesq.flash.keys import EMULATOR, MACHINE
from edgesq.flash.runner import Process, spawned
from edgesq.project import firmware_path
from edgesq.targets import Target

_NAMES = "qemu-system-"
"""So QEMU begins the names of all its programs that emulate whole machines."""

_BUFFERED = ("id=link,mux=on", "-echr", "256")
"""The line through QEMU's multiplexer, which keeps 32 bytes for a UART that takes one at a time; so
the board is not woken for each. Its escape key is a number that no byte has.
"""


def command(build: Path, target: Target, tcp_port: int | None = None) -> list[str]:
    """Return the command that runs the board.

    Args:
        build: a BUILD folder.
        target: the target it was compiled for.
        tcp_port: where its serial line listens, for this computer only; None for stdin and stdout.

    Raises:
        MissingToolError: QEMU is not installed.
    """
    image = str(firmware_path(build / "firmware", target).resolve())
    if target.boot == "entry":
        return [*machine(target, tcp_port), "-device", f"loader,file={image},cpu-num=0"]
    return [*machine(target, tcp_port), "-kernel", image]


def machine(target: Target, tcp_port: int | None = None) -> list[str]:
    """Return the command that runs the board without firmware.

    Raises:
        MissingToolError: QEMU is not installed.
    """
    wanted = EMULATOR.of(target)
    program = shutil.which(wanted)
    if program is None:
        raise MissingToolError(wanted)
    line = "stdio,signal=off"
    if tcp_port is not None:
        line = f"socket,host=127.0.0.1,port={tcp_port},server=on,wait=off,nodelay=on"
    icount = f"shift={target.icount_shift},align=off,sleep=off"
    return [
        program,
        *("-machine", MACHINE.of(target)),
        *("-display", "none", "-monitor", "none"),
        *("-chardev", f"{line},{_BUFFERED[0]}", *_BUFFERED[1:]),
        *(("-serial", "null") * target.qemu_serial),
        *("-serial", "chardev:link"),
        *(() if target.icount_shift is None else ("-icount", icount)),
        *target.qemu_args,
    ]


def is_own(command: Sequence[str]) -> bool:
    """Say whether a command runs QEMU."""
    return Path(command[0]).name.startswith(_NAMES)


RUNNER = Process(
    name="qemu",
    program=EMULATOR,
    needs=(MACHINE,),
    command=command,
    start=spawned(command),
    is_own=is_own,
)
