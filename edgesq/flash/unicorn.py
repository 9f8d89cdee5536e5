"""Boards run by Unicorn, which `pip install "edgesq[toolchain]"` brings: no Cortex-M55.

Unicorn counts no instructions; such a board says so by its CPUID.
"""

from edgesq.flash.keys import MACHINE
from edgesq.flash.runner import python_board

IMPLEMENTER = 0x55
"""Bits 31 to 24 of CPUID, "U": no maker of cores has that number."""

RUNNER = python_board("unicorn", "edgesq.flash.unicorn_board", (MACHINE,))
