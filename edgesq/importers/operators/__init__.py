"""Operators of models of other makers: a file per family, from ONNX to Keras and to .tflite."""
