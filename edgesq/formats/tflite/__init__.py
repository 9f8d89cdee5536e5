"""Read an int8 .tflite into a `Graph`, and run it by TensorFlow Lite's reference kernels."""

from edgesq.formats.tflite.read import (
    ReferenceInterpreter,
    operator_kinds,
    read_graph,
    read_stored_graph,
    reading_notes,
)

__all__ = [
    "ReferenceInterpreter",
    "operator_kinds",
    "read_graph",
    "read_stored_graph",
    "reading_notes",
]
