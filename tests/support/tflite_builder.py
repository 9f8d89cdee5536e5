"""Write small int8 .tflite files operator by operator, with whatever scales a test wants."""

from edgesq.formats.tflite.writer import NONE, RELU, RELU6, SAME, VALID
from edgesq.formats.tflite.writer import TfliteWriter as TfliteBuilder

__all__ = ["NONE", "RELU", "RELU6", "SAME", "VALID", "TfliteBuilder"]
