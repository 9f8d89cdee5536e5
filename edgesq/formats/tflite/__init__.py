"""Read an int8 .tflite into a `Graph`, and run it by TensorFlow Lite's reference kernels."""

from edgesq.formats.tflite.read import (
    ReferenceInterpreter,
    operator_kinds,
    read_graph,
    read_stored_graph,
    reading_notes,
)
from edgesq.formats.tflite.uint8 import computes_in_uint8

__all__ = [
    "ReferenceInterpreter",
    "computes_in_uint8",
    "operator_kinds",
    "read_graph",
    "read_stored_graph",
    "reading_notes",
]
