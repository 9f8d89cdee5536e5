"""Take models of other makers: ONNX, float or int8.

    .onnx --> Net (ONNX's operators, folded) --> layers in NHWC --> Keras model, or int8 .tflite

A float model becomes a Keras model, which is then quantized like any other. An int8 model keeps its
own numbers: it becomes a .tflite with exactly its scales, zero points, weights and biases.
"""

from edgesq.extras import require

require("onnx", "onnxruntime")
