"""A board emulated by QEMU, started empty and stopped, then programmed as a probe would do it.

Loaded over the GDB remote protocol, read back and compared, reset, let go: what `qemu` leaves to
QEMU's own loader.
"""

import contextlib
import socket
from pathlib import Path

from edgesq.errors import ToolError
from edgesq.flash import qemu
from edgesq.flash.checks import compare, other_chip
from edgesq.flash.image import Image, read_image
from edgesq.flash.keys import EMULATOR, MACHINE
from edgesq.flash.process import free_port, spawn, start_time, stop_process
from edgesq.flash.rsp import RemoteTarget
from edgesq.flash.runner import Process
from edgesq.flash.steps import Job
from edgesq.project import firmware_path
from edgesq.targets import Target

_PC, _XPSR = 15, 25
_XPSR_THUMB = 1 << 24
_NO_DESCRIPTOR = -1
_CPUID = 0xE000ED00

PART_NUMBERS = {
    "cortex-m0": 0xC20,
    "cortex-m3": 0xC23,
    "cortex-m4": 0xC24,
    "cortex-m7": 0xC27,
    "cortex-m33": 0xD21,
    "cortex-m55": 0xD22,
}
"""Bits 15 to 4 of CPUID, as in the cores' manuals. Mirror: edgesq/verify/cores.py."""

ARCHITECTURES = {"rv32imc": "riscv:rv32"}
"""Of cores without CPUID, what QEMU's GDB server says of them."""


def command(
    _build: Path,
    target: Target,
    tcp_port: int | None = None,
    descriptor: int = _NO_DESCRIPTOR,
) -> list[str]:
    """Return the command that starts the empty board, stopped.

    Args:
        target: the board.
        tcp_port: where its serial line listens; None for stdin and stdout.
        descriptor: of a socket that QEMU inherits, for the GDB protocol.

    Raises:
        MissingToolError: QEMU is not installed.
        OldToolError: it does not model the board yet.
    """
    chardev = ("-chardev", f"socket,id=gdb,fd={descriptor}")
    return [*qemu.machine(target, tcp_port), "-S", *chardev, "-gdb", "chardev:gdb"]


def start(build: Path, target: Target, log: Path, is_tcp: bool) -> tuple[int, str]:
    """Start the board, program it and let it run; return its pid and serial device.

    Raises:
        ToolError: it cannot be started.
        BoardError: it cannot be programmed; it does not run on then.
    """
    elf = firmware_path(build / "firmware", target)
    job = Job(target, read_image(elf), elf, elf.parent)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            descriptor = theirs.fileno()
            tcp_port = free_port() if is_tcp else None
            words = command(build, target, tcp_port, descriptor)
            pid, port = spawn(words, log, (descriptor,), tcp_port=tcp_port)
        started = start_time(pid)
        try:
            program(job, RemoteTarget(ours, target.name))
        except BaseException:
            if started is not None:
                with contextlib.suppress(ToolError):
                    stop_process(pid, started)
            raise
    return pid, port


def program(job: Job, remote: RemoteTarget) -> None:
    """Write, compare, reset and start.

    Raises:
        BoardError: another core than the target's, a difference, or no answer.
    """
    _check_chip(job, remote)
    remote.write(job.image.origin, job.image.data)
    compare(job, remote.read(job.image.origin, len(job.image.data)))
    remote.reset()
    if job.target.boot == "entry":
        _jump(remote, job.image)
    remote.detach()


def _check_chip(job: Job, remote: RemoteTarget) -> None:
    """Refuse another core: the emulated machines have no other register that tells them apart."""
    architecture = ARCHITECTURES.get(job.target.cpu)
    if architecture is not None:
        said = remote.architecture()
        if said != architecture:
            raise other_chip(job, said, architecture)
        return
    found = int.from_bytes(remote.read(_CPUID, 4), "little") >> 4 & 0xFFF
    wanted = PART_NUMBERS[job.target.cpu]
    if found != wanted:
        raise other_chip(job, f"{found:#x}", f"{wanted:#x}")


def _jump(remote: RemoteTarget, image: Image) -> None:
    """Set what the core would have fetched from a vector table."""
    remote.set_register(_PC, image.entry & ~1)
    remote.set_register(_XPSR, _XPSR_THUMB)


RUNNER = Process(
    name="gdb",
    program=EMULATOR,
    needs=(MACHINE,),
    too_old=qemu.too_old,
    command=command,
    start=start,
    is_own=qemu.is_own,
)
