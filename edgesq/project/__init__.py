"""Lay out a complete firmware project, compile it and read its size from the linker."""

from edgesq.project.build import Sizes, compile_firmware, firmware_path, run_batch
from edgesq.project.fit import needs, plan_for
from edgesq.project.layout import lay_out
from edgesq.project.library import Format, lay_out_library

__all__ = [
    "Format",
    "Sizes",
    "compile_firmware",
    "firmware_path",
    "lay_out",
    "lay_out_library",
    "needs",
    "plan_for",
    "run_batch",
]
