"""Write a build folder: the model in every format, its firmware project, and a report.

    model --> .tflite --> ONNX, C array, firmware project --> compiled --> parity --> report.json

The folder appears complete or not at all.
"""

from edgesq.export.build import ExportOptions, export, retarget
from edgesq.export.parity import ParityRow
from edgesq.export.source import Source, load_source

__all__ = ["ExportOptions", "ParityRow", "Source", "export", "load_source", "retarget"]
