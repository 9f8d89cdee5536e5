"""Lay out a complete firmware project, compile it and read its size from the linker."""

from edgesq.project.build import Sizes, compile_firmware, firmware_path, run_batch
from edgesq.project.fit import check_fit
from edgesq.project.layout import lay_out

__all__ = [
    "Sizes",
    "check_fit",
    "compile_firmware",
    "firmware_path",
    "lay_out",
    "run_batch",
]
