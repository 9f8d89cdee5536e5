"""Make an int8 model more like its float model: ranges, equalization, corrected weights and biases.

Everything here changes numbers of a .tflite and nothing else of it, so all that comes later is as
exact as before. `search.repair` is the entry; it imports onnx, so no module is imported here.
"""
