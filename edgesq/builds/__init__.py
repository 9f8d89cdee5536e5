"""Write a build folder: the model in every format, its firmware project, and a report.

    model --> .tflite --> ONNX, C array, firmware project --> compiled --> parity --> report.json

The folder appears complete or not at all.
"""

from edgesq.builds.build import export
from edgesq.builds.compression import Compression
from edgesq.builds.curve import loss_picture, plan_picture
from edgesq.builds.draft import ExportOptions
from edgesq.builds.facts import AccuracyFacts, CompressionFacts, ExportReport, SizePoint
from edgesq.builds.folder import (
    TFLITE,
    VERIFIED,
    VERIFY_IMAGES,
    VERIFY_REPORT,
    check_out,
    read_model,
)
from edgesq.builds.loading import load_content, load_graph, load_source
from edgesq.builds.operators import Operator, operators_of
from edgesq.builds.optimize import read_float_weights
from edgesq.builds.page_files import PAGE, write_page
from edgesq.builds.parity import ParityRow
from edgesq.builds.report import REPORT, planned, read_operators, read_report, write_report
from edgesq.builds.runtime import (
    Firmware,
    FirmwareOptions,
    around_tflm,
    check_tree,
    make_firmware,
    with_kernels,
)
from edgesq.builds.source import Source
from edgesq.builds.steps import Stage
from edgesq.builds.target import ensure_compiled

__all__ = [
    "PAGE",
    "REPORT",
    "TFLITE",
    "VERIFIED",
    "VERIFY_IMAGES",
    "VERIFY_REPORT",
    "AccuracyFacts",
    "Compression",
    "CompressionFacts",
    "ExportOptions",
    "ExportReport",
    "Firmware",
    "FirmwareOptions",
    "Operator",
    "ParityRow",
    "SizePoint",
    "Source",
    "Stage",
    "around_tflm",
    "check_out",
    "check_tree",
    "ensure_compiled",
    "export",
    "load_content",
    "load_graph",
    "load_source",
    "loss_picture",
    "make_firmware",
    "operators_of",
    "plan_picture",
    "planned",
    "read_float_weights",
    "read_model",
    "read_operators",
    "read_report",
    "with_kernels",
    "write_page",
    "write_report",
]
