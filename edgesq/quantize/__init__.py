"""Turn a Keras model into a fully int8 .tflite, the one source of every number after it.

TensorFlow is imported when a function is called, and kept quiet down to the file descriptors.
"""

from edgesq.quantize.audit import audit_model, silent_layer
from edgesq.quantize.bake import baked
from edgesq.quantize.convert import (
    INPUT_NAME,
    input_names,
    quantized_tflite,
    to_float_tflite,
    to_int8_tflite,
)
from edgesq.quantize.flat import FloatModel, all_or_none, one_or
from edgesq.quantize.keras_file import load_keras
from edgesq.quantize.quiet import captured_output
from edgesq.quantize.saved_model import is_saved_model, load_saved_model

__all__ = [
    "INPUT_NAME",
    "FloatModel",
    "all_or_none",
    "audit_model",
    "baked",
    "captured_output",
    "input_names",
    "is_saved_model",
    "load_keras",
    "load_saved_model",
    "one_or",
    "quantized_tflite",
    "silent_layer",
    "to_float_tflite",
    "to_int8_tflite",
]
