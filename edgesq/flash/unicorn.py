"""Boards run by Unicorn, which `pip install "edgesq[toolchain]"` brings: no Cortex-M55.

Unicorn counts no instructions; such a board says so by its CPUID.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from edgesq.extras import require
from edgesq.flash.keys import MACHINE
from edgesq.flash.runner import Process, spawned
from edgesq.project import firmware_path
from edgesq.targets import Target

IMPLEMENTER = 0x55
"""Bits 31 to 24 of CPUID, "U": no maker of cores has that number."""

PACKAGE = "unicorn"
MODULE = "edgesq.flash.unicorn_board"


def command(build: Path, target: Target, tcp_port: int | None = None) -> list[str]:
    """Return the command that runs the board.

    Args:
        build: a BUILD folder.
        target: the target it was compiled for.
        tcp_port: where its serial line listens; None for stdin and stdout.

    Raises:
        MissingExtraError: Unicorn is not installed.
    """
    require(PACKAGE)
    image = firmware_path(build / "firmware", target).resolve()
    port = () if tcp_port is None else (str(tcp_port),)
    return [sys.executable, "-m", MODULE, str(image), target.name, *port]


def is_own(command: Sequence[str]) -> bool:
    """Say whether a command runs such a board."""
    return MODULE in command[1:]


RUNNER = Process(
    name="unicorn",
    package=PACKAGE,
    needs=(MACHINE,),
    command=command,
    start=spawned(command),
    is_own=is_own,
)
