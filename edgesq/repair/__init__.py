"""Make an int8 model more like its float model: ranges, equalization, corrected weights and biases.

Everything here changes numbers of a .tflite and nothing else of it, so all that comes later is as
exact as before.
"""

from edgesq.repair.search import Pictures, Repaired, repair

__all__ = ["Pictures", "Repaired", "repair"]
