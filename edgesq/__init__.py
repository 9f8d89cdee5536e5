"""Put small int8 image networks on microcontrollers and prove that they work there.

    Keras --> quantize --> int8 .tflite --> plan --> C data --> firmware --> flash --> verify
      ^        (PTQ)        the one |       bands,   tables     kernels by   a real    device
      |                   source of |       rings               hand, C11    serial    = host,
    calibration           numbers   +--> ONNX (integer, QDQ)                 port      bit for bit

Quantization happens once; scales, zero points and weights are read from the .tflite by every stage
after it. Each stage is a folder, imports only earlier stages and never prints; `edgesq.cli` does.
Heavy libraries are imported by the stages that need them, when they are called.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
"""ONNX Runtime would tell its vendor that it runs; it asks when it is loaded."""

__version__ = "0.1.0"
