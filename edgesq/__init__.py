"""Put small int8 image networks on microcontrollers and prove that they work there.

    Keras --calibrate--> quantize --> int8 .tflite --> Graph --> plan --> C data --> firmware --> flash --> verify
             images       (PTQ)        the one          |       bands,    arrays +   kernels are  a real    device
                                    source of numbers   |       rings     tables     hand-written serial    = host,
                                                        +--> ONNX (integer, QDQ)                  port      bit for bit

Quantization happens once; scales, zero points and weights are read from the .tflite by every stage
after it. Each stage is a folder, imports only earlier stages and never prints; `edgesq.cli` does.
Heavy libraries are imported by the stages that need them, when they are called.
"""

__version__ = "0.1.0"
