"""Lay out a complete firmware project, compile it and read its size from the linker."""

from edgesq.choices import Layout
from edgesq.project.build import (
    MAP,
    Sizes,
    compile_firmware,
    firmware_path,
    is_plain,
    run_batch,
)
from edgesq.project.estimate import (
    Estimate,
    FlashReads,
    Time,
    board_time,
    estimate,
    estimate_plan,
)
from edgesq.project.layout import RUNTIME, TFLM_RUNTIME, lay_out, tflm_cmake
from edgesq.project.library import lay_out_library
from edgesq.project.measure import measure

__all__ = [
    "MAP",
    "RUNTIME",
    "TFLM_RUNTIME",
    "Estimate",
    "FlashReads",
    "Layout",
    "Sizes",
    "Time",
    "board_time",
    "compile_firmware",
    "estimate",
    "estimate_plan",
    "firmware_path",
    "is_plain",
    "lay_out",
    "lay_out_library",
    "measure",
    "run_batch",
    "tflm_cmake",
]
