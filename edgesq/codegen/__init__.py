"""Turn a graph and its plan into C data: tables and arrays, never algorithms.

Pure and deterministic: the same graph and plan give the same text, without dates or paths. Files
as a whole are firmware/template/data/*.in; arrays and structs in them are written by `initializer`.
"""

from edgesq.codegen.generate import LAYOUT_VERSION, generate, tflite_array
from edgesq.codegen.names import DEFAULT_NAME, check_name, name_of
from edgesq.codegen.tflm import generate_tflm

__all__ = [
    "DEFAULT_NAME",
    "LAYOUT_VERSION",
    "check_name",
    "generate",
    "generate_tflm",
    "name_of",
    "tflite_array",
]
