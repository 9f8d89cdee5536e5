"""Boards emulated by QEMU; -icount makes the board's counter count instructions."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from edgesq.errors import MissingToolError, OldToolError
from edgesq.flash.keys import EMULATOR, MACHINE, MACHINE_SINCE
from edgesq.flash.runner import Process, spawned
from edgesq.project import firmware_path
from edgesq.targets import Target

_NAMES = "qemu-system-"
"""So QEMU begins the names of all its programs that emulate whole machines."""

_BUFFERED = ",mux=on"
"""The line through QEMU's multiplexer, which keeps 32 bytes for a UART that takes one at a time; so
the board is not woken for each.
"""
_NO_ESCAPE = ("-echr", "256")
"""The multiplexer's escape key is a number that no byte has."""

_VERSION = re.compile(r"version (\d+(?:\.\d+)+)")
_VERSION_S = 10


def command(build: Path, target: Target, tcp_port: int | None = None) -> list[str]:
    """Return the command that runs the board.

    Args:
        build: a BUILD folder.
        target: the target it was compiled for.
        tcp_port: where its serial line listens, for this computer only; None for stdin and stdout.

    Raises:
        MissingToolError: QEMU is not installed.
        OldToolError: it does not model the board yet.
    """
    image = str(firmware_path(build / "firmware", target).resolve())
    if target.boot == "entry":
        return [*machine(target, tcp_port), "-device", f"loader,file={image},cpu-num=0"]
    return [*machine(target, tcp_port), "-kernel", image]


def machine(target: Target, tcp_port: int | None = None) -> list[str]:
    """Return the command that runs the board without firmware.

    Raises:
        MissingToolError: QEMU is not installed.
        OldToolError: it does not model the board yet.
    """
    wanted = EMULATOR.of(target)
    program = shutil.which(wanted)
    if program is None:
        raise MissingToolError(wanted)
    version = too_old(target)
    if version is not None:
        raise OldToolError(wanted, version, MACHINE_SINCE.of(target), target.name)
    icount = f"shift={target.icount_shift},align=off,sleep=off"
    return [
        program,
        *("-machine", MACHINE.of(target)),
        *("-display", "none", "-monitor", "none"),
        *line("link", tcp_port, is_buffered=target.qemu_buffers),
        *(("-serial", "null") * target.qemu_serial),
        *("-serial", "chardev:link"),
        *(() if target.icount_shift is None else ("-icount", icount)),
        *target.qemu_args,
    ]


def line(name: str, tcp_port: int | None, *, is_buffered: bool = True) -> list[str]:
    """Return the arguments that make the far end of a serial line.

    Args:
        name: of the character device.
        tcp_port: where it listens, for this computer only; None for stdin and stdout.
        is_buffered: whether QEMU's multiplexer is between.
    """
    end = "stdio,signal=off"
    if tcp_port is not None:
        end = f"socket,host=127.0.0.1,port={tcp_port},server=on,wait=off,nodelay=on"
    buffered = _BUFFERED if is_buffered else ""
    return ["-chardev", f"{end},id={name}{buffered}", *_NO_ESCAPE]


def too_old(target: Target) -> str | None:
    """Return the version of the installed QEMU where the target's board came later.

    None where it is new enough, is not there, or says no version.
    """
    needed, program = MACHINE_SINCE.find(target), shutil.which(EMULATOR.of(target))
    version = _version(program) if needed and program else None
    return version if needed and version and _numbers(version) < _numbers(needed) else None


@cache
def _version(program: str) -> str | None:
    """Return the version that a program of QEMU says it has."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=_VERSION_S
        )
    except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    return found[1] if found else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def is_own(command: Sequence[str]) -> bool:
    """Say whether a command runs QEMU."""
    return Path(command[0]).name.startswith(_NAMES)


RUNNER = Process(
    name="qemu",
    program=EMULATOR,
    needs=(MACHINE,),
    too_old=too_old,
    command=command,
    start=spawned(command),
    is_own=is_own,
)
